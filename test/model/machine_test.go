package model

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/test/wire"
)

// machine is the model and what it is compared with.
type machine struct {
	*plane
	scope  id.Scope
	ingest *graph.Ingest
	ledger ledger
	// pick draws one of n, and fatal ends the attempt.
	pick  func(n int, what string) int
	fatal func(format string, args ...any)

	conns []*installation
	runs  map[id.Run]*modelled
	holds []*hold
	// joined are requests that were told that the same is under way.
	joined []*request
	// ready is how many wake-ups of workers there have to be.
	ready int
	now   map[id.Run]seen
	heard *pgx.Conn
}

// installation is a connection, and the graph that readers have to see of it.
type installation struct {
	id                id.Connection
	disabled, deleted bool
	graph             map[string]string
}

// modelled is what a run has to be.
type modelled struct {
	conn          *installation
	kind          string
	status, phase string
	epoch         int64
	lease         run.LeaseID
	held          bool
	cancel, rerun bool
	batches       int
	entities      int
	events        []string
	published     int
	// begun says that a worker had it once.
	begun bool
	// follower is the run that was asked for while this one was under way; it
	// stays zero where the connection can no longer be used.
	follower id.Run
}

// hold is what a worker has of a claim, for ever.
type hold struct {
	run   id.Run
	fence run.Fence
}

// request is a start that was told that the same is under way, as a run that had
// begun by then or not.
type request struct {
	run   id.Run
	begun bool
}

// Errorf and FailNow let assertions fail the attempt.
func (m *machine) Errorf(format string, args ...any) { m.fatal(format, args...) }

// FailNow is never reached, because Errorf ends the attempt.
func (m *machine) FailNow() { m.fatal("failed") }

// require notes an occasion to break an invariant, and whether it was broken.
func (m *machine) require(i invariant, ok bool, format string, args ...any) {
	m.ledger[i]++
	if !ok {
		m.fatal("broken: %s: %s", i, fmt.Sprintf(format, args...))
	}
}

func newMachine(p *plane, l ledger, pick func(int, string) int, fatal func(string, ...any)) *machine {
	m := &machine{plane: p, ledger: l, pick: pick, fatal: fatal, runs: map[id.Run]*modelled{}, ingest: &graph.Ingest{Store: p.stores.IngestStore, Catalog: p.catalog}}
	// What an attempt that was given up has left would be claimed here.
	p.exec(m, `update runs set status = 'completed', outcome = 'failed', completed_at = now(), lease_id = null, lease_until = null, token_hash = null where status <> 'completed'`)
	p.exec(m, `delete from river.river_job`)
	m.scope = p.newScope(m)
	for range 2 {
		m.conns = append(m.conns, &installation{id: p.connect(m, m.scope), graph: map[string]string{}})
	}
	heard, err := pgx.Connect(context.Background(), p.super.Config().ConnString())
	require.NoError(m, err)
	_, err = heard.Exec(context.Background(), `listen gatehouse_runs`)
	require.NoError(m, err)
	m.heard = heard
	return m
}

func (m *machine) close() { _ = m.heard.Close(context.Background()) } // the test is over

// Faults that a call may meet.
const (
	noFault = iota
	commitLost
	commitUnanswered
	backendTerminated
)

// drawFault is mostly none.
func (m *machine) drawFault() int {
	return []int{noFault, commitUnanswered, commitLost, backendTerminated, noFault, noFault, noFault, noFault, noFault}[m.pick(9, "fault")]
}

// outcomes of a call, as its caller sees them.
type outcome int

const (
	done outcome = iota
	refused
	unknown
)

// call makes a call that may meet a fault.
func (m *machine) call(fn func(ctx context.Context) error) (outcome, error) {
	var err error
	switch m.drawFault() {
	case commitLost:
		err = m.spoiled(wire.CommitNeverArrives, fn)
	case commitUnanswered:
		err = m.spoiled(wire.CommitUnanswered, fn)
	case backendTerminated:
		err = m.terminated(fn)
	default:
		err = fn(context.Background())
	}
	switch fault.KindOf(err) {
	case fault.Stale, fault.Conflict, fault.Invalid, fault.NotFound:
		return refused, err
	}
	if err != nil {
		return unknown, err
	}
	return done, nil
}

func (m *machine) spoiled(f wire.CommitFault, fn func(context.Context) error) error {
	m.wire.SpoilCommit(f)
	defer m.db.Pool().Reset()
	defer m.wire.SpoilCommit(wire.CommitPasses)
	return fn(context.Background())
}

// terminated ends the call's backend in the midst of its transaction: it waits for
// a table that somebody else has, and is terminated there. A call that has no
// need of the table goes through.
func (m *machine) terminated(fn func(context.Context) error) error {
	ctx := context.Background()
	tx, err := m.super.Begin(ctx)
	require.NoError(m, err)
	defer func() {
		require.NoError(m, tx.Rollback(ctx))
		m.db.Pool().Reset()
	}()
	table := []string{"runs", "audit_events", "run_ingest", "entities", "river.river_job"}[m.pick(5, "table")]
	_, err = tx.Exec(ctx, `lock table `+table+` in share row exclusive mode`)
	require.NoError(m, err)
	ended := make(chan error, 1)
	go func() { ended <- fn(ctx) }()
	for {
		select {
		case err := <-ended:
			return err
		default:
		}
		_, err := tx.Exec(ctx, `select pg_terminate_backend(pid) from pg_locks where not granted
			and database = (select oid from pg_database where datname = current_database())`)
		require.NoError(m, err)
	}
}

