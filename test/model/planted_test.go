package model

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// Each of these stands before a store and breaks one thing.

// forgetful takes everybody for the holder of a run.
type forgetful struct {
	run.LeaseStore
	super *pgxpool.Pool
}

func (s forgetful) now(f run.Fence) run.Fence {
	var lease [16]byte
	var hash []byte
	err := s.super.QueryRow(context.Background(), `select epoch, lease_id, token_hash from runs where run_id = $1 and lease_id is not null`, f.Run).Scan(&f.Epoch, &lease, &hash)
	if err == nil {
		f.Lease, f.TokenHash = lease, [sha256.Size]byte(hash)
	}
	return f
}

func (s forgetful) Heartbeat(ctx context.Context, f run.Fence, p run.Progress) (bool, error) {
	return s.LeaseStore.Heartbeat(ctx, s.now(f), p)
}

func (s forgetful) Current(ctx context.Context, f run.Fence) (run.Run, error) {
	return s.LeaseStore.Current(ctx, s.now(f))
}

// generous admits whatever it is asked for.
type generous struct{ run.AdmissionStore }

func (s generous) Admit(ctx context.Context, a run.Admission, e audit.Event) (run.Admitted, error) {
	a.DedupeKey = fmt.Sprint(a.DedupeKey, rand.Int64())
	a.ScopeKey = fmt.Sprint(a.ScopeKey, rand.Int64())
	return s.AdmissionStore.Admit(ctx, a, e)
}

// silent records something else in the place of a run's acceptance.
type silent struct{ run.AdmissionStore }

func (s silent) Admit(ctx context.Context, a run.Admission, e audit.Event) (run.Admitted, error) {
	e.Action = audit.RunCancelRequested
	return s.AdmissionStore.Admit(ctx, a, e)
}

// stubborn takes batches although the run was cancelled.
type stubborn struct {
	graph.IngestStore
	super *pgxpool.Pool
}

func (s stubborn) Stage(ctx context.Context, f run.Fence, b graph.StagedBatch) error {
	_, err := s.super.Exec(ctx, `update runs set cancel_requested_at = null where run_id = $1 and lease_id is not null`, f.Run)
	if err != nil {
		return err
	}
	return s.IngestStore.Stage(ctx, f, b)
}

// doubling stores a batch once more under the next number.
type doubling struct{ graph.IngestStore }

func (s doubling) Stage(ctx context.Context, f run.Fence, b graph.StagedBatch) error {
	err := s.IngestStore.Stage(ctx, f, b)
	if fault.KindOf(err) == fault.Conflict {
		b.Number++
		return s.IngestStore.Stage(ctx, f, b)
	}
	return err
}

// hasty believes that every partition was read completely.
type hasty struct{ graph.IngestStore }

func (s hasty) Stage(ctx context.Context, f run.Fence, b graph.StagedBatch) error {
	if b.End == connector.Partial {
		b.End = connector.Complete
	}
	return s.IngestStore.Stage(ctx, f, b)
}

// partial publishes and then loses a node.
type partial struct {
	graph.PublishStore
	super *pgxpool.Pool
}

func (s partial) Publish(ctx context.Context, scope id.Scope, r id.Run) (bool, error) {
	published, err := s.PublishStore.Publish(ctx, scope, r)
	if err == nil && published {
		_, err = s.super.Exec(ctx, `delete from entities where entity_id = (select min(entity_id::text)::uuid from entities where first_run_id = $1)`, r)
	}
	return published, err
}

// late changes how a run ended that was over.
type late struct {
	run.LeaseStore
	super *pgxpool.Pool
}

func (s late) Fail(ctx context.Context, f run.Fence, end run.Ending) (run.Run, error) {
	r, err := s.LeaseStore.Fail(ctx, f, end)
	return r, s.overwrite(ctx, f, err)
}

