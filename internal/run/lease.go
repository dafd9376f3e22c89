package run

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// Leases is the use cases of workers: claim a run, keep it, end it.
type Leases struct {
	Store LeaseStore
	// Ready wakes claims that wait; a claim also looks by itself now and then.
	Ready Waker
}

// Waker tells that a run may have become claimable.
type Waker interface {
	// Wait returns when a run may be claimable, after at most the given time,
	// or when the context ends.
	Wait(ctx context.Context, atMost time.Duration)
}

// recheckEvery bounds how long a claim trusts that it would have been woken.
const recheckEvery = 2 * time.Second

// Claim waits up to the given time for a run of these queues. ok is false when
// there was none. A run that was claimed for a caller who has gone meanwhile is
// handed back at once. The lease gets the given id; the zero one has one made.
func (l *Leases) Claim(ctx context.Context, worker string, queues []operation.Queue, lease LeaseID, wait time.Duration) (a Assignment, token secret.Secret, ok bool, err error) {
	caller := ctx
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for {
		random := newTokenSecret()
		req := ClaimRequest{Queues: queues, Worker: worker, Lease: lease, TokenHash: random.hash()}
		if lease == (LeaseID{}) {
			rand.Read(req.Lease[:]) // never fails: crypto/rand ends the process instead
		}
		a, ok, err = l.Store.Claim(context.WithoutCancel(ctx), req)
		if ok && caller.Err() != nil {
			return Assignment{}, secret.Secret{}, false, l.Store.HandBack(context.WithoutCancel(ctx), Fence{
				Workspace: a.Run.Scope.Workspace, Run: a.Run.ID, Epoch: a.Run.Epoch, Lease: req.Lease, TokenHash: req.TokenHash,
			})
		}
		if err != nil || ok {
			return a, random.token(a.Run.Scope.Workspace, a.Run.ID, a.Run.Epoch), ok, err
		}
		if ctx.Err() != nil {
			return Assignment{}, secret.Secret{}, false, nil
		}
		l.Ready.Wait(ctx, recheckEvery)
	}
}

// Heartbeat keeps the lease and stores progress.
func (l *Leases) Heartbeat(ctx context.Context, f Fence, p Progress) (cancel bool, err error) {
	return l.Store.Heartbeat(ctx, f, p)
}

// Abandon gives up the run that was claimed by a lease of this id, if one was. It
// is for a worker that stops before it has seen the answer of its claim; the
// attempt is not counted.
func (l *Leases) Abandon(ctx context.Context, lease LeaseID) error {
	return l.Store.Abandon(ctx, lease)
}

// HandBack gives a run up unfinished, for another worker to continue.
func (l *Leases) HandBack(ctx context.Context, f Fence) error { return l.Store.HandBack(ctx, f) }

// Reach notes what a discovery's credentials reach, before anything is read. ok
// is false when the run has ended for it.
func (l *Leases) Reach(ctx context.Context, f Fence, r Reached) (ok bool, err error) {
	if err := r.validate(); err != nil {
		return false, err
	}
	r.Target.Name, r.Target.Type = Sanitise(r.Target.Name), Sanitise(r.Target.Type)
	return l.Store.Reach(ctx, f, r)
}

// Report is what a worker says at the end of its part of a run.
type Report struct {
	// Cancelled says that the worker stopped because it was told to.
	Cancelled bool
	// Error ended the work; nil when it was done.
	Error *connector.Error
	// Check is the result of a connection test without Error.
	Check *connector.CheckResult
	// NoCredential says that Error came before the provider: the platform had no
	// credential that opens to hand out.
	NoCredential bool
	// PlanComplete says that the partitions of a discovery that ended are all
	// there are in scope.
	PlanComplete bool
}

