package run

import (
	"encoding/json"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/operation"
)

// Status is how far a run has come.
type Status string

// The statuses.
const (
	Queued    Status = "queued"
	Running   Status = "running"
	Completed Status = "completed"
)

// Outcome is how a run ended; Pending until it has.
type Outcome string

// The outcomes.
const (
	Pending            Outcome = "pending"
	Succeeded          Outcome = "succeeded"
	PartiallySucceeded Outcome = "partially_succeeded"
	Failed             Outcome = "failed"
	Cancelled          Outcome = "cancelled"
	Blocked            Outcome = "blocked"
)

// Phase says who has an unfinished run in hand.
type Phase string

// The phases.
const (
	// Executing is a worker's: reading from the provider.
	Executing Phase = "executing"
	// Publishing is the discovery service's: merging what was read.
	Publishing Phase = "publishing"
)

// Initiator says what started a run.
type Initiator string

// The initiators.
const (
	ByUser     Initiator = "user"
	BySchedule Initiator = "schedule"
	BySystem   Initiator = "system"
)

// Run is the canonical record of one start of an operation.
type Run struct {
	ID             id.Run
	Scope          id.Scope
	Operation      operation.Type
	Integration    integration.ID
	Connection     id.Connection
	ConnectionName string
	Target         id.Target
	Status         Status
	Outcome        Outcome
	Phase          Phase
	Reason         operation.Code
	Failure        *Failure
	// Counts says how much was read and changed, by name.
	Counts   map[string]int64
	Progress Progress
	// Context is safe to show: provider, connection, module; never a secret.
	Context json.RawMessage
	Input   json.RawMessage

	Initiator   Initiator
	InitiatedBy id.Member

	Attempt           int
	Epoch             int64
	Worker            string
	LeaseUntil        *time.Time
	DeadlineAt        *time.Time
	CancelRequestedAt *time.Time
	// Followed says that another run starts when this one, which is under way, has
	// ended, because the same was asked for meanwhile.
	Followed    bool
	CreatedAt   time.Time
	StartedAt   *time.Time
	CompletedAt *time.Time
}

// Failure says what went wrong, in words that are safe to show.
type Failure struct {
	Message string `json:"message"`
	// Details are further findings, at most [MaxFailureDetails]. What was not
	// read completely is not among them: that is the run's coverage.
	Details []string `json:"details,omitempty"`
}

// MaxFailureDetails bounds [Failure.Details].
const MaxFailureDetails = 20

// Progress is how far the worker says it is.
type Progress struct {
	Message        string `json:"message,omitempty"`
	PartitionsDone int    `json:"partitions_done"`
	PartitionsAll  int    `json:"partitions_all"`
	Entities       int64  `json:"entities"`
	Relationships  int64  `json:"relationships"`
}

// CoverageRow is how completely one partition of a run was read.
type CoverageRow struct {
	Stream    string             `json:"stream"`
	Partition string             `json:"partition,omitempty"`
	Coverage  connector.Coverage `json:"coverage"`
	Reason    operation.Code     `json:"reason_code,omitempty"`
	Message   string             `json:"message,omitempty"`
	Records   int64              `json:"records"`
}

// Figures of a lease. All times are the database's.
const (
	LeaseFor       = 45 * time.Second
	HeartbeatEvery = 15 * time.Second
	SweepEvery     = 5 * time.Second
	// MaxAttempts is how often a run is handed to a worker before it fails.
	MaxAttempts = 3
)