// hash is over all that a call could change.
func (m *machine) hash() string { return m.everything(m, m.scope.Workspace) }

// settle compares after a call. For one that failed, took says whether it took
// effect; effect is what it has to have done then.
func (m *machine) settle(o outcome, before string, took func() bool, effect func()) {
	m.now = m.see(m, m.scope.Workspace)
	switch {
	case o == refused:
		m.require(lateNothing, m.hash() == before, "a call that was refused changed something")
	case o == done:
		effect()
	case took():
		effect()
	default:
		m.require(unknownIsOneOf, m.hash() == before, "a call failed and has taken effect in part")
	}
	m.compare()
}

// adopt finds the one run of a connection that the model does not know yet.
func (m *machine) adopt(c *installation, kind, event string) id.Run {
	var found []id.Run
	for r, s := range m.now {
		if m.runs[r] == nil && s.Connection == c.id {
			found = append(found, r)
		}
	}
	m.require(together, len(found) == 1, "%d new runs of %d where one has to be", len(found), c.id)
	status := "queued"
	if event == string(audit.RunBlocked) {
		status = "completed"
	} else {
		m.ready++
	}
	m.runs[found[0]] = &modelled{conn: c, kind: kind, status: status, phase: "executing", events: []string{event}}
	return found[0]
}

// unfinished returns the run that has the connection for itself.
func (m *machine) unfinished(c *installation) (id.Run, *modelled) {
	for r, s := range m.runs {
		if s.conn == c && s.status != "completed" {
			return r, s
		}
	}
	return 0, nil
}

// complete says what the end of a run is: its event, no progress left, and the
// run that was asked to follow.
func (m *machine) complete(r *modelled, event audit.Action) {
	r.status, r.held, r.batches, r.entities = "completed", false, 0, 0
	r.events = append(r.events, string(event))
	again := r.rerun
	r.rerun = false
	switch {
	case !again || r.conn.deleted:
	case r.conn.disabled:
		m.adopt(r.conn, r.kind, string(audit.RunBlocked))
	default:
		r.follower = m.adopt(r.conn, r.kind, string(audit.RunAccepted))
	}
}

// compare holds the database against the model.
func (m *machine) compare() {
	scopes := map[string]int{}
	for r, s := range m.now {
		want := m.runs[r]
		m.require(asTheModelSays, want != nil, "there is a run %s: %+v", r, s)
		got := modelled{
			conn: want.conn, kind: want.kind, status: s.Status, phase: s.Phase, epoch: s.Epoch, held: s.Held, cancel: s.Cancel, rerun: s.Rerun,
			batches: s.Batches, entities: s.Entities, events: s.Events, published: s.Published,
		}
		same := *want
		same.lease, same.begun, same.follower = run.LeaseID{}, false, 0
		m.require(asTheModelSays, fmt.Sprintf("%+v", got) == fmt.Sprintf("%+v", same), "%s is\n%+v and not\n%+v", r, got, same)
		m.compareRun(r, want, s)
		if s.Status != "completed" {
			scopes[s.Scope]++
		}
	}
	m.require(asTheModelSays, len(m.now) == len(m.runs), "%d runs, not %d", len(m.now), len(m.runs))
	for scope, n := range scopes {
		m.require(oneActive, n == 1, "%d unfinished runs of %s", n, scope)
	}
	for _, c := range m.conns {
		m.require(oldOrNew, maps.Equal(c.graph, m.names(m, c.id)), "the graph of %d is\n%v and not\n%v", c.id, m.names(m, c.id), c.graph)
	}
}

// compareRun looks at what else has to be so of a run.
func (m *machine) compareRun(r id.Run, want *modelled, s seen) {
	begun, ended := 0, 0
	for i, e := range s.Events {
		switch audit.Action(e) {
		case audit.RunAccepted:
			begun++
		case audit.RunSucceeded, audit.RunPartiallySucceeded, audit.RunFailed, audit.RunCancelled:
			ended++
		case audit.RunBlocked:
			ended++
			if i == 0 {
				begun++
			}
		}
	}
	m.require(together, begun == 1, "%s has %v", r, s.Events)
	m.require(endsOnce, ended <= 1 && (ended == 1) == (s.Status == "completed"), "%s is %s and has %v", r, s.Status, s.Events)
	m.require(together, (s.Told == 1) == (s.Status == "completed") && s.Told <= 1, "%s is %s and its end was queued %d times", r, s.Status, s.Told)
	m.require(together, s.Phase != "publishing" || s.Jobs > 0, "%s is to be published and nobody was told", r)
	if want.held {
		m.require(oneHolder, want.lease == run.LeaseID(s.Lease), "%s is held by a lease that nobody was given", r)
	}
	if s.Batches > 0 {
		records := 0
		for _, b := range plan(r)[:s.Batches] {
			records += len(b.Page.Entities)
		}
		m.require(batchesInOrder, records == s.Entities, "%s holds %d records in %d batches, not %d", r, s.Entities, s.Batches, records)
	}
}

// chosen draws one of the runs that fit; zero when none does.
func (m *machine) chosen(what string, fits func(id.Run, *modelled) bool) id.Run {
	var all []id.Run
	for r, s := range m.runs {
		if fits(r, s) {
			all = append(all, r)
		}
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[m.pick(len(all), what)]
}
