package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Run is the record of one start of an operation.
type Run struct {
	RunID          string `json:"run_id"`
	OperationType  string `json:"operation_type"`
	ConnectionID   string `json:"connection_id"`
	ConnectionName string `json:"connection_name"`
	Status         string `json:"status"`
	Outcome        string `json:"outcome"`
	// Phase of an unfinished run is executing or publishing.
	Phase          string           `json:"phase"`
	ReasonCode     string           `json:"reason_code"`
	ShortReason    string           `json:"short_reason"`
	Explanation    string           `json:"explanation"`
	FailureSummary *Failure         `json:"failure_summary"`
	SummaryCounts  map[string]int64 `json:"summary_counts"`
	Progress       *Progress        `json:"progress"`
	NextSteps      []NextStep       `json:"next_steps"`
	Coverage       []Coverage       `json:"coverage"`
	Initiator      string           `json:"initiator"`
	Attempt        int              `json:"attempt"`
	CreatedAt      time.Time        `json:"created_at"`
	StartedAt      *time.Time       `json:"started_at"`
	CompletedAt    *time.Time       `json:"completed_at"`
	// CancelRequestedAt is when somebody asked the run to end; nil if nobody did.
	CancelRequestedAt *time.Time `json:"cancel_requested_at"`
	// RerunRequested says that another run starts when this one has ended.
	RerunRequested bool `json:"rerun_requested"`
}

// Failure says what went wrong.
type Failure struct {
	Message string   `json:"message"`
	Details []string `json:"details"`
}

// Progress is how far a run has come.
type Progress struct {
	Message        string `json:"message"`
	PartitionsDone int    `json:"partitions_done"`
	PartitionsAll  int    `json:"partitions_all"`
	Entities       int64  `json:"entities"`
	Relationships  int64  `json:"relationships"`
}

// NextStep is something a person can do.
type NextStep struct {
	Label       string `json:"label"`
	Description string `json:"description"`
	Href        string `json:"href"`
	ActionType  string `json:"action_type"`
}

// Coverage is how completely one part of a stream was read.
type Coverage struct {
	Stream    string `json:"stream"`
	Partition string `json:"partition"`
	// Coverage is complete, partial or skipped.
	Coverage   string `json:"coverage"`
	ReasonCode string `json:"reason_code"`
	Message    string `json:"message"`
}

// StartResult is the gate's answer.
type StartResult struct {
	// Status is accepted, deduped, scope_busy or blocked.
	Status          string `json:"status"`
	OperationType   string `json:"operation_type"`
	OperatorMessage string `json:"operator_message"`
	ShortReason     string `json:"short_reason"`
	ReasonCode      string `json:"reason_code"`
	// ProviderConnection is nil when there was none to use.
	ProviderConnection *ConnectionReference `json:"provider_connection"`
	Run                RunReference         `json:"run"`
	NextSteps          []NextStep           `json:"next_steps"`
}

// ConnectionReference names the connection that a start uses.
type ConnectionReference struct {
	ID       string `json:"id"`
	Provider string `json:"provider"`
	Label    string `json:"label"`
}

// RunReference names the run an answer is about.
type RunReference struct {
	ID     string `json:"id"`
	Status string `json:"status"`
}

// RunFilter narrows a list of runs; empty fields do not narrow.
type RunFilter struct {
	Connection, Operation, Status, Outcome string
}

// StartOperation asks the gate to start an operation on a connection.
func (c *Client) StartOperation(ctx context.Context, operation, connection string) (Answer[StartResult], error) {
	return c.Start(ctx, operation, StartRequest{Connection: connection})
}

// Runs lists runs, newest first.
func (c *Client) Runs(ctx context.Context, f RunFilter, pages Pages) (List[Run], error) {
	q := url.Values{}
	for name, value := range map[string]string{"connection_id": f.Connection, "operation_type": f.Operation, "status": f.Status, "outcome": f.Outcome} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return list[Run](ctx, c, "/v1/runs", "runs", q, pages)
}

// Run returns a run, at once or, with a wait, when it has completed or the wait
// is over. The server waits at most 30 seconds.
func (c *Client) Run(ctx context.Context, id string, wait time.Duration) (Answer[Run], error) {
	q := url.Values{}
	if wait > 0 {
		q.Set("wait", wait.String())
	}
	return send[Run](ctx, c, call{method: http.MethodGet, path: runPath(id), query: q, wait: wait})
}

// CancelRun asks a run to end.
func (c *Client) CancelRun(ctx context.Context, id string) (Answer[Run], error) {
	return send[Run](ctx, c, call{method: http.MethodPost, path: runPath(id) + "/cancel"})
}

func runPath(id string) string { return "/v1/runs/" + url.PathEscape(id) }
