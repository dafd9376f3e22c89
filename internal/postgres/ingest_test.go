package postgres_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/postgres/pgtest"
	"github.com/gatehouse-project/gatehouse/internal/run"

	"github.com/jackc/pgx/v5/pgxpool"
)

// refuse sends a batch that must not be taken in.
func (h *hold) refuse(t *testing.T, kind fault.Kind, b graph.Batch) {
	t.Helper()
	err := h.take(t.Context(), b)
	require.Equal(t, kind, fault.KindOf(err), "%v", err)
}

func TestBatchesAreTakenOnceEachInOrder(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	h := d.begin(t, d.scope, d.connect(t, d.scope))
	page := func(name string) connector.Page { return connector.Page{Entities: accounts(name), Next: "more"} }

	ahead := h.batch("alpha", "", page("a"), "")
	ahead.Number = 1
	h.refuse(t, fault.Conflict, ahead)
	require.Equal(t, 1, d.number(t, `select count(*) from runs where lease_until > clock_timestamp()`), "what overtakes the first batch takes the run from nobody")
	first := h.batch("alpha", "", page("a"), "")
	h.send(t, "alpha", "", page("a"), "")
	require.NoError(t, h.take(t.Context(), first), "the same batch again is harmless")
	other := h.batch("alpha", "", page("b"), "")
	other.Number = 0
	h.refuse(t, fault.Conflict, other)
	ahead = h.batch("alpha", "", page("c"), "")
	ahead.Number = 2
	h.refuse(t, fault.Conflict, ahead)
	h.send(t, "alpha", "", page("b"), "")
	h.refuse(t, fault.Conflict, first)

	h.send(t, "alpha", "", connector.Page{Entities: accounts("c")}, connector.Complete)
	h.refuse(t, fault.Conflict, h.batch("alpha", "", page("d"), ""))
	h.refuse(t, fault.Conflict, h.batch("alpha", "", page("d"), connector.Complete))

	d.expire(t, h.Run.ID)
	again := d.claim(t)
	require.EqualValues(t, 3, again.NextBatch)
	require.Equal(t, []run.PartitionState{{Partition: connector.Partition{Stream: "alpha"}, Ended: true}}, again.Partitions)
	ended := again.publish(t)
	require.Equal(t, run.Succeeded, ended.Outcome)
	require.EqualValues(t, 3, ended.Counts[graph.CountEntitiesNew])
	require.Zero(t, ended.Counts[graph.CountDuplicates])
}

func TestBatchesThatTheContractForbidsStageNothing(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	h := d.begin(t, d.scope, d.connect(t, d.scope))
	entity := func(change func(e *connector.Entity)) connector.Page {
		e := account("a", "a")
		change(&e)
		return connector.Page{Entities: []connector.Entity{e}}
	}
	attributes := func(raw string) connector.Page {
		return entity(func(e *connector.Entity) { e.Attributes = []byte(raw) })
	}
	for name, b := range map[string]graph.Batch{
		"undeclared stream":    h.batch("gamma", "", connector.Page{}, ""),
		"undeclared kind":      h.batch("narrow", "", connector.Page{Relationships: []connector.Relationship{assumes("a", "b")}}, ""),
		"unknown end":          h.batch("alpha", "", connector.Page{}, "finished"),
		"long partition key":   h.batch("alpha", strings.Repeat("k", connector.MaxKeyBytes+1), connector.Page{}, ""),
		"NUL in partition key": h.batch("alpha", "\x00", connector.Page{}, ""),
		"bad UTF-8 in key":     h.batch("alpha", "\xff", connector.Page{}, ""),
		"NUL in cursor":        h.batch("alpha", "", connector.Page{Next: "\x00"}, ""),
		"long cursor":          h.batch("alpha", "", connector.Page{Next: connector.Cursor(strings.Repeat("c", connector.MaxCursorBytes+1))}, ""),
		"no id":                h.batch("alpha", "", entity(func(e *connector.Entity) { e.ID = "" }), ""),
		"NUL in name":          h.batch("alpha", "", entity(func(e *connector.Entity) { e.Name = "a\x00" }), ""),
		"bad UTF-8 in name":    h.batch("alpha", "", entity(func(e *connector.Entity) { e.Name = "\xff" }), ""),
		"NUL in attributes":    h.batch("alpha", "", attributes(`{"a": "\u0000"}`), ""),
		"lone surrogate":       h.batch("alpha", "", attributes(`{"a": "\ud800"}`), ""),
		"huge number":          h.batch("alpha", "", attributes(`{"a": 1e400000}`), ""),
		"deep attributes":      h.batch("alpha", "", attributes(`{"a":`+strings.Repeat("[", 9000)+strings.Repeat("]", 9000)+`}`), ""),
		"no JSON":              h.batch("alpha", "", attributes(`{"a": `), ""),
		"huge number in terms": h.batch("alpha", "", connector.Page{Relationships: []connector.Relationship{{
			Kind: connector.AccountAssumesAccount, From: account("a", "").Ref, To: account("b", "").Ref,
			Terms: &connector.Terms{Conditions: []byte(`{"a": 1e400000}`)},
		}}}, ""),
	} {
		err := h.take(t.Context(), b)
		require.Equal(t, fault.Invalid, fault.KindOf(err), "%s: %v", name, err)
	}
	require.Zero(t, d.number(t, `select count(*) from run_ingest`))
	require.Zero(t, d.number(t, `select count(*) from stream_partitions`))
	require.Zero(t, d.number(t, `select count(*) from pg_class where relnamespace = 'staging'::regnamespace`))

	h.send(t, "alpha", "", connector.Page{Entities: accounts("a")}, "")
	err := h.take(t.Context(), h.batch("alpha", "", attributes(`{"a": 1e400000}`), ""))
	require.Equal(t, fault.Invalid, fault.KindOf(err))
	require.NotContains(t, err.Error(), "400000")
	h.send(t, "alpha", "", connector.Page{Entities: accounts("b")}, connector.Complete)
	require.EqualValues(t, 2, h.publish(t).Counts[graph.CountEntitiesNew])
}

