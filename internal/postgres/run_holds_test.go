package postgres_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// reaching is a connection of a target.
type reaching struct {
	connection id.Connection
	target     id.Target
}

// connectTo makes connections that reach one new target.
func (d *discovery) connectTo(tb testing.TB, scope id.Scope, connections int) []reaching {
	tb.Helper()
	var target id.Target
	require.NoError(tb, d.super.QueryRow(tb.Context(), `insert into targets (workspace_id, provider_system, provider_target_id, target_type, name)
		values ($1, 'aws', gen_random_uuid(), 'organization', 'Contoso') returning target_id`, scope.Workspace).Scan(&target))
	made := make([]reaching, connections)
	for i := range made {
		made[i] = reaching{d.connect(tb, scope), target}
		d.exec(tb, `update connections set target_id = $1 where connection_id = $2`, target, made[i].connection)
	}
	return made
}

// asked is what the gate asks the store for.
func asked(scope id.Scope, op operation.Operation, on reaching, in operation.Input) run.Admission {
	a := run.Admission{
		Scope: scope, Operation: op, Integration: "aws", Connection: on.connection, Target: on.target, Input: []byte(`{}`), Context: []byte(`{}`),
		Initiator: run.BySystem, DedupeKey: op.DedupeKey(on.connection, in),
	}
	if op.Protects == operation.ProtectsConnection {
		a.ScopeKey = fmt.Sprintf("connection:%d", on.connection)
	}
	if h, ok := op.Protects.TargetHold(); ok {
		a.Holds = &h
	}
	return a
}

func (d *discovery) cancel(tb testing.TB, r run.Run) {
	tb.Helper()
	_, err := d.runs.RequestCancel(tb.Context(), r.Scope, r.ID, audit.System("test"))
	require.NoError(tb, err)
}

// The table of decision 0020, for two connections of one target and for two
// targets: whatever runs, everything else is tried beside it.
func TestEachOperationKeepsOffWhatTheDecisionSays(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	pair, elsewhere := d.connectTo(t, d.scope, 2), d.connectTo(t, d.scope, 1)
	// Beside which a run of another connection of the same target is accepted.
	beside := map[operation.Type][]operation.Type{
		operation.GroupsSync:          {operation.ConnectionTest, operation.DiscoveryRun, operation.PolicyBackup},
		operation.RoleDefinitionsSync: {operation.ConnectionTest, operation.DiscoveryRun, operation.PolicyBackup},
		operation.PolicyBackup:        {operation.ConnectionTest, operation.DiscoveryRun, operation.GroupsSync, operation.RoleDefinitionsSync, operation.PolicyBackup},
		operation.RestoreExecute:      {operation.ConnectionTest, operation.DiscoveryRun},
	}
	for _, held := range operation.All() {
		holder := d.admit(t, asked(d.scope, held, pair[0], operation.Input{}))
		require.Equal(t, run.Accepted, holder.Status, held.Type)
		for _, op := range operation.All() {
			want := run.ScopeBusy
			allowed, restricted := beside[held.Type]
			for _, a := range allowed {
				if a == op.Type {
					want = run.Accepted
				}
			}
			if !restricted {
				want = run.Accepted // what protects its connection, or nothing, is in no other connection's way
			}
			other := d.admit(t, asked(d.scope, op, pair[1], operation.Input{}))
			require.Equal(t, want, other.Status, "%s beside %s", op.Type, held.Type)
			if want == run.ScopeBusy {
				require.Equal(t, holder.Run.ID, other.Run.ID)
				require.Equal(t, held.Type, other.Run.Operation, "the holder is named")
			} else {
				d.cancel(t, other.Run)
			}
			free := d.admit(t, asked(d.scope, op, elsewhere[0], operation.Input{}))
			require.Equal(t, run.Accepted, free.Status, "another target is nobody's business")
			d.cancel(t, free.Run)
		}
		d.cancel(t, holder.Run)
	}
}

// What is admitted, joined and refused in any order of starts and ends is what a
// model of the holds says.
func TestHoldsAgreeWithTheModel(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	rapid.Check(t, func(rt *rapid.T) {
		scope := d.newScope(t)
		places := append(d.connectTo(t, scope, 2), d.connectTo(t, scope, 1)...)
		type unfinished struct {
			run.Admission
			run run.Run
		}
		var live []unfinished
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			if len(live) > 0 && rapid.IntRange(0, 3).Draw(rt, "end") == 0 {
				i := rapid.IntRange(0, len(live)-1).Draw(rt, "which")
				d.cancel(t, live[i].run)
				live = append(live[:i], live[i+1:]...)
				continue
			}
			op := rapid.SampledFrom(operation.All()).Draw(rt, "operation")
			var in operation.Input
			if op.Type == operation.GroupsSync {
				in.SelectionKey = rapid.SampledFrom([]string{operation.AllGroups, "some"}).Draw(rt, "selection")
			}
			a := asked(scope, op, rapid.SampledFrom(places).Draw(rt, "place"), in)
			want, others := run.Accepted, map[id.Run]bool{}
			for _, l := range live {
				switch {
				case a.DedupeKey != "" && l.DedupeKey == a.DedupeKey:
					want, others = run.Deduped, map[id.Run]bool{l.run.ID: true}
				case want == run.Deduped:
				case a.ScopeKey != "" && l.ScopeKey == a.ScopeKey,
					a.Holds != nil && l.Holds != nil && a.Target == l.Target && a.Holds.Conflicts(*l.Holds):
					want = run.ScopeBusy
					others[l.run.ID] = true
				}
			}
			got := d.admit(t, a)
			require.Equal(t, want, got.Status, "%s on %+v beside %+v", op.Type, a, live)
			if want == run.Accepted {
				live = append(live, unfinished{a, got.Run})
				continue
			}
			require.True(t, others[got.Run.ID], "%s is none of those in the way", got.Run.ID)
		}
		for _, l := range live {
			d.cancel(t, l.run)
		}
	})
}