func (s late) FinishReading(ctx context.Context, f run.Fence, planComplete bool) (run.Run, error) {
	r, err := s.LeaseStore.FinishReading(ctx, f, planComplete)
	return r, s.overwrite(ctx, f, err)
}

func (s late) overwrite(ctx context.Context, f run.Fence, err error) error {
	if fault.KindOf(err) != fault.Stale {
		return err
	}
	if _, failed := s.super.Exec(ctx, `update runs set outcome = 'failed', reason_code = 'late' where run_id = $1 and status = 'completed'`, f.Run); failed != nil {
		return failed
	}
	return err
}

// indifferent does not follow a run that others have joined.
type indifferent struct {
	run.AdmissionStore
	super *pgxpool.Pool
}

func (s indifferent) Admit(ctx context.Context, a run.Admission, e audit.Event) (run.Admitted, error) {
	admitted, err := s.AdmissionStore.Admit(ctx, a, e)
	if err == nil && admitted.Status == run.Deduped {
		_, err = s.super.Exec(ctx, `update runs set rerun_requested = false where run_id = $1`, admitted.Run.ID)
	}
	return admitted, err
}

// found is how an attempt of the machine ends that has found a breach.
type found struct{ what string }

// attempt walks the machine by chance until it finds something or has had enough.
func attempt(p *plane, seed uint64) (what string) {
	chance := rand.New(rand.NewPCG(seed, 1))
	defer func() {
		switch r := recover().(type) {
		case nil:
		case found:
			what = r.what
		default:
			panic(r)
		}
	}()
	m := newMachine(p, ledger{}, func(n int, _ string) int { return chance.IntN(n) }, func(format string, args ...any) { panic(found{fmt.Sprintf(format, args...)}) })
	defer m.close()
	actions := m.actions()
	names := sortedNames(actions)
	for range 60 {
		actions[names[chance.IntN(len(names))]]()
	}
	m.drain()
	m.covered()
	return ""
}

// A machine that finds nothing in a store that is broken would show nothing by
// finding nothing in one that is not.
func TestMachineFindsPlantedBreaks(t *testing.T) {
	t.Parallel()
	// Where attempts begin for breaks that the first ones do not meet: it saves time
	// and nothing depends on it.
	begin := map[string]uint64{
		"the fence is not checked": 9, "a batch is taken after a cancellation": 9,
		"nothing follows a run that others have joined": 3, "another batch under a number is stored": 2,
	}
	for name, plant := range map[string]func(*plane){
		"the fence is not checked":                      func(p *plane) { p.stores.LeaseStore = forgetful{p.stores.LeaseStore, p.super} },
		"no key is unique":                              func(p *plane) { p.stores.AdmissionStore = generous{p.stores.AdmissionStore} },
		"an accepted run has no event":                  func(p *plane) { p.stores.AdmissionStore = silent{p.stores.AdmissionStore} },
		"a batch is taken after a cancellation":         func(p *plane) { p.stores.IngestStore = stubborn{p.stores.IngestStore, p.super} },
		"another batch under a number is stored":        func(p *plane) { p.stores.IngestStore = doubling{p.stores.IngestStore} },
		"incomplete reading is believed":                func(p *plane) { p.stores.IngestStore = hasty{p.stores.IngestStore} },
		"a publication loses a node":                    func(p *plane) { p.stores.PublishStore = partial{p.stores.PublishStore, p.super} },
		"a late ending overwrites the first":            func(p *plane) { p.stores.LeaseStore = late{p.stores.LeaseStore, p.super} },
		"nothing follows a run that others have joined": func(p *plane) { p.stores.AdmissionStore = indifferent{p.stores.AdmissionStore, p.super} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlane(t)
			plant(p)
			for n := range uint64(40) {
				if what := attempt(p, begin[name]+n); what != "" {
					t.Logf("attempt %d: %.300s", n+1, what)
					return
				}
			}
			require.Fail(t, "the machine found nothing")
		})
	}
}
