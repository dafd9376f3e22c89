package story

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/client"
	simulator "github.com/gatehouse-project/gatehouse/simulator/aws"
)

// lifecycle is the life of a connection from its creation to its end, with what
// is refused on the way.
func lifecycle(t *testing.T, p *plane) {
	c := newCloud(t, 13)
	conn := p.connect(t, "Lifecycle", c.configuration(nil))
	require.Equal(t, "success", p.test(t, conn).Status)
	require.Equal(t, "succeeded", p.discover(t, conn).Outcome)

	isEdited(t, p, c, conn)
	isDisabled(t, p, c, conn)
	isReadInPart(t, p, conn)
	isStartedTwiceAndCancelled(t, p, c, conn)
	isDeleted(t, p, c, conn)
}

// isEdited renames a connection on the command line. Secrets that were not named
// stay, and a change on top of another one is refused.
func isEdited(t *testing.T, p *plane, c *cloud, conn string) {
	read, err := p.api.Connection(t.Context(), conn)
	require.NoError(t, err)
	var edited client.Connection
	p.ask(t, &edited, "connections", "edit", "Lifecycle", "--name", "Lifecycle, renamed", "--schedule", "daily@03:30")
	require.Equal(t, conn, edited.ConnectionID)
	require.Equal(t, "Lifecycle, renamed", edited.Name)
	require.Equal(t, client.Schedule{Type: "daily", Hour: 3, Minute: 30}, edited.Schedule)
	require.NotNil(t, edited.NextRunAt)
	require.JSONEq(t, string(read.Value.Config), string(edited.Config))

	name := "too late"
	_, err = p.api.EditConnection(t.Context(), conn, read.Value.Version, client.ConnectionPatch{Name: &name})
	requireRefused(t, err, http.StatusPreconditionFailed)
	_, err = p.api.CreateConnection(t.Context(), draft(t, "Lifecycle, renamed", c.configuration(nil)), "")
	requireRefused(t, err, http.StatusConflict)
	p.requireUnchanged(t, conn)
}

// isDisabled switches a connection off and on again.
func isDisabled(t *testing.T, p *plane, c *cloud, conn string) {
	got := p.cli(t, nil, "connections", "edit", conn, "--disabled")
	require.Zero(t, got.status, got.stderr)
	started, err := p.api.StartOperation(t.Context(), "discovery.run", conn)
	require.NoError(t, err)
	require.Equal(t, "blocked", started.Value.Status)
	require.Equal(t, "connection_disabled", started.Value.ReasonCode)
	require.Equal(t, "Enable the connection", started.Value.NextSteps[0].Label)
	blocked, err := p.api.Run(t.Context(), started.Value.Run.ID, 0)
	require.NoError(t, err)
	require.Equal(t, "completed", blocked.Value.Status)
	require.Equal(t, "blocked", blocked.Value.Outcome)
	require.Equal(t, "connection_disabled", blocked.Value.ReasonCode)
	events, err := p.api.AuditEvents(t.Context(), client.AuditFilter{TargetID: started.Value.Run.ID}, client.Pages{})
	require.NoError(t, err)
	require.Len(t, events.Items, 1)
	require.Equal(t, "run_blocked", events.Items[0].Action)

	told := p.cli(t, nil, "runs", "start", "discovery.run", "--connection", conn)
	require.Equal(t, 5, told.status, told.stderr)
	require.Contains(t, told.stdout, "Enable the connection")
	tested := p.test(t, conn)
	require.Equal(t, "failure", tested.Status)
	require.Equal(t, "connection_disabled", tested.ReasonCode)
	p.requireKnown(t, c, conn)

	got = p.cli(t, nil, "connections", "edit", conn, "--enabled")
	require.Zero(t, got.status, got.stderr)
	p.requireUnchanged(t, conn)
}

// isReadInPart reads one stream, and one account of all streams that are read by
// account: the rest stays as it was. An account that is not there is an error.
func isReadInPart(t *testing.T, p *plane, conn string) {
	all := p.entities(t, conn)
	read := func(input string) client.Run {
		var started client.StartResult
		p.ask(t, &started, "runs", "start", "discovery.run", "--connection", conn, "--input", input)
		require.Equal(t, "accepted", started.Status)
		return p.finished(t, started.Run.ID)
	}
	stream := read("streams=iam")
	require.Equal(t, "succeeded", stream.Outcome, "%+v", stream)
	account := ""
	for _, row := range stream.Coverage {
		require.Equal(t, "iam", row.Stream)
		account = row.Partition
	}
	require.NotEmpty(t, account)
	part := read("partitions=" + account)
	require.Equal(t, "succeeded", part.Outcome, "%+v", part)
	for _, row := range part.Coverage {
		require.Contains(t, []string{"", account}, row.Partition)
	}
	require.Equal(t, "scope_invalid", read("partitions=000000000000").ReasonCode)
	require.Equal(t, all, p.entities(t, conn))
	p.requireUnchanged(t, conn)
}

