package model

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/test/wire"
)

// history collects what clients asked for and were told, and when.
type history struct {
	mu         sync.Mutex
	began      time.Time
	operations []porcupine.Operation
	lost       int
}

// note records a call. One whose answer was lost may take effect at any time from
// its beginning on, or never.
func (h *history) note(client int, input any, from time.Time, output any, unanswered bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	until := time.Since(h.began).Nanoseconds()
	if unanswered {
		until = int64(time.Hour)
		h.lost++
	}
	h.operations = append(h.operations, porcupine.Operation{ClientId: client, Input: input, Call: from.Sub(h.began).Nanoseconds(), Output: output, Return: until})
}

// unanswered reports whether an error leaves open what came of a call.
func unanswered(err error) bool {
	switch fault.KindOf(err) {
	case fault.Stale, fault.Conflict, fault.Invalid, fault.NotFound:
		return false
	}
	return err != nil
}

// disturb spoils commits in both ways until the context ends.
func (p *plane) disturb(ctx context.Context) {
	for i := 0; ctx.Err() == nil; i++ {
		p.wire.SpoilCommit([]wire.CommitFault{wire.CommitUnanswered, wire.CommitNeverArrives, wire.CommitPasses}[i%3])
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
	p.wire.SpoilCommit(wire.CommitPasses)
}

// leaseCall is a call on the lease of one run.
type leaseCall struct {
	run  id.Run
	what string // claim, keep, end lease, finish
	id   run.LeaseID
}

// leaseState is a lease register: whose lease it is, whether that has ended, how
// often it was given, and whether the run has.
type leaseState struct {
	holder          run.LeaseID
	expired, closed bool
	epoch           int64
}

// leaseRegister is what leases are when one call comes after the other: a claim
// takes a run that nobody holds, only the holder keeps or finishes it, and it is
// finished once.
func leaseRegister() porcupine.Model {
	m := porcupine.NondeterministicModel{
		Partition: func(all []porcupine.Operation) [][]porcupine.Operation {
			byRun := map[id.Run][]porcupine.Operation{}
			for _, o := range all {
				r := o.Input.(leaseCall).run
				byRun[r] = append(byRun[r], o)
			}
			var parts [][]porcupine.Operation
			for _, part := range byRun {
				parts = append(parts, part)
			}
			return parts
		},
		Init: func() []any { return []any{leaseState{}} },
		Step: func(state, input, output any) []any {
			return stepLease(state.(leaseState), input.(leaseCall), output.(leaseAnswer))
		},
		DescribeOperation: func(input, output any) string {
			c := input.(leaseCall)
			return fmt.Sprintf("%s %x: %+v", c.what, c.id[:2], output)
		},
	}
	return m.ToModel()
}

// leaseAnswer is how a call came out; epoch is that of a claim.
type leaseAnswer struct {
	ok, unknown bool
	epoch       int64
}

func stepLease(s leaseState, c leaseCall, a leaseAnswer) []any {
	may, next := false, s
	switch c.what {
	case "claim":
		may = !s.closed && (s.holder == run.LeaseID{} || s.expired) && (a.unknown || a.epoch == s.epoch+1)
		next.holder, next.expired, next.epoch = c.id, false, s.epoch+1
	case "keep":
		may = s.holder == c.id && !s.closed
		next.expired = false
	case "end lease":
		may = s.holder == c.id && !s.closed
		next.expired = true
	case "finish":
		may = s.holder == c.id && !s.closed
		next.closed, next.holder = true, run.LeaseID{}
	}
	switch {
	case a.unknown && may:
		return []any{s, next}
	case a.unknown:
		return []any{s}
	case a.ok != may:
		return nil
	case !a.ok:
		return []any{s}
	}
	return []any{next}
}

// leaseHistory lets workers compete for runs while commits are lost.
func leaseHistory(t *testing.T, p *plane) *history {
	t.Helper()
	scope, h := p.newScope(t), &history{began: time.Now()}
	const runs, workers, calls = 4, 6, 25
	for range runs {
		_, err := p.stores.Admit(t.Context(), admission(scope, p.connect(t, scope), discovering), started(audit.RunAccepted, audit.Succeeded))
		require.NoError(t, err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var disturbing, working sync.WaitGroup
	disturbing.Go(func() { p.disturb(ctx) })
	for worker := range workers {
		working.Go(func() {
			c := &competitor{plane: p, h: h, number: worker}
			for i := range calls {
				c.compete(t.Context(), i == calls-1 && worker < runs)
			}
		})
	}
	working.Wait()
	stop()
	disturbing.Wait()
	return h
}

// competitor is a worker and the fence of what it held last.
type competitor struct {
	*plane
	h      *history
	number int
	last   *run.Fence
}

// compete claims a run, keeps it, lets its lease end as time would, and then tries
// to keep what it held before that. Now and then it finishes one. A claim that
// found nothing says nothing of any run, since it passes over those that somebody
// has locked; one whose answer was lost is noted of the run that it has taken, if
// it did.
func (c *competitor) compete(ctx context.Context, finishes bool) {
	req := run.ClaimRequest{Queues: operation.Queues(), Worker: "linear"}
	rand.Read(req.Lease[:])
	rand.Read(req.TokenHash[:])
	from := time.Now()
	a, ok, err := c.stores.Claim(ctx, req)
	switch {
	case err != nil:
		var r id.Run
		if c.super.QueryRow(ctx, `select run_id from runs where lease_id = $1`, req.Lease).Scan(&r) == nil {
			c.h.note(c.number, leaseCall{r, "claim", req.Lease}, from, leaseAnswer{unknown: true}, true)
			c.endLease(ctx, r, req.Lease)
		}
	case ok:
		r := a.Run.ID
		c.h.note(c.number, leaseCall{r, "claim", req.Lease}, from, leaseAnswer{ok: true, epoch: a.Run.Epoch}, false)
		f := &run.Fence{Workspace: a.Run.Scope.Workspace, Run: r, Epoch: a.Run.Epoch, Lease: req.Lease, TokenHash: req.TokenHash}
		c.keep(ctx, f)
		if finishes {
			from := time.Now()
			_, err := c.stores.Fail(ctx, *f, failing())
			c.h.note(c.number, leaseCall{r, "finish", f.Lease}, from, leaseAnswer{ok: err == nil, unknown: unanswered(err)}, unanswered(err))
		}
		c.endLease(ctx, r, f.Lease)
		c.last, f = f, c.last
		if f != nil {
			c.keep(ctx, f)
			c.endLease(ctx, f.Run, f.Lease)
		}
	}
}

func (c *competitor) keep(ctx context.Context, f *run.Fence) {
	from := time.Now()
	_, err := c.stores.Heartbeat(ctx, *f, run.Progress{})
	c.h.note(c.number, leaseCall{f.Run, "keep", f.Lease}, from, leaseAnswer{ok: err == nil, unknown: unanswered(err)}, unanswered(err))
}

// endLease is what time does. The number of attempts is set back, so that runs go
// round for longer than they would.
func (c *competitor) endLease(ctx context.Context, r id.Run, l run.LeaseID) {
	from := time.Now()
	tag, err := c.super.Exec(ctx, `update runs set lease_until = clock_timestamp() - interval '1 second', attempt = attempt % 3 where run_id = $1 and lease_id = $2`, r, l)
	c.h.note(c.number, leaseCall{r, "end lease", l}, from, leaseAnswer{ok: err == nil && tag.RowsAffected() == 1, unknown: err != nil}, err != nil)
}

// checkTime bounds the search for an order; it takes a fraction of it.
const checkTime = time.Minute

// Some order of the calls explains what workers who compete for runs were told,
// although answers get lost.
func TestClaimsAreLinearizable(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	h := leaseHistory(t, p)
	require.Greater(t, len(h.operations), 100)
	require.Positive(t, h.lost, "no answer was lost")
	require.Equal(t, porcupine.Ok, porcupine.CheckOperationsTimeout(leaseRegister(), h.operations, checkTime))

	// The checker can say no: two workers hold a run at the same time.
	broken := slices.Clone(h.operations)
	i := slices.IndexFunc(broken, func(o porcupine.Operation) bool {
		return o.Input.(leaseCall).what == "claim" && o.Output.(leaseAnswer).ok
	})
	second := broken[i]
	second.ClientId = 99
	second.Input = leaseCall{second.Input.(leaseCall).run, "claim", run.LeaseID{1, 2, 3}}
	require.Equal(t, porcupine.Illegal, porcupine.CheckOperationsTimeout(leaseRegister(), append(broken, second), checkTime))
}

// A store that does not check the fence has histories that no order explains.
func TestClaimsOfAStoreWithoutFenceAreNotLinearizable(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	p.stores.LeaseStore = forgetful{p.stores.LeaseStore, p.super}
	require.Equal(t, porcupine.Illegal, porcupine.CheckOperationsTimeout(leaseRegister(), leaseHistory(t, p).operations, checkTime))
}
