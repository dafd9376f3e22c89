package run

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/idempotency"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/operation"
)

// LeaseID is the random name of one lease.
type LeaseID [16]byte

// Fence proves that a call comes from whoever holds the run now.
type Fence struct {
	Workspace id.Workspace
	Run       id.Run
	Epoch     int64
	Lease     LeaseID
	TokenHash [sha256.Size]byte
}

// Admission is a start that passed every check that needs no database.
type Admission struct {
	Scope       id.Scope
	Operation   operation.Operation
	Integration integration.ID
	Connection  id.Connection
	Target      id.Target
	Input       json.RawMessage
	Context     json.RawMessage
	Initiator   Initiator
	InitiatedBy id.Member
	// ConnectionName is for the answer; it is not stored.
	ConnectionName string
	// DedupeKey and ScopeKey are held by at most one unfinished run each; empty
	// means none.
	DedupeKey string
	ScopeKey  string
	// Holds is what the run holds of its target; nil for nothing.
	Holds *operation.TargetHold
	// Moves is the due time that a scheduled start uses up; nil for others.
	Moves *DueMove
	// Onboarding is the place of the start in an onboarding session; nil for others.
	Onboarding *OnboardingEntry
	// Once is set when the caller may send the same request again.
	Once *idempotency.Request
}

// DueMove moves a connection's due time on. It commits with the start that it
// belongs to, so that no start is lost and none comes twice.
type DueMove struct {
	Due time.Time
	// Next is nil when the schedule has no further due time.
	Next *time.Time
}

// ErrNotDue is the error of a scheduled start whose due time has been moved by
// someone else.
var ErrNotDue = errors.New("the connection is not due any more")

// Admitted is what the database decided.
type Admitted struct {
	// Status is Accepted, Deduped or ScopeBusy.
	Status StartStatus
	// Run is the new run, or the one that stands in the way.
	Run Run
}

// Filter narrows a listing; zero fields do not narrow.
type Filter struct {
	Connection id.Connection
	Operation  operation.Type
	Status     Status
	Outcome    Outcome
	// Before continues a listing: only runs older than this id.
	Before id.Run
	// Limit is the most runs to return, 1 to 200.
	Limit int
}

// Reader finds runs.
type Reader interface {
	// Get returns a run of the workspace, or NotFound.
	Get(ctx context.Context, scope id.Scope, r id.Run) (Run, error)
	// List returns the newest runs first.
	List(ctx context.Context, scope id.Scope, f Filter) ([]Run, error)
	// Coverage returns how completely each partition of a run was read, in
	// order of stream and partition; empty until the run has been published.
	Coverage(ctx context.Context, scope id.Scope, r id.Run) ([]CoverageRow, error)
}

// AdmissionStore decides starts. Each method is one transaction and writes run and
// audit event together, and moves the due time of a scheduled start; [ErrNotDue]
// when that has been moved already. The onboarding session of a start notes it;
// [ErrNotNext] when it does not want it. Workers are woken once it has committed.
type AdmissionStore interface {
	// Admit makes a queued run unless an unfinished one holds its dedupe or
	// scope key, or of its target what it would hold. A deduped start asks a run
	// that is already under way to be followed by another, unless it is of an
	// onboarding session.
	// [ErrAnswered] means that the same request was answered before, and that
	// nothing was done.
	Admit(ctx context.Context, a Admission, e audit.Event) (Admitted, error)
	// Block records a start that cannot be: a completed run with that reason.
	// [ErrAnswered] is as of Admit.
	Block(ctx context.Context, a Admission, why operation.Code, e audit.Event) (Run, error)
	// Answered returns how the same request was answered before, with the run as it
	// is now; ok is false when it was not. If it was another request, the error is
	// Invalid; a Conflict when the run is no longer kept.
	Answered(ctx context.Context, scope id.Scope, once idempotency.Request) (was Admitted, ok bool, err error)
	// RequestCancel asks for a run to end; a queued one ends at once. A run
	// that has ended gives a Conflict.
	RequestCancel(ctx context.Context, scope id.Scope, r id.Run, by audit.Actor) (Run, error)
}

// ClaimRequest asks for a run to execute.
type ClaimRequest struct {
	Queues    []operation.Queue
	Worker    string
	Lease     LeaseID
	TokenHash [sha256.Size]byte
}

