package model

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// gateCall is a call about one connection: the start of an operation of a kind, or
// the cancellation of a run that nobody has begun.
type gateCall struct {
	connection id.Connection
	what       string // start, cancel
	kind       string
	run        id.Run
}

// gateAnswer is how it came out; run is the one that it names.
type gateAnswer struct {
	status  run.StartStatus
	ok      bool
	run     id.Run
	unknown bool
}

// anyRun stands for a run whose number nobody has been told yet.
const anyRun id.Run = -1

// gateState is the run that has a connection for itself; zero for none.
type gateState struct {
	run  id.Run
	kind string
	// newest is the highest number there was: a later run has a higher one.
	newest id.Run
}

// gateModel is what the gate is when one call comes after the other: a start is
// accepted where no run is unfinished, joins one of its own kind, and is turned
// away by one of another.
func gateModel() porcupine.Model {
	m := porcupine.NondeterministicModel{
		Partition: func(all []porcupine.Operation) [][]porcupine.Operation {
			by := map[id.Connection][]porcupine.Operation{}
			for _, o := range all {
				c := o.Input.(gateCall).connection
				by[c] = append(by[c], o)
			}
			var parts [][]porcupine.Operation
			for _, part := range by {
				parts = append(parts, part)
			}
			return parts
		},
		Init: func() []any { return []any{gateState{}} },
		Step: func(state, input, output any) []any {
			return stepGate(state.(gateState), input.(gateCall), output.(gateAnswer))
		},
		DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v: %+v", input, output) },
	}
	return m.ToModel()
}

func stepGate(s gateState, c gateCall, a gateAnswer) []any {
	if c.what == "cancel" {
		return stepCancel(s, c, a)
	}
	if a.unknown {
		if s.run == 0 {
			return []any{s, gateState{anyRun, c.kind, s.newest}}
		}
		return []any{s} // it joined, or was turned away
	}
	switch {
	case a.status == run.Accepted && s.run == 0 && a.run > s.newest:
		return []any{gateState{a.run, c.kind, a.run}}
	case a.status == run.Deduped && s.run != 0 && s.kind == c.kind, a.status == run.ScopeBusy && s.run != 0 && s.kind != c.kind:
		return s.named(a.run)
	}
	return nil
}

// named is the state once an answer has named the run that is unfinished.
func (s gateState) named(r id.Run) []any {
	switch {
	case s.run == r:
		return []any{s}
	case s.run == anyRun && r > s.newest:
		return []any{gateState{r, s.kind, r}}
	}
	return nil
}

func stepCancel(s gateState, c gateCall, a gateAnswer) []any {
	over := gateState{newest: max(s.newest, c.run)}
	mine := s.run == c.run || s.run == anyRun && c.run > s.newest
	switch {
	case a.unknown && mine:
		return []any{s, over}
	case a.unknown:
		return []any{s}
	case a.ok && mine:
		return []any{over}
	case !a.ok && s.run != c.run:
		return []any{s}
	}
	return nil
}

// gateHistory lets clients start and cancel on the same connections while commits
// are lost.
func gateHistory(t *testing.T, p *plane) *history {
	t.Helper()
	scope, h := p.newScope(t), &history{began: time.Now()}
	conns := []id.Connection{p.connect(t, scope), p.connect(t, scope), p.connect(t, scope)}
	const clients, calls = 8, 40
	ctx, stop := context.WithCancel(t.Context())
	var disturbing, asking sync.WaitGroup
	disturbing.Go(func() { p.disturb(ctx) })
	for client := range clients {
		asking.Go(func() {
			chance := rand.New(rand.NewPCG(uint64(client), 1))
			last := map[id.Connection]id.Run{}
			for range calls {
				c := conns[chance.IntN(len(conns))]
				from := time.Now()
				if r := last[c]; r != 0 && chance.IntN(2) == 0 {
					_, err := p.stores.RequestCancel(t.Context(), scope, r, audit.System("linear"))
					h.note(client, gateCall{connection: c, what: "cancel", run: r}, from, gateAnswer{ok: err == nil, unknown: unanswered(err)}, unanswered(err))
					continue
				}
				kind := []string{discovering, other}[chance.IntN(2)]
				admitted, err := p.stores.Admit(t.Context(), admission(scope, c, kind), started(audit.RunAccepted, audit.Succeeded))
				h.note(client, gateCall{connection: c, what: "start", kind: kind}, from, gateAnswer{status: admitted.Status, run: admitted.Run.ID, unknown: err != nil}, err != nil)
				if err == nil {
					last[c] = admitted.Run.ID
				}
			}
		})
	}
	asking.Wait()
	stop()
	disturbing.Wait()
	return h
}

// Some order of the calls explains what many clients at once were told by the
// gate, although answers get lost.
func TestAdmissionsAreLinearizable(t *testing.T) {
	t.Parallel()
	h := gateHistory(t, newPlane(t))
	require.Greater(t, len(h.operations), 200)
	require.Positive(t, h.lost, "no answer was lost")
	require.Equal(t, porcupine.Ok, porcupine.CheckOperationsTimeout(gateModel(), h.operations, checkTime))

	// The checker can say no: a start is accepted beside a run that has the
	// connection for itself.
	broken := slices.Clone(h.operations)
	i := slices.IndexFunc(broken, func(o porcupine.Operation) bool { return o.Output.(gateAnswer).status == run.Deduped })
	a := broken[i].Output.(gateAnswer)
	a.status = run.Accepted
	broken[i].Output = a
	require.Equal(t, porcupine.Illegal, porcupine.CheckOperationsTimeout(gateModel(), broken, checkTime))
}

// A gate that takes no key for unique has histories that no order explains.
func TestAdmissionsOfAGateWithoutKeysAreNotLinearizable(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	p.stores.AdmissionStore = generous{p.stores.AdmissionStore}
	require.Equal(t, porcupine.Illegal, porcupine.CheckOperationsTimeout(gateModel(), gateHistory(t, p).operations, checkTime))
}