// isStartedTwiceAndCancelled starts a run while one is under way, and ends both.
func isStartedTwiceAndCancelled(t *testing.T, p *plane, c *cloud, conn string) {
	before := p.entities(t, conn)
	c.fail(t, simulator.Fault{Kind: simulator.FaultSlow, DelayMilliseconds: 200})
	run := p.startRun(t, conn)
	again, err := p.api.StartOperation(t.Context(), "discovery.run", conn)
	require.NoError(t, err)
	require.Equal(t, "deduped", again.Value.Status)
	require.Equal(t, run, again.Value.Run.ID)

	_, err = p.api.CancelRun(t.Context(), run)
	require.NoError(t, err)
	c.ClearFaults()
	ended := p.finished(t, run)
	require.Equal(t, "cancelled", ended.Outcome, "%+v", ended)
	require.Equal(t, before, p.entities(t, conn))
	// Depending on when the second start came, a run of its own makes up for it.
	eventually(t, "no run of the connection is under way", func() bool {
		open := 0
		for _, status := range []string{"queued", "running"} {
			runs, err := p.api.Runs(t.Context(), client.RunFilter{Connection: conn, Status: status}, client.Pages{})
			require.NoError(t, err)
			open += len(runs.Items)
		}
		return open == 0
	})
	p.requireUnchanged(t, conn)
}

// isDeleted deletes a connection. Nothing of it can be used or seen from then
// on but its runs and audit events, and its graph is dropped.
func isDeleted(t *testing.T, p *plane, c *cloud, conn string) {
	var bucket client.Entity
	for _, e := range p.entities(t, conn) {
		if e.ProviderID == c.bucket() {
			bucket = e
		}
	}
	require.NotEmpty(t, bucket.EntityID)
	tables := "select count(*)::text from pg_class where relname in ('entities_' || $1::bigint, 'relationships_' || $1::bigint)"
	require.NotEqual(t, "0", execute(t, p.database, tables, number(conn)))
	require.Equal(t, "1", execute(t, p.database, "select count(*)::text from credentials where connection_id = $1", number(conn)))

	asked := p.cli(t, nil, "connections", "delete", conn)
	require.Equal(t, 2, asked.status, "nobody can be asked here")
	got := p.cli(t, nil, "connections", "delete", conn, "--yes")
	require.Zero(t, got.status, got.stderr)

	require.Equal(t, "0", execute(t, p.database, "select count(*)::text from credentials where connection_id = $1", number(conn)))
	require.Empty(t, p.entities(t, conn))
	_, err := p.api.Connection(t.Context(), conn)
	requireRefused(t, err, http.StatusNotFound)
	_, err = p.api.TestConnection(t.Context(), conn)
	requireRefused(t, err, http.StatusNotFound)
	_, err = p.api.StartOperation(t.Context(), "discovery.run", conn)
	requireRefused(t, err, http.StatusNotFound)
	_, err = p.api.Entity(t.Context(), bucket.EntityID, "")
	requireRefused(t, err, http.StatusNotFound)
	_, err = p.api.WhoCan(t.Context(), bucket.EntityID, client.AccessFilter{}, client.Pages{})
	requireRefused(t, err, http.StatusNotFound)
	require.Equal(t, 3, p.cli(t, nil, "connections", "show", conn).status)

	runs, err := p.api.Runs(t.Context(), client.RunFilter{Connection: conn}, client.Pages{})
	require.NoError(t, err)
	require.NotEmpty(t, runs.Items, "what was done stays on record")
	events, err := p.api.AuditEvents(t.Context(), client.AuditFilter{Action: "connection_deleted", TargetID: conn}, client.Pages{})
	require.NoError(t, err)
	require.Len(t, events.Items, 1)

	eventually(t, "the graph of "+conn+" is dropped", func() bool {
		// The round that does this comes every minute by itself, and again when
		// it would have had to wait for somebody.
		execute(t, p.database, `insert into river.river_job (kind, args, max_attempts) select 'forget', '{}', 1
			where not exists (select from river.river_job where kind = 'forget' and finalized_at is null)`)
		return execute(t, p.database, tables, number(conn)) == "0"
	})
	// The name is free again, and a new connection reads everything anew.
	renewed := p.connect(t, "Lifecycle, renamed", c.configuration(nil))
	run := p.discover(t, renewed)
	require.Equal(t, "succeeded", run.Outcome)
	require.Positive(t, run.SummaryCounts["entities_new"])
	p.requireKnown(t, c, renewed)
}
