package graph

import (
	"time"

	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
)

// Observation says how much of what an answer rests on was looked at, so that
// "nobody" can be told from "we did not look".
type Observation string

// The observations.
const (
	// Observed means that every stream partition that is in scope was read
	// completely.
	Observed Observation = "complete"
	// PartlyObserved means that something was not read; Gaps says what.
	PartlyObserved Observation = "partial"
	// NotObserved means that no stream partition was ever read completely.
	NotObserved Observation = "not_observed"
)

// Coverage is how completely a connection was read.
type Coverage struct {
	Connection  id.Connection
	Integration integration.ID
	Streams     []StreamCoverage
	// Gaps are stream partitions that were not read completely, at most 20;
	// MoreGaps says that there are more.
	Gaps     []CoverageGap
	MoreGaps bool
	// Narrowed says that no run has planned all that is in scope: only selections of
	// streams or parts have been read. Streams that none of them named are gaps.
	Narrowed bool
}

// MaxCoverages is the most connections whose coverage a list has that is not about
// one.
const MaxCoverages = 100

// MaxGaps is the most gaps that a coverage lists.
const MaxGaps = 20

// StreamCoverage counts the partitions of one stream by how they were read last.
type StreamCoverage struct {
	Stream                     string
	Complete, Partial, Skipped int64
	// OldestComplete is when the partition that was read completely longest ago
	// was; nil when one never was.
	OldestComplete *time.Time
	// LastObserved is when anything of the stream was read last.
	LastObserved *time.Time
}

// CoverageGap is a stream partition that was not read completely.
type CoverageGap struct {
	Stream, Partition string
	// Coverage is partial or skipped.
	Coverage       string
	ReasonCode     string
	Message        string
	LastObserved   *time.Time
	LastCompleteAt *time.Time
}

// Observation sums the coverage up.
func (c Coverage) Observation() Observation {
	complete, gaps := int64(0), int64(0)
	for _, s := range c.Streams {
		complete += s.Complete
		gaps += s.Partial + s.Skipped
	}
	switch {
	case complete == 0:
		return NotObserved
	case gaps > 0 || c.Narrowed:
		return PartlyObserved
	}
	return Observed
}
