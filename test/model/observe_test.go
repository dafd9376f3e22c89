package model

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/id"
)

// seen is one run as the database has it.
type seen struct {
	Run        id.Run
	Connection id.Connection
	Status     string
	Outcome    string
	Phase      string
	Epoch      int64
	Attempt    int
	Lease      [16]byte
	Held       bool // there is a lease, which may have ended
	Expired    bool
	Cancel     bool
	Rerun      bool
	Overdue    bool
	Scope      string
	Batches    int
	Entities   int
	Events     []string
	// Published counts publications, Jobs those queued to publish, and Told those
	// queued to say that it has ended.
	Published, Jobs, Told int
}

const seenSQL = `
	with jobs as (select args->>'run_id' as run, kind, count(*) as n from river.river_job group by 1, 2)
	select r.run_id, r.connection_id, r.status::text, r.outcome::text, r.phase::text, r.epoch, r.attempt, coalesce(r.lease_id, '00000000-0000-0000-0000-000000000000'),
		r.lease_id is not null, coalesce(r.lease_until < clock_timestamp(), false), r.cancel_requested_at is not null, r.rerun_requested,
		coalesce(r.deadline_at < clock_timestamp(), false), coalesce(r.scope_key, ''), coalesce(i.next_batch, 0), coalesce(i.staged_entities, 0),
		coalesce((select array_agg(e.action order by e.event_id) from audit_events e where e.workspace_id = r.workspace_id and e.target_id = 'run_' || r.run_id), '{}'),
		(select count(*) from publications p where p.run_id = r.run_id),
		coalesce((select n from jobs where kind = 'publish' and run = 'run_' || r.run_id), 0),
		coalesce((select n from jobs where kind = 'run_ended' and run = 'run_' || r.run_id), 0)
	from runs r left join run_ingest i using (workspace_id, run_id)
	where r.workspace_id = $1 order by r.run_id`

// see looks at the runs of a workspace, behind row-level security.
func (p *plane) see(tb require.TestingT, w id.Workspace) map[id.Run]seen {
	rows, err := p.super.Query(context.Background(), seenSQL, w)
	require.NoError(tb, err)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[seen])
	require.NoError(tb, err)
	found := map[id.Run]seen{}
	for _, s := range all {
		found[s.Run] = s
	}
	return found
}

// everything is a hash over all that a call could change.
func (p *plane) everything(tb require.TestingT, w id.Workspace) (hash string) {
	err := p.super.QueryRow(context.Background(), `select md5(
		coalesce((select string_agg(t::text, '|' order by run_id) from runs t where workspace_id = $1), '') || coalesce((select string_agg(t::text, '|' order by run_id) from run_ingest t where workspace_id = $1), '') ||
		coalesce((select string_agg(t::text, '|' order by run_id, partition_id) from run_partitions t where workspace_id = $1), '') ||
		(select count(*) || ' ' || coalesce(max(event_id), 0) from audit_events where workspace_id = $1) || (select count(*) from river.river_job) || (select count(*) from publications where workspace_id = $1) ||
		coalesce((select string_agg(t::text, '|' order by connection_id, entity_id, valid_from) from entities t where workspace_id = $1), ''))`, w).Scan(&hash)
	require.NoError(tb, err)
	return hash
}

// names are the nodes of a connection's graph, by their ids at the provider.
func (p *plane) names(tb require.TestingT, c id.Connection) map[string]string {
	rows, err := p.super.Query(context.Background(), `select provider_id, name from entities where connection_id = $1 and valid_to is null`, c)
	require.NoError(tb, err)
	found := map[string]string{}
	var key, name string
	_, err = pgx.ForEachRow(rows, []any{&key, &name}, func() error { found[key] = name; return nil })
	require.NoError(tb, err)
	return found
}
