package workerapi

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// ClaimPath is where a worker asks for work, by POST of a [ClaimRequest] with the
// fleet's worker token.
const ClaimPath = "/v1/worker/claim"

// AbandonPath is where a worker that stops gives up a claim that it has not seen
// the answer of, by POST of an [Abandon] with the fleet's worker token.
const AbandonPath = "/v1/worker/abandon"

// ConfigurationPath is where a worker fetches a claimed run's configuration, by
// POST of a [Lease]. Like all paths of a run it takes the run-scoped token.
func ConfigurationPath(r id.Run) string { return "/v1/worker/runs/" + r.String() + "/configuration" }

// HeartbeatPath is where a worker keeps its lease, by POST of a [Heartbeat].
func HeartbeatPath(r id.Run) string { return "/v1/worker/runs/" + r.String() + "/heartbeat" }

// BatchPath is where a worker sends its n-th batch, by PUT with [LeaseHeader].
func BatchPath(r id.Run, n int64) string {
	return fmt.Sprintf("/v1/worker/runs/%s/batches/%d", r, n)
}

// ReachPath is where a worker says what a discovery's credentials reach, before it
// reads anything, by POST of a [Reach].
func ReachPath(r id.Run) string { return "/v1/worker/runs/" + r.String() + "/reach" }

// HandBackPath is where a worker gives up a run unfinished, by POST of a [Lease].
func HandBackPath(r id.Run) string { return "/v1/worker/runs/" + r.String() + "/hand-back" }

// FinishPath is where a worker ends its part of a run, by POST of a [Finish].
func FinishPath(r id.Run) string { return "/v1/worker/runs/" + r.String() + "/finish" }

// ClaimRequest asks for a run.
type ClaimRequest struct {
	Worker string   `json:"worker" minLength:"1" maxLength:"200" doc:"Name of the worker process, for logs and audit."`
	Queues []string `json:"queues" minItems:"1" maxItems:"16" doc:"Queues to take runs from."`
	// WaitSeconds is how long to wait for a run, up to 30.
	WaitSeconds int `json:"wait_seconds,omitempty" minimum:"0" maximum:"30" doc:"How long to wait for a run."`
	// LeaseID, 32 random hexadecimal digits of the worker's, is what a claim can be
	// abandoned by; without it the platform makes one.
	LeaseID string `json:"lease_id,omitempty" maxLength:"32" doc:"The id that the lease is to have."`
}

// Abandon gives up a claim. Whoever sends it cannot know whether it was made.
type Abandon struct {
	LeaseID string `json:"lease_id" maxLength:"32" doc:"What the claim was to be known by."`
}

// Assignment is a claimed run. An answer of 204 means that there was none.
type Assignment struct {
	RunID            id.Run        `json:"run_id"`
	Epoch            int64         `json:"epoch"`
	LeaseID          string        `json:"lease_id"`
	Token            string        `json:"token"`
	OperationType    string        `json:"operation_type"`
	IntegrationID    string        `json:"integration_id"`
	ConnectionID     id.Connection `json:"connection_id"`
	Attempt          int           `json:"attempt"`
	LeaseSeconds     int           `json:"lease_seconds"`
	HeartbeatSeconds int           `json:"heartbeat_seconds"`
	// DeadlineSeconds is how long the run may still take.
	DeadlineSeconds int `json:"deadline_seconds"`
	// NextBatch is the number of the first batch that is not yet stored.
	NextBatch  int64       `json:"next_batch"`
	Partitions []Partition `json:"partitions,omitempty"`
	// Selection narrows what a discovery reads.
	Selection Selection `json:"selection,omitzero"`
}

// Selection is what of a connection's scope is read; all of it when empty.
type Selection struct {
	// Streams are read with those that they depend on.
	Streams []string `json:"streams,omitempty"`
	// Partitions are the keys of the partitions that are read of streams that have
	// them.
	Partitions []string `json:"partitions,omitempty"`
}

// Partition says where the reading of a partition stands.
type Partition struct {
	Stream string `json:"stream"`
	Key    string `json:"key,omitempty"`
	Cursor string `json:"cursor,omitempty"`
	// Ended partitions need no further reading in this run.
	Ended bool `json:"ended,omitempty"`
}

// Lease goes with every call after the claim.
type Lease struct {
	Epoch   int64  `json:"epoch" minimum:"1" doc:"Epoch of the claim."`
	LeaseID string `json:"lease_id" minLength:"32" maxLength:"32" doc:"Lease of the claim, 32 hexadecimal digits."`
}

// LeaseHeader carries the lease beside a batch, as "<epoch>.<lease id>".
const LeaseHeader = "Gatehouse-Lease"

// Header returns the lease as LeaseHeader carries it.
func (l Lease) Header() string { return fmt.Sprintf("%d.%s", l.Epoch, l.LeaseID) }

// Configuration is what the connector is opened with. It is handed out at most
// once for each epoch.
type Configuration struct {
	IntegrationID string          `json:"integration_id"`
	Configuration json.RawMessage `json:"configuration"`
	Scope         json.RawMessage `json:"scope"`
}

// Heartbeat keeps the lease.
type Heartbeat struct {
	Lease
	Progress run.Progress `json:"progress"`
}

// HeartbeatAnswer may tell the worker to stop.
type HeartbeatAnswer struct {
	Cancel bool `json:"cancel"`
}

// Reach says which organisation a run's credentials reach. Nothing that was read
// is published unless the holder of the lease has said it.
type Reach struct {
	Lease
	Target connector.Target `json:"target"`
	ActsAs string           `json:"acts_as,omitempty" maxLength:"1024" doc:"The provider's id of whom the credentials act as."`
}

// ReachAnswer may say that the run has ended, because its connection is for
// another organisation.
type ReachAnswer struct {
	Ended bool `json:"ended"`
}

// Finish ends the worker's part of a run.
type Finish struct {
	Lease
	Cancelled bool                   `json:"cancelled,omitempty" doc:"The worker stopped because it was told to."`
	Error     *Failure               `json:"error,omitempty" doc:"What ended the work; absent when it was done."`
	Check     *connector.CheckResult `json:"check,omitempty" doc:"What a connection test found."`
	// NoCredential says that Error is the platform's own: it had no credential that
	// opens to hand out, so no provider was asked.
	NoCredential bool `json:"no_credential,omitempty" doc:"The error is that the platform had no readable credential to hand out."`
	// PlanComplete says that the partitions that ended in this run are all the
	// partitions in scope: what earlier runs read as others is out of scope.
	PlanComplete bool `json:"plan_complete,omitempty" doc:"The partitions that ended are all there are in scope."`
}

// Figures of the protocol.
const (
	// MaxBatchBytes bounds a batch as it is sent, MaxBatchPlainBytes once it is
	// decompressed, and MaxLineBytes each of its lines.
	MaxBatchBytes      = 64 << 20
	MaxBatchPlainBytes = 192 << 20
	MaxLineBytes       = 512 << 10
	// MaxWait bounds a claim's long poll.
	MaxWait = 30 * time.Second
)