// overlapping counts pairs of unfinished runs that must not be there together.
const overlapping = `select count(*) from runs a join runs b on a.workspace_id = b.workspace_id and a.run_id < b.run_id
	where a.status <> 'completed' and b.status <> 'completed' and (a.dedupe_key = b.dedupe_key or a.scope_key = b.scope_key
		or a.target_id = b.target_id and a.held_parts && b.held_parts and not (a.held_shared and b.held_shared))`

// Starts and ends of everything at once, on few targets: at no moment do two runs
// hold what is one's alone, and nobody is refused with an error.
func TestConcurrentStartsNeverHoldTheSame(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	places := append(d.connectTo(t, d.scope, 2), d.connectTo(t, d.scope, 2)...)
	const clients, each = 12, 25
	failures := make(chan error, clients*each*2)
	var begun [clients]int
	var wg sync.WaitGroup
	for i := range clients {
		random := rand.New(rand.NewPCG(1, uint64(i))) //nolint:gosec // a schedule that can be had again
		wg.Go(func() {
			for range each {
				op := operation.All()[random.IntN(len(operation.All()))]
				admitted, err := d.runs.Admit(t.Context(), asked(d.scope, op, places[random.IntN(len(places))], operation.Input{}), accepted())
				// A scope that changes hands at every moment may stay out of reach.
				if err != nil && fault.KindOf(err) != fault.Unavailable {
					failures <- fmt.Errorf("start %s: %w", op.Type, err)
				}
				if err != nil || admitted.Status != run.Accepted {
					continue
				}
				begun[i]++
				if _, err := d.runs.RequestCancel(t.Context(), d.scope, admitted.Run.ID, audit.System("test")); err != nil {
					failures <- fmt.Errorf("end %s: %w", op.Type, err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for looking := true; looking; {
		select {
		case <-done:
			looking = false
		default:
		}
		require.Zero(t, d.number(t, overlapping))
	}
	close(failures)
	for err := range failures {
		require.NoError(t, err)
	}
	total := 0
	for _, n := range begun {
		total += n
	}
	require.Positive(t, total)
	require.Equal(t, total, d.number(t, `select count(*) from runs`))
	require.Equal(t, total, d.number(t, `select count(*) from audit_events where action = $1`, audit.RunAccepted))
	require.Zero(t, d.number(t, `select count(*) from runs where status <> 'completed'`))
}

// The admission answers with the run that it stored, without having read it.
func TestAdmittedRunIsTheOneThatIsStored(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	on := d.connectTo(t, d.scope, 1)[0]
	for _, op := range operation.All() {
		a := asked(d.scope, op, on, operation.Input{})
		a.Context, a.Input = []byte(`{"module": "x"}`), []byte(`{"selection_key": "some"}`)
		require.NoError(t, d.super.QueryRow(t.Context(), `select name from connections where connection_id = $1`, on.connection).Scan(&a.ConnectionName))
		admitted := d.admit(t, a)
		require.Equal(t, run.Accepted, admitted.Status)
		stored := d.get(t, admitted.Run)
		stored.Context, stored.Input = a.Context, a.Input // the same JSON, spaced otherwise
		require.Equal(t, stored, admitted.Run)
		d.cancel(t, admitted.Run)
	}
}

// A commit that fails after the statement has returned its row is no acceptance.
func TestAdmissionWhoseCommitFailsIsAnError(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	d.exec(t, `create function refuse() returns trigger language plpgsql as $$ begin raise 'not now'; end $$;
		create constraint trigger refuse after insert on runs deferrable initially deferred for each row execute function refuse()`)
	_, err := d.runs.Admit(t.Context(), admission(d.scope, c), accepted())
	require.ErrorContains(t, err, "not now")
	require.Zero(t, d.number(t, `select count(*) from runs`))
	require.Zero(t, d.number(t, `select count(*) from audit_events`))
	d.exec(t, `drop trigger refuse on runs`)
	require.Equal(t, run.Accepted, d.admit(t, admission(d.scope, c)).Status)
}

// A start that joins a run which has not begun, or which will be followed already,
// changes nothing.
func TestJoiningWhatNeedsNoMarkWritesNothing(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	first := d.start(t, d.scope, c)
	version := func() (v int) { return d.number(t, `select xmin::text::bigint from runs where run_id = $1`, first.ID) }
	queued := version()
	require.Equal(t, run.Deduped, d.admit(t, admission(d.scope, c)).Status)
	require.Equal(t, queued, version())

	d.claim(t)
	marked := d.admit(t, admission(d.scope, c))
	require.Equal(t, run.Deduped, marked.Status)
	require.Equal(t, 1, d.number(t, `select count(*) from runs where rerun_requested`))
	running := version()
	again := d.admit(t, admission(d.scope, c))
	require.Equal(t, run.Deduped, again.Status)
	require.Equal(t, marked.Run.ID, again.Run.ID)
	require.Equal(t, running, version())

	// A person who asks after a schedule did is the one on whose behalf it follows.
	d.exec(t, `insert into members (workspace_id, kind, name, role) values ($1, 'api_key', 'Ada', 'admin')`, d.scope.Workspace)
	a := admission(d.scope, c)
	a.Initiator = run.ByUser
	require.NoError(t, d.super.QueryRow(t.Context(), `select member_id from members where name = 'Ada'`).Scan(&a.InitiatedBy))
	require.Equal(t, run.Deduped, d.admit(t, a).Status)
	require.Equal(t, int(a.InitiatedBy), d.number(t, `select rerun_requested_by from runs where run_id = $1`, first.ID))
}