// PartitionState is where the reading of one partition stands.
type PartitionState struct {
	connector.Partition
	Cursor connector.Cursor
	// Ended says that the partition needs no further reading in this run.
	Ended bool
}

// Assignment is a claimed run and where its reading stands.
type Assignment struct {
	Run        Run
	Lease      LeaseID
	NextBatch  int64
	Partitions []PartitionState
}

// LeaseStore hands out and guards leases. Every method but Claim checks the
// fence in the transaction that makes its change and returns Stale when the
// caller no longer holds the run.
type LeaseStore interface {
	// Claim takes the oldest claimable run; ok is false when there is none.
	Claim(ctx context.Context, c ClaimRequest) (a Assignment, ok bool, err error)
	// Current returns the run that the fence's holder holds.
	Current(ctx context.Context, f Fence) (Run, error)
	// Heartbeat extends the lease and stores progress. cancel says that the
	// run should stop; the worker then reports it cancelled.
	Heartbeat(ctx context.Context, f Fence, p Progress) (cancel bool, err error)
	// Abandon is HandBack by the id of a lease alone; of one that nobody has it
	// does nothing.
	Abandon(ctx context.Context, lease LeaseID) error
	// HandBack ends the lease so that another worker may claim the run at once.
	// The attempt is not counted.
	HandBack(ctx context.Context, f Fence) error
	// Reach notes which organisation the holder's credentials reach, and that
	// what it reads may be published. If the connection is for another one, or
	// another connection acts as the same identity there, the run ends at once,
	// failed, and ok is false. A configuration that has been replaced since the
	// holder was given it says nothing of the connection: unless that has this
	// target already, the run ends cancelled, and ok is false.
	Reach(ctx context.Context, f Fence, r Reached) (ok bool, err error)
	// FinishTest ends a connection test and stores its result and, unless the
	// configuration has been replaced since the holder was given it, the
	// connection's health and, on success, its target.
	FinishTest(ctx context.Context, f Fence, end Ending, r TestReport) (Run, error)
	// FinishReading ends the worker's part of a discovery; the run goes on to be
	// published. A Conflict unless the holder has said with Reach what it reads.
	// planComplete says that its partitions are all there are in
	// scope, so that the connection's others are retired.
	FinishReading(ctx context.Context, f Fence, planComplete bool) (Run, error)
	// Fail ends a run that cannot go on.
	Fail(ctx context.Context, f Fence, end Ending) (Run, error)
}

// Ending is how a run ends.
type Ending struct {
	Outcome Outcome
	Reason  operation.Code
	Failure *Failure
	Counts  map[string]int64
	By      audit.Actor
}

// TestReport is what a connection test found.
type TestReport struct {
	Success bool
	// Reached is what the check named; nil when it did not get that far.
	Reached *Reached
	// Granted lists the permissions that the credentials were found to have.
	Granted     []string
	Remediation []connector.Remediation
	Outlook     []connector.StreamOutlook
}

// Reached is what a run's credentials are at the provider.
type Reached struct {
	Target connector.Target
	// ActsAs is the provider's immutable id of whom the credentials act as;
	// empty when the provider does not tell.
	ActsAs string
}

// maxReachedBytes bounds each id of what was reached.
const maxReachedBytes = 1024

// validate returns an Invalid error when the ids cannot be any.
func (r Reached) validate() error {
	if r.Target.ID == "" || len(r.Target.ID) > maxReachedBytes || len(r.ActsAs) > maxReachedBytes {
		return fault.InvalidField("target.id", "must be 1 to %d bytes, as must acts_as if it is given", maxReachedBytes)
	}
	return nil
}

// SweepStore ends what nobody else will end.
type SweepStore interface {
	// Sweep looks at runs that are overdue, at most that many for each reason: it
	// fails those past their deadline or out of attempts, cancels those whose
	// worker is gone, and returns those waiting to be published.
	Sweep(ctx context.Context, most int) (swept int, publishable []Ref, err error)
	// DueConnections returns connections whose schedule is due, the longest due
	// first, and continues after the given one.
	DueConnections(ctx context.Context, after DueConnection, most int) ([]DueConnection, error)
}

// Ref names a run and its workspace.
type Ref struct {
	Scope id.Scope
	Run   id.Run
}

// DueConnection is a connection whose schedule is due.
type DueConnection struct {
	Scope      id.Scope
	Connection id.Connection
	Due        time.Time
	// Seen is what the database's clock said when it found the connection due.
	Seen time.Time
}
