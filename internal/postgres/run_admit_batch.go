package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// mostAdmissions is how many admissions one statement takes.
const mostAdmissions = 64

// admissions brings together what many callers want admitted to one workspace at
// the same time. While a statement is on its way, others gather, and the next one
// takes them all: nobody waits for company, and the more come, the less each one
// costs.
type admissions struct {
	db *DB

	mu sync.Mutex
	// waiting are by workspace. One with an entry has a goroutine that works it
	// off, a statement at a time: two that each insert several runs could wait for
	// each other.
	waiting map[id.Workspace][]*asked
}

// asked is an admission and where its answer goes.
type asked struct {
	ctx       context.Context
	admission run.Admission
	event     audit.Event
	payload   []byte // the event's
	answer    chan answered
}

func ask(ctx context.Context, a run.Admission, e audit.Event) (*asked, error) {
	payload, err := auditPayload(e)
	if err != nil {
		return nil, err
	}
	return &asked{ctx: ctx, admission: a, event: e, payload: payload, answer: make(chan answered, 1)}, nil
}

type answered struct {
	run run.Run
	err error
}

// admit inserts the run and its event in a transaction with others, and returns
// once it is committed; pgx.ErrNoRows when something stands in its way.
func (s *admissions) admit(ctx context.Context, a run.Admission, e audit.Event) (run.Run, error) {
	mine, err := ask(ctx, a, e)
	if err != nil {
		return run.Run{}, err
	}
	s.mu.Lock()
	others, working := s.waiting[a.Scope.Workspace]
	s.waiting[a.Scope.Workspace] = append(others, mine)
	s.mu.Unlock()
	if !working {
		go s.work(context.WithoutCancel(ctx), a.Scope.Workspace)
	}
	select {
	case got := <-mine.answer:
		return got.run, got.err
	case <-ctx.Done():
		return run.Run{}, ctx.Err() // it may be admitted all the same, as when an answer is lost
	}
}

// work ends when nothing waits any more.
func (s *admissions) work(ctx context.Context, w id.Workspace) {
	for batch := s.next(w); batch != nil; batch = s.next(w) {
		s.send(ctx, w, batch)
	}
}

// next takes what one statement can: each dedupe key once, so that its row tells
// whose it is. Whoever has gone by now is left out.
func (s *admissions) next(w id.Workspace) []*asked {
	s.mu.Lock()
	defer s.mu.Unlock()
	var batch, left []*asked
	keys := map[string]bool{}
	for _, a := range s.waiting[w] {
		switch key := a.admission.DedupeKey; {
		case a.ctx.Err() != nil:
		case len(batch) == mostAdmissions || keys[key]:
			left = append(left, a)
		default:
			keys[key] = true
			batch = append(batch, a)
		}
	}
	if batch == nil {
		delete(s.waiting, w)
		return nil
	}
	s.waiting[w] = left
	return batch
}

// send has the database decide and answers everyone.
func (s *admissions) send(ctx context.Context, w id.Workspace, batch []*asked) {
	ctx, cancel := context.WithTimeout(ctx, statementTimeout)
	defer cancel()
	runs, err := insertRuns(ctx, s.db.change(w), batch)
	if saidNo(err) && len(batch) > 1 {
		// One of them cannot be, and the others are no worse for its company.
		for _, a := range batch {
			s.send(ctx, w, []*asked{a})
		}
		return
	}
	for _, a := range batch {
		got := answered{err: err}
		if err == nil {
			var admitted bool
			if got.run, admitted = runs[a.admission.DedupeKey]; !admitted {
				got.err = pgx.ErrNoRows
			}
		}
		a.answer <- got
	}
}

// saidNo reports whether the server said why it did not do what was asked, and
// goes on; of a connection that broke, nobody knows what was committed.
func saidNo(err error) bool {
	var said *pgconn.PgError
	return errors.As(err, &said) && said.Severity != "FATAL" && said.Severity != "PANIC"
}

