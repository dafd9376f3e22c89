package postgres_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
)

// explained asks for the plan of a query in place of its rows.
type explained struct {
	pgx.Tx
	plan *planNode
}

// planNode is what the test needs of EXPLAIN's JSON.
type planNode struct {
	Rows    float64    `json:"Actual Rows"`
	Removed float64    `json:"Rows Removed by Filter"`
	Lossy   float64    `json:"Rows Removed by Index Recheck"`
	Loops   float64    `json:"Actual Loops"`
	Plans   []planNode `json:"Plans"`
}

var errExplained = errors.New("explained")

func (e explained) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	var text string
	if err := e.QueryRow(ctx, "explain (analyze, format json) "+sql, args...).Scan(&text); err != nil {
		return nil, err
	}
	var plans []struct{ Plan planNode }
	if err := json.Unmarshal([]byte(text), &plans); err != nil {
		return nil, err
	}
	*e.plan = plans[0].Plan
	return nil, errExplained
}

func (explained) Exec(context.Context, string, ...any) (pgconn.CommandTag, error) {
	return pgconn.CommandTag{}, errExplained
}

// visited is the most rows that a part of the plan looked at.
func (n planNode) visited() float64 {
	most := (n.Rows + n.Removed + n.Lossy) * n.Loops
	for _, p := range n.Plans {
		most = max(most, p.visited())
	}
	return most
}

// What is rare is found by an index among many events, however old it is.
func TestFiltersOfTheAuditLogUseAnIndex(t *testing.T) {
	t.Parallel()
	const many, page = 40_000, 50
	base := databases.New(t)
	d := openDiscovery(t, base.URL("svc_discovery"), base.SuperuserPool())
	scope := d.newScope(t)
	d.exec(t, `insert into audit_events (tenant_id, workspace_id, actor_kind, actor_id, action, outcome, target_type, target_id, created_at)
		select 1, $1, 'member', case when n = 7 then 'mem_rare' else 'mem_' || n % 20 end, case when n = 8 then 'rare' else 'connection_edited' end,
		  case when n = 9 then 'denied' else 'succeeded' end, 'connection', 'conn_' || n % 1000, '2026-01-01'::timestamptz + n * interval '1 minute'
		from generate_series(1, $2) n`, scope.Workspace, many)
	d.exec(t, `vacuum analyze audit_events`)
	db, err := postgres.Open(t.Context(), postgres.Config{URL: base.URL("svc_workspace"), Service: "test", MaxConns: 2})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	late, early := begin.Add((many-100)*time.Minute), begin.Add(100*time.Minute)
	// Time is found by blocks, 128 pages at once.
	const atOnce, byBlocks = 2 * page, many / 2
	for name, c := range map[string]struct {
		params dbsqlc.ListAuditEventsParams
		most   float64
	}{
		"all":     {dbsqlc.ListAuditEventsParams{}, atOnce},
		"action":  {dbsqlc.ListAuditEventsParams{Action: "rare"}, atOnce},
		"outcome": {dbsqlc.ListAuditEventsParams{Outcome: "denied"}, atOnce},
		"actor":   {dbsqlc.ListAuditEventsParams{ActorID: "mem_rare"}, atOnce},
		"target":  {dbsqlc.ListAuditEventsParams{TargetID: "conn_1"}, atOnce},
		"before":  {dbsqlc.ListAuditEventsParams{Before: many / 2}, atOnce},
		"since":   {dbsqlc.ListAuditEventsParams{Since: &late}, byBlocks},
		"until":   {dbsqlc.ListAuditEventsParams{Until: &early}, byBlocks},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := c.params
			p.WorkspaceID, p.Most = int64(scope.Workspace), page
			var plan planNode
			err := db.InWorkspace(t.Context(), scope.Workspace, func(tx pgx.Tx) error {
				_, err := dbsqlc.New(explained{tx, &plan}).ListAuditEvents(t.Context(), p)
				return err
			})
			require.ErrorIs(t, err, errExplained)
			require.Positive(t, plan.visited())
			require.LessOrEqual(t, plan.visited(), c.most, "%+v", plan)
		})
	}
}
