package onboarding

import (
	"maps"
	"slices"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// Status is where a session stands as a whole.
type Status string

// The statuses. Completed and Abandoned are final.
const (
	// Open sessions wait for somebody to take their next step.
	Open Status = "open"
	// Bootstrapping sessions start their operations by themselves.
	Bootstrapping Status = "bootstrapping"
	// Stopped sessions had an operation that did not succeed; they can be resumed.
	Stopped   Status = "stopped"
	Completed Status = "completed"
	Abandoned Status = "abandoned"
)

// Statuses lists the statuses. Callers get their own copy.
func Statuses() []Status { return []Status{Open, Bootstrapping, Stopped, Completed, Abandoned} }

// Lifetime is how long a session that waits for somebody is kept before it counts
// as abandoned, from its last change.
const Lifetime = 30 * 24 * time.Hour

// KeptFor is how long a session that was completed or abandoned can still be
// looked at. What it did is in the audit record.
const KeptFor = 90 * 24 * time.Hour

// MaxOperations bounds a bootstrap.
const MaxOperations = 20

// Step is one part of the way.
type Step string

// The steps, in the order in which they are taken.
const (
	IntegrationStep Step = "integration"
	ConnectionStep  Step = "connection"
	VerifyStep      Step = "verify"
	BootstrapStep   Step = "bootstrap"
)

// Steps lists the steps in order. Callers get their own copy.
func Steps() []Step { return []Step{IntegrationStep, ConnectionStep, VerifyStep, BootstrapStep} }

// StepState is how far a step is.
type StepState string

// The states of a step.
const (
	StepPending StepState = "pending"
	StepRunning StepState = "running"
	StepDone    StepState = "done"
	StepFailed  StepState = "failed"
	// StepOutdated is a verification of a configuration that was replaced since.
	StepOutdated StepState = "outdated"
)

// Taken says who took a step last, and when by the database's clock.
type Taken struct {
	By id.Member
	// At is zero until the step is stored.
	At time.Time
}

// Session is somebody's way through connecting a provider.
type Session struct {
	ID          id.Onboarding
	Scope       id.Scope
	Integration integration.ID
	Status      Status
	// Connection is zero until one is picked.
	Connection     id.Connection
	ConnectionName string
	// Scheduled says that the connection starts by itself.
	Scheduled bool
	// Taken are the steps that were taken.
	Taken map[Step]Taken
	// Verification is the last one of the connection; nil before the first.
	Verification *Verification
	// Operations are those of the bootstrap, in the order in which they start.
	Operations []Operation
	// Surface says where the bootstrap was asked for, for its runs' context.
	Surface string
	// Reason is why a stopped session stopped.
	Reason operation.Code
	// Version counts changes.
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Clone returns a copy that can be changed without changing the session.
func (s *Session) Clone() Session {
	c := *s
	c.Taken, c.Operations = maps.Clone(s.Taken), slices.Clone(s.Operations)
	if s.Verification != nil {
		v := *s.Verification
		c.Verification = &v
	}
	return c
}

// Verification is a test of the session's connection.
type Verification struct {
	Run         id.Run
	RunStatus   run.Status
	Reason      operation.Code
	Success     bool
	CompletedAt *time.Time
	Remediation []connector.Remediation
	Outlook     []connector.StreamOutlook
	// Current says that the worker was given the configuration that the connection
	// has now.
	Current bool
}

// OperationState is how far an operation of a bootstrap is.
type OperationState string

// The states of an operation.
const (
	// Pending operations wait for those before them.
	Pending OperationState = "pending"
	// Waiting operations are next, and wait for a run of somebody else's.
	Waiting OperationState = "waiting"
	// Started operations have a run.
	Started OperationState = "started"
	// Ended operations have an outcome.
	Ended OperationState = "ended"
)

// Operation is one operation of a bootstrap.
type Operation struct {
	// Position counts from 1.
	Position int
	Type     operation.Type
	State    OperationState
	// Run is that of a started or ended operation; zero when it never had one, or
	// the run is no longer kept.
	Run id.Run
	// WaitsFor is the run that holds what a waiting operation needs.
	WaitsFor id.Run
	// Outcome and Reason are those of an ended operation.
	Outcome run.Outcome
	Reason  operation.Code
	// Now is what Run, or for a waiting operation WaitsFor, has come to.
	Now RunNow

	StartedAt *time.Time
	EndedAt   *time.Time
}

// RunNow is what a run has come to; the zero value is of one that is not kept.
type RunNow struct {
	Status  run.Status
	Outcome run.Outcome
	Reason  operation.Code
}

// ExpiresAt is when the session counts as abandoned; ok is false for one that
// waits for nobody.
func (s *Session) ExpiresAt() (at time.Time, ok bool) {
	return s.UpdatedAt.Add(Lifetime), s.Status == Open || s.Status == Stopped
}

// StateOf says how far a step is.
func (s *Session) StateOf(step Step) StepState {
	switch step {
	case IntegrationStep:
		return StepDone
	case ConnectionStep:
		if s.Connection != 0 {
			return StepDone
		}
	case VerifyStep:
		return s.verified()
	case BootstrapStep:
		switch s.Status {
		case Bootstrapping:
			return StepRunning
		case Stopped:
			return StepFailed
		case Completed:
			return StepDone
		}
	}
	return StepPending
}

func (s *Session) verified() StepState {
	switch v := s.Verification; {
	case v == nil:
		return StepPending
	case v.RunStatus != run.Completed:
		return StepRunning
	case !v.Success:
		return StepFailed
	case !v.Current:
		return StepOutdated
	}
	return StepDone
}

// Step is the first step that is not done; empty when all are.
func (s *Session) Step() Step {
	for _, step := range Steps() {
		if s.StateOf(step) != StepDone {
			return step
		}
	}
	return ""
}

// AcceptedOperation is the operation whose run is queued or running; empty when
// there is none.
func (s *Session) AcceptedOperation() operation.Type {
	for _, o := range s.Operations {
		if o.State == Started {
			return o.Type
		}
	}
	return ""
}

// PendingOperations are those that have not started, in order.
func (s *Session) PendingOperations() []operation.Type {
	pending := []operation.Type{}
	for _, o := range s.Operations {
		if o.State == Pending || o.State == Waiting {
			pending = append(pending, o.Type)
		}
	}
	return pending
}