// insertRun is insertRuns for one; pgx.ErrNoRows when something stands in its way.
func insertRun(ctx context.Context, q *dbsqlc.Queries, a run.Admission, e audit.Event) (run.Run, error) {
	alone, err := ask(ctx, a, e)
	if err != nil {
		return run.Run{}, err
	}
	runs, err := insertRuns(ctx, q, []*asked{alone})
	if err != nil {
		return run.Run{}, err
	}
	r, ok := runs[a.DedupeKey]
	if !ok {
		return run.Run{}, pgx.ErrNoRows
	}
	return r, nil
}

// insertRuns inserts runs of one workspace with their events, and returns those
// that nothing stood in the way of, by dedupe key.
func insertRuns(ctx context.Context, q *dbsqlc.Queries, batch []*asked) (map[string]run.Run, error) {
	scope := batch[0].admission.Scope
	p := dbsqlc.AdmitRunsParams{WorkspaceID: int64(scope.Workspace), TenantID: int64(scope.Tenant)}
	for _, a := range batch {
		addRow(&p, a)
	}
	row, err := q.AdmitRuns(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("insert run: %w", err)
	}
	made := make(map[string]run.Run, len(row.Runs))
	for i, key := range row.DedupeKeys {
		made[key] = run.Run{ID: id.Run(row.Runs[i]), CreatedAt: row.CreatedAt[i], DeadlineAt: &row.DeadlineAt[i]}
	}
	for _, asked := range batch {
		a := asked.admission
		if r, ok := made[a.DedupeKey]; ok {
			made[a.DedupeKey] = queued(a, r.ID, r.CreatedAt, r.DeadlineAt)
		}
	}
	return made, nil
}

// addRow adds an admission to the columns of a statement.
func addRow(p *dbsqlc.AdmitRunsParams, one *asked) {
	a, e := one.admission, one.event
	var held string
	var shared bool
	if a.Holds != nil {
		held, shared = fmt.Sprintf("[%d,%d)", a.Holds.Parts.First, a.Holds.Parts.End), a.Holds.Shared
	}
	p.OperationTypes = append(p.OperationTypes, string(a.Operation.Type))
	p.Integrations = append(p.Integrations, string(a.Integration))
	p.Connections = append(p.Connections, int64(a.Connection))
	p.Targets = append(p.Targets, int64(a.Target))
	p.Queues = append(p.Queues, string(a.Operation.Queue))
	p.Inputs = append(p.Inputs, string(a.Input))
	p.Contexts = append(p.Contexts, string(a.Context))
	p.Initiators = append(p.Initiators, string(a.Initiator))
	p.Members = append(p.Members, int64(a.InitiatedBy))
	p.DedupeKeys = append(p.DedupeKeys, a.DedupeKey)
	p.ScopeKeys = append(p.ScopeKeys, a.ScopeKey)
	p.HeldParts = append(p.HeldParts, held)
	p.HeldShared = append(p.HeldShared, shared)
	p.Deadlines = append(p.Deadlines, a.Operation.Deadline.Microseconds())
	p.ActorKinds = append(p.ActorKinds, string(e.Actor.Kind))
	p.Actors = append(p.Actors, e.Actor.ID)
	p.Actions = append(p.Actions, string(e.Action))
	p.Outcomes = append(p.Outcomes, string(e.Outcome))
	p.Payloads = append(p.Payloads, string(one.payload))
}

// queued is a run as it has just been admitted.
func queued(a run.Admission, r id.Run, created time.Time, deadline *time.Time) run.Run {
	return run.Run{
		ID: r, Scope: a.Scope, Operation: a.Operation.Type, Integration: a.Integration,
		Connection: a.Connection, ConnectionName: a.ConnectionName, Target: a.Target,
		Status: run.Queued, Outcome: run.Pending, Phase: run.Executing, Counts: map[string]int64{}, Context: a.Context, Input: a.Input,
		Initiator: a.Initiator, InitiatedBy: a.InitiatedBy, DeadlineAt: deadline, CreatedAt: created,
	}
}
