package verify

// Outcome is how a check ended.
type Outcome string

// The outcomes.
const (
	Passed  Outcome = "passed"
	Failed  Outcome = "failed"
	Skipped Outcome = "skipped"
)

// Result is one check.
type Result struct {
	Check   string  `json:"check"`
	Outcome Outcome `json:"outcome"`
	// Detail says what was found: what is wrong, why it was skipped, or in short what
	// passed.
	Detail string `json:"detail"`
}

// Report is what a verification found.
type Report struct {
	Program string `json:"program"`
	SHA256  string `json:"sha256"`
	// IntegrationID and Version are those of the manifest; empty when there is none.
	IntegrationID string `json:"integration_id"`
	Version       string `json:"version"`
	// Isolated says that the program ran without a network but its provider's, and
	// IsolationReason why not.
	Isolated        bool     `json:"isolated"`
	IsolationReason string   `json:"isolation_reason,omitempty"`
	Results         []Result `json:"results"`
}

// Passed reports whether nothing failed.
func (r Report) Passed() bool {
	for _, one := range r.Results {
		if one.Outcome == Failed {
			return false
		}
	}
	return true
}

// Count returns how many checks ended so.
func (r Report) Count(o Outcome) (n int) {
	for _, one := range r.Results {
		if one.Outcome == o {
			n++
		}
	}
	return n
}