// The largest of everything that the contract allows can be published.
func TestLargestRecordsFit(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	h := d.begin(t, d.scope, d.connect(t, d.scope))
	// Incompressible, so that no index entry is saved by compression.
	random := func(n int) string {
		var b strings.Builder
		for x := uint32(1); b.Len() < n; x = x*1664525 + 1013904223 {
			b.WriteByte('0' + byte(x>>24)%75)
		}
		return b.String()
	}
	e := account(random(connector.MaxIDBytes), random(connector.MaxNameBytes))
	e.Type = random(connector.MaxNameBytes)
	e.Attributes = []byte(`{"a": "` + strings.ReplaceAll(random(60<<10), `\`, "/") + `"}`)
	r := connector.Relationship{Kind: connector.AccountAssumesAccount, From: e.Ref, To: e.Ref, Key: random(connector.MaxKeyBytes)}
	h.send(t, "alpha", random(connector.MaxKeyBytes), connector.Page{Entities: []connector.Entity{e}, Relationships: []connector.Relationship{r}}, connector.Complete)
	ended := h.publish(t)
	require.Equal(t, run.Succeeded, ended.Outcome)
	require.EqualValues(t, 1, ended.Counts[graph.CountEntitiesNew])
	require.EqualValues(t, 1, ended.Counts[graph.CountRelationshipsNew])
}

func TestGapMakesACompletePartitionPartial(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	h := d.begin(t, d.scope, d.connect(t, d.scope))
	gap := connector.Error{Category: connector.PermissionDenied, Message: "cannot list", Permission: "iam:ListUsers", On: "account 1"}
	h.send(t, "alpha", "1", connector.Page{Entities: accounts("a"), Gaps: []connector.Error{gap}, Next: "1"}, "")
	h.send(t, "alpha", "1", connector.Page{Entities: accounts("b")}, connector.Complete)
	h.send(t, "beta", "", connector.Page{Entities: accounts("c")}, connector.Complete)
	ended := h.publish(t)
	require.Equal(t, run.PartiallySucceeded, ended.Outcome)
	require.EqualValues(t, "permission_denied", ended.Reason)
	require.Equal(t, "1 of 2 parts not read completely; what was known of them stays as it was", ended.Failure.Message)
	coverage, err := d.runs.Coverage(t.Context(), d.scope, h.Run.ID)
	require.NoError(t, err)
	require.Equal(t, []run.CoverageRow{
		{Stream: "alpha", Partition: "1", Coverage: connector.Partial, Reason: "permission_denied", Message: "cannot list: missing iam:ListUsers on account 1", Records: 2},
		{Stream: "beta", Coverage: connector.Complete, Records: 1},
	}, coverage)
	require.Equal(t, 1, d.number(t, `select count(*) from stream_partitions where coverage = 'partial' and last_complete_at is null`))
	require.Equal(t, 1, d.number(t, `select count(*) from stream_partitions where coverage = 'complete' and last_complete_at = last_observed_at`))
}

// emptied does by hand what a crash of the server does to unlogged tables.
func (d *discovery) emptied(t *testing.T, r run.Run) {
	t.Helper()
	d.exec(t, `delete from run_ingest; delete from run_partitions`)
	d.exec(t, `truncate staging.entities_`+r.ID.String()[len("run_"):]+`, staging.relationships_`+r.ID.String()[len("run_"):])
}

func TestRunStartsOverWhenWhatItStagedIsGone(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	read := func(h *hold) {
		h.send(t, "alpha", "", connector.Page{Entities: accounts("a"), Next: "1"}, "")
		h.send(t, "alpha", "", connector.Page{Entities: accounts("b")}, connector.Complete)
	}
	for name, crash := range map[string]func(h *hold){
		"while it reads": func(h *hold) {
			h.refuse(t, fault.Stale, h.batch("alpha", "", connector.Page{}, connector.Complete))
			require.NoError(t, d.runs.HandBack(t.Context(), h.fence))
		},
		"before it finishes": func(h *hold) {
			_, err := d.runs.FinishReading(t.Context(), h.fence, false)
			require.Equal(t, fault.Stale, fault.KindOf(err), "%v", err)
			d.expire(t, h.Run.ID)
		},
	} {
		h := d.begin(t, d.scope, d.connect(t, d.scope))
		read(h)
		d.emptied(t, h.Run)
		crash(h)
		again := d.claim(t)
		require.Equal(t, h.Run.ID, again.Run.ID)
		require.Zero(t, again.NextBatch, name)
		require.Empty(t, again.Partitions, name)
		read(again)
		ended := again.publish(t)
		require.Equal(t, run.Succeeded, ended.Outcome, name)
		require.EqualValues(t, 2, ended.Counts[graph.CountEntitiesNew], name)
	}

	// Before it is published: nothing is published, and it is read again.
	h := d.begin(t, d.scope, d.connect(t, d.scope))
	read(h)
	_, err := d.runs.FinishReading(t.Context(), h.fence, false)
	require.NoError(t, err)
	d.emptied(t, h.Run)
	published, err := d.graph.Publish(t.Context(), d.scope, h.Run.ID)
	require.NoError(t, err)
	require.False(t, published)
	again := d.claim(t)
	require.Equal(t, h.Run.ID, again.Run.ID)
	require.Equal(t, 1, again.Run.Attempt)
	read(again)
	require.EqualValues(t, 2, again.publish(t).Counts[graph.CountEntitiesNew])
}

func TestRunThatPlannedNothingSucceeds(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	ended := d.begin(t, d.scope, d.connect(t, d.scope)).publish(t)
	require.Equal(t, run.Succeeded, ended.Outcome)
	require.Equal(t, 1, d.number(t, `select count(*) from publications`))
}

// The same with a server that really crashes.
func TestRunStartsOverAfterACrashOfTheServer(t *testing.T) {
	t.Parallel()
	server, err := pgtest.StartServer(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close(context.Background())) })
	require.NoError(t, postgres.Migrate(t.Context(), server.SuperuserURL("postgres")))
	super, err := pgxpool.New(t.Context(), server.SuperuserURL("postgres"))
	require.NoError(t, err)
	t.Cleanup(super.Close)
	_, err = super.Exec(t.Context(), `alter role svc_discovery login password 'only-here'`)
	require.NoError(t, err)
	d := openDiscovery(t, server.URL("svc_discovery", "only-here", "postgres"), super)

	first := d.begin(t, d.scope, d.connect(t, d.scope))
	first.send(t, "alpha", "", connector.Page{Entities: accounts("a")}, connector.Complete)
	first.publish(t)
	h := d.begin(t, d.scope, first.Run.Connection)
	h.send(t, "alpha", "", connector.Page{Entities: accounts("a"), Next: "1"}, "")
	h.send(t, "alpha", "", connector.Page{Entities: accounts("b")}, connector.Complete)

	require.NoError(t, server.Kill())
	require.NoError(t, server.Restart(t.Context()))
	// Pooled connections have died with the server; whoever gets one tries again.
	require.Eventually(t, func() bool { return d.db.Ping(t.Context()) == nil && super.Ping(t.Context()) == nil }, time.Minute, 10*time.Millisecond)
	require.Eventually(t, func() bool {
		_, err = d.runs.FinishReading(t.Context(), h.fence, false)
		return fault.KindOf(err) == fault.Stale
	}, time.Minute, 10*time.Millisecond, "%v", err)

	require.Equal(t, 1, d.number(t, `select count(*) from entities where valid_to is null`), "the graph keeps what it had")
	again := d.claim(t)
	require.Equal(t, h.Run.ID, again.Run.ID, "at once: nobody waits for the lease of a worker that was told to let go")
	require.Equal(t, 2, again.Run.Attempt, "the attempt counts: it may be this run that makes the server crash")
	require.Zero(t, again.NextBatch)
	require.Equal(t, fault.Stale, fault.KindOf(d.graph.Stage(t.Context(), h.fence, graph.StagedBatch{})), "the former holder is told apart")
	again.send(t, "alpha", "", connector.Page{Entities: accounts("a", "b")}, connector.Complete)
	require.EqualValues(t, 1, again.publish(t).Counts[graph.CountEntitiesNew])
}
