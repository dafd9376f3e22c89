package postgres_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/idempotency"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// onceOnly is a request with a key, about anything that JSON can say.
func (g *gated) onceOnly(t *testing.T, key string, content any) *idempotency.Request {
	t.Helper()
	once, err := idempotency.NewRequest(g.caller.Member, run.StartOperation, key, content)
	require.NoError(t, err)
	return once
}

// A start that is sent again, also at the same time, is answered about the one run
// that it made, whatever has become of it and of its prerequisites.
func TestAStartThatIsSentAgainStartsOnce(t *testing.T) {
	t.Parallel()
	g := newGated(t)
	const key = "0b2f5a58-9d3c-4d53-8a52-7b1d6b1f9a01"
	for _, op := range []operation.Type{operation.ConnectionTest, operation.DiscoveryRun} {
		c := g.install(t, "aws", 0)
		req := run.StartRequest{Operation: op, Connection: c, Once: g.onceOnly(t, key, op)}
		if op == operation.DiscoveryRun {
			req.Once = g.onceOnly(t, key+"-discovery", op)
		}
		answers, errs := make([]run.StartResult, 6), make([]error, 6)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() { answers[i], errs[i] = g.gate.Start(t.Context(), g.caller, req) })
		}
		all.Wait()
		first := 0
		for i, a := range answers {
			require.NoError(t, errs[i])
			require.Equal(t, run.Accepted, a.Status)
			require.Equal(t, answers[0].Run.ID, a.Run.ID)
			if !a.Replayed {
				first++
			}
		}
		require.Equal(t, 1, first)
		require.Equal(t, 1, g.number(t, `select count(*) from runs where connection_id = $1`, c))
		require.Equal(t, 1, g.number(t, `select count(*) from audit_events where action = 'run_accepted' and target_id = $1`, answers[0].Run.ID.String()))

		// The connection cannot be used any more, and the run has ended.
		g.exec(t, `update connections set lifecycle = 'disabled' where connection_id = $1`, c)
		g.exec(t, `update runs set status = 'completed', outcome = 'cancelled', completed_at = now() where connection_id = $1`, c)
		again := g.start(t, req)
		require.True(t, again.Replayed)
		require.Equal(t, run.Accepted, again.Status)
		require.Equal(t, answers[0].Run.ID, again.Run.ID)
		require.Equal(t, run.Cancelled, again.Run.Outcome)
		require.Contains(t, again.Message, "which is completed now")
	}
}

// Every answer is kept, and what was no answer is not.
func TestEachAnswerIsGivenAgain(t *testing.T) {
	t.Parallel()
	g := newGated(t)
	c := g.install(t, "aws", 0)
	key := func(n string) string { return "8c6f1f1e-aaaa-4d53-8a52-" + n }
	discover := func(once *idempotency.Request) run.StartRequest {
		return run.StartRequest{Operation: operation.DiscoveryRun, Connection: c, Once: once}
	}
	accepted := g.start(t, discover(nil))
	joined := g.start(t, discover(g.onceOnly(t, key("joined"), 1)))
	require.Equal(t, run.Deduped, joined.Status)
	g.exec(t, `update runs set status = 'completed', outcome = 'succeeded', completed_at = now() where run_id = $1`, accepted.Run.ID)
	g.exec(t, `update connections set lifecycle = 'disabled' where connection_id = $1`, c)
	blocked := g.start(t, discover(g.onceOnly(t, key("blocked"), 1)))
	require.Equal(t, run.StartBlocked, blocked.Status)
	g.exec(t, `update connections set lifecycle = 'active' where connection_id = $1`, c)
	for name, was := range map[string]run.StartResult{"joined": joined, "blocked": blocked} {
		again := g.start(t, discover(g.onceOnly(t, key(name), 1)))
		require.True(t, again.Replayed)
		require.Equal(t, was.Status, again.Status)
		require.Equal(t, was.Run.ID, again.Run.ID)
		require.Equal(t, was.Reason, again.Reason)
		require.Equal(t, was.Short, again.Short)
	}
	unsupported := run.StartRequest{Operation: operation.GroupsSync, Connection: c, Once: g.onceOnly(t, key("unsupported"), 1)}
	was := g.start(t, unsupported)
	require.Contains(t, was.Message, "In short: aws offers")
	require.Equal(t, was.Message, g.start(t, unsupported).Message, "with what it says of this case")
	g.exec(t, `delete from runs where run_id = $1`, was.Run.ID)
	require.Equal(t, 2, g.number(t, `select count(*) from runs`))

	require.Contains(t, g.refuse(t, fault.Invalid, "header.Idempotency-Key", discover(g.onceOnly(t, key("joined"), 2))), "another request")
	missing := discover(g.onceOnly(t, key("missing"), 1))
	missing.Connection = id.Connection(1 << 40)
	g.refuse(t, fault.NotFound, "", missing)
	require.Equal(t, run.Accepted, g.start(t, discover(g.onceOnly(t, key("missing"), 1))).Status, "what was refused is not remembered")

	g.exec(t, `delete from runs where run_id = $1`, joined.Run.ID)
	require.Contains(t, g.refuse(t, fault.Conflict, "", discover(g.onceOnly(t, key("joined"), 1))), "no longer kept")
}
