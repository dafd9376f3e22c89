package run

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
)

// NextSteps returns what to do about how a run ended.
func (r *Run) NextSteps() []operation.NextStep {
	if r.Reason == "" {
		return nil
	}
	return operation.NextSteps(r.Reason, r.Connection.String())
}

// Said is what the run's start said beside its connection.
func (r *Run) Said() (operation.Input, error) {
	var in operation.Input
	if len(r.Input) == 0 {
		return in, nil
	}
	if err := json.Unmarshal(r.Input, &in); err != nil {
		return in, fmt.Errorf("decode the input of %s: %w", r.ID, err)
	}
	return in, nil
}

// ProtectedScope is what a run has to itself, or shares with others of its kind,
// until it ends.
type ProtectedScope struct {
	Protects   operation.Protection
	Connection id.Connection
	// Target is zero for a scope that is the connection.
	Target id.Target
	Shared bool
	// Held says that the run still holds it: it is queued or running.
	Held  bool
	Since time.Time
	// LeaseUntil is when a worker that stopped responding loses the run; nil
	// while no worker has it.
	LeaseUntil *time.Time
}

// Protected returns what the run protects; ok is false when it is nothing, as of
// a run that was blocked.
func (r *Run) Protected() (p ProtectedScope, ok bool) {
	op, err := operation.Get(r.Operation)
	if err != nil || op.Protects == operation.ProtectsNothing || r.Outcome == Blocked {
		return ProtectedScope{}, false
	}
	p = ProtectedScope{
		Protects: op.Protects, Connection: r.Connection, Shared: op.Protects.Shared(),
		Held: r.Status != Completed, Since: r.CreatedAt, LeaseUntil: r.LeaseUntil,
	}
	if _, of := op.Protects.TargetHold(); of {
		p.Target = r.Target
	}
	return p, true
}

// DiagnosticsAvailable reports whether there is more to see of how the run went
// than its reason: findings, or how completely each part was read.
func (r *Run) DiagnosticsAvailable() bool { return r.Failure != nil || len(r.Counts) > 0 }
