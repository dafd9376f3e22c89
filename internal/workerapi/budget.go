package workerapi

import (
	"time"

	"github.com/gatehouse-project/gatehouse/internal/id"
)

// BudgetPath is where a worker asks for leave to call the provider, by POST of a
// [BudgetRequest].
func BudgetPath(r id.Run) string { return "/v1/worker/runs/" + r.String() + "/budget" }

// BudgetRequest asks for tokens of one throttle budget, and tells what became of
// the last ones.
type BudgetRequest struct {
	Lease
	IntegrationID string   `json:"integration_id" minLength:"1" maxLength:"63" doc:"Integration of the run."`
	Scope         string   `json:"scope" minLength:"1" maxLength:"63" doc:"Throttle scope of the integration's manifest."`
	Key           []string `json:"key" minItems:"1" maxItems:"8" nullable:"false" doc:"Value of each part of the scope's key."`
	Want          int      `json:"want" minimum:"0" maximum:"256" doc:"How many tokens are wanted; 0 only tells."`
	Least         int      `json:"least,omitempty" minimum:"0" maximum:"256" doc:"How many are of use at least."`
	// Chunk is the number of the last answer with tokens, and Unused how many of
	// them were not used and never will be.
	Chunk  int64 `json:"chunk,omitempty" minimum:"0"`
	Unused int   `json:"unused,omitempty" minimum:"0" maximum:"256"`
	Leaves bool  `json:"leaves,omitempty" doc:"Nothing more is wanted soon."`
	// Throttled says that the provider refused a call because of its rate.
	Throttled              bool  `json:"throttled,omitempty"`
	RetryAfterMilliseconds int64 `json:"retry_after_ms,omitempty" minimum:"0"`
}

// BudgetAnswer gives tokens, or says when to ask again.
type BudgetAnswer struct {
	Granted int   `json:"granted"`
	Chunk   int64 `json:"chunk"`
	// GoodForMilliseconds is how long the tokens may be used, from when they were
	// asked for.
	GoodForMilliseconds int64 `json:"good_for_ms"`
	WaitMilliseconds    int64 `json:"wait_ms"`
	// Paused says that the wait is the provider's wish.
	Paused bool `json:"paused"`
}

// RetryAfter returns how long the provider asked to wait.
func (r BudgetRequest) RetryAfter() time.Duration {
	return milliseconds(r.RetryAfterMilliseconds)
}

// GoodFor returns how long the tokens may be used.
func (a BudgetAnswer) GoodFor() time.Duration { return milliseconds(a.GoodForMilliseconds) }

// Wait returns when to ask again.
func (a BudgetAnswer) Wait() time.Duration { return milliseconds(a.WaitMilliseconds) }

// mostMilliseconds keeps durations from running over.
const mostMilliseconds = int64(31 * 24 * time.Hour / time.Millisecond)

func milliseconds(n int64) time.Duration {
	return time.Duration(min(max(n, 0), mostMilliseconds)) * time.Millisecond
}