// Finish ends the worker's part of a run. A discovery that was read goes on to
// be published; everything else is completed.
func (l *Leases) Finish(ctx context.Context, f Fence, r Report) (Run, error) {
	current, err := l.Store.Current(ctx, f)
	if err != nil {
		return Run{}, err
	}
	by := audit.Worker(current.Worker)
	switch {
	case r.Cancelled && current.CancelRequestedAt == nil:
		// Time ran out, or nobody asked; either way the sweeper ends the run.
		return Run{}, fault.New(fault.Conflict, "nobody asked for run %s to be cancelled", current.ID)
	case r.Cancelled:
		return l.Store.Fail(ctx, f, Ending{Outcome: Cancelled, Reason: operation.Cancelled, By: by})
	case current.Operation == operation.ConnectionTest:
		end, report := testEnding(r, by)
		return l.Store.FinishTest(ctx, f, end, report)
	case r.Error != nil:
		return l.Store.Fail(ctx, f, failedEnding(r, by))
	case current.Operation == operation.DiscoveryRun:
		in, err := current.Said()
		if err != nil {
			return Run{}, err
		}
		// What was left out of a selection is not gone, whatever the worker says.
		return l.Store.FinishReading(ctx, f, r.PlanComplete && !in.Narrows())
	}
	return Run{}, fault.New(fault.Invalid, "a worker cannot finish operation %q", current.Operation)
}

func failedEnding(r Report, by audit.Actor) Ending {
	return Ending{Outcome: Failed, Reason: r.reason(), Failure: &Failure{Message: SafeMessage(r.Error)}, By: by}
}

// reason is the one that a report's error stands for.
func (r Report) reason() operation.Code {
	if r.NoCredential {
		return operation.CredentialMissing
	}
	return operation.FromConnector(r.Error.Category)
}

// testEnding translates a check. A test succeeds when every stream that is not
// optional would be complete; a test that found gaps has done its work, so the
// run itself succeeds, and the connection is what is degraded.
func testEnding(r Report, by audit.Actor) (Ending, TestReport) {
	failed := func(r Report) (Ending, TestReport) {
		return failedEnding(r, by), TestReport{Remediation: []connector.Remediation{remedy(r)}}
	}
	if r.Error != nil {
		return failed(r)
	}
	if r.Check == nil {
		return failed(Report{Error: &connector.Error{Category: connector.ContractViolation, Message: "the connector's check returned nothing"}})
	}
	reached := Reached{Target: r.Check.Target, ActsAs: r.Check.ActsAs}
	named := reached.validate() == nil
	// An organisation that may not be looked at has no name, and nothing of it is read.
	denied := slices.ContainsFunc(r.Check.Remediation, func(m connector.Remediation) bool { return m.Category == connector.RemedyPermissions })
	if r.Check.Sufficient && !named && !denied {
		return failed(Report{Error: &connector.Error{
			Category: connector.ContractViolation, Message: "the connector's check found enough and named no organisation that it could be of",
		}})
	}
	t := TestReport{Success: r.Check.Sufficient && named, Granted: r.Check.Granted, Remediation: r.Check.Remediation, Outlook: r.Check.Streams}
	if named {
		t.Reached = &reached
	}
	end := Ending{Outcome: Succeeded, By: by}
	if !t.Success {
		end.Outcome, end.Reason = Failed, operation.PermissionDenied
		end.Failure = &Failure{Message: "some streams could not be read completely"}
		if !named {
			end.Failure.Message = "it cannot be seen which organisation the credentials reach"
		}
		for i, m := range t.Remediation {
			if i == MaxFailureDetails {
				break
			}
			end.Failure.Details = append(end.Failure.Details, Sanitise(m.Message))
		}
	}
	return end, t
}

// remedy is what to do about an error that ended a check.
func remedy(r Report) connector.Remediation {
	code := r.reason()
	m := connector.Remediation{Category: connector.RemedyProvider, Message: SafeMessage(r.Error)}
	switch code {
	case operation.CredentialMissing, operation.CredentialInvalid, operation.CredentialExpired:
		m.Category = connector.RemedyCredentials
	case operation.PermissionDenied, operation.ConsentRequired:
		m.Category = connector.RemedyPermissions
	case operation.NetworkUnreachable:
		m.Category = connector.RemedyNetwork
	case operation.ScopeInvalid, operation.TargetMismatch:
		m.Category = connector.RemedyScope
	}
	if steps := operation.NextSteps(code, ""); len(steps) > 0 {
		m.Action = steps[0].Instruction()
	}
	return m
}

// maxMessageBytes bounds what is kept of a connector's message.
const maxMessageBytes = 1000

// SafeMessage is a connector error in words that may be stored and shown.
func SafeMessage(e *connector.Error) string {
	s := e.Message
	if e.Permission != "" {
		if !strings.Contains(s, e.Permission) {
			s = fmt.Sprintf("%s: missing %s", s, e.Permission)
		}
		if e.On != "" && !strings.Contains(s, e.On) {
			s += " on " + e.On
		}
	}
	return Sanitise(s)
}
