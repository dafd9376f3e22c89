package coverage

import (
	"time"

	"github.com/gatehouse-project/gatehouse/internal/api"

	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Basis is what every answer says about itself.
type Basis struct {
	AsOf         time.Time  `json:"as_of" doc:"The moment that the answer shows."`
	Observed     bool       `json:"observed" doc:"False when nothing behind the answer was ever read completely: then no row means nothing."`
	Truncated    bool       `json:"truncated" doc:"The graph around the question exceeds what one answer looks at; rows or reasons may be missing."`
	Coverage     []Coverage `json:"coverage" nullable:"false" doc:"How completely each connection behind the answer was read."`
	MoreCoverage bool       `json:"more_coverage,omitempty" doc:"There are more connections than the 100 whose coverage is listed; ask about one. Observed is said of those that are listed."`
	// Of the present nothing is missing, so that nothing is said.
	HistoryBegins *time.Time `json:"history_begins_at,omitempty" doc:"Of an earlier moment: from when on history is kept. Moments before are refused. Left out where all of it is kept."`
}

// Coverage is how completely a connection was read.
type Coverage struct {
	ConnectionID  id.Connection `json:"connection_id" example:"conn_12"`
	IntegrationID string        `json:"integration_id" example:"aws"`
	Observation   string        `json:"observation" enum:"complete,partial,not_observed"`
	Streams       []Stream      `json:"streams" nullable:"false"`
	Gaps          []Gap         `json:"gaps" nullable:"false" doc:"Parts that were not read completely, at most 20."`
	MoreGaps      bool          `json:"more_gaps,omitempty"`
	Narrowed      bool          `json:"narrowed,omitempty" doc:"Only selections of streams or parts have ever been read: what else is in scope was not observed."`
	AgeSeconds    *int64        `json:"age_seconds" doc:"How old the oldest complete reading of any part is, at the moment that the answer shows; null when none was ever read completely."`
}

// Stream counts the partitions of one stream by how they were read last.
type Stream struct {
	Stream         string     `json:"stream"`
	Complete       int64      `json:"complete"`
	Partial        int64      `json:"partial"`
	Skipped        int64      `json:"skipped"`
	OldestComplete *time.Time `json:"oldest_complete_at" doc:"When the part that was read completely longest ago was."`
	LastObserved   *time.Time `json:"last_observed_at"`
	AgeSeconds     *int64     `json:"age_seconds" doc:"How old the oldest complete reading is, at the moment that the answer shows; null when no part was ever read completely."`
}

// Gap is a part of a stream that was not read completely.
type Gap struct {
	Stream         string     `json:"stream"`
	Partition      string     `json:"partition"`
	Coverage       string     `json:"coverage" enum:"partial,skipped"`
	ReasonCode     string     `json:"reason_code,omitempty"`
	Message        string     `json:"message,omitempty"`
	LastObserved   *time.Time `json:"last_observed_at"`
	LastCompleteAt *time.Time `json:"last_complete_at"`
}

// BasisOf says what an answer rests on.
func BasisOf(asOf time.Time, historyBegins *time.Time, truncated bool, of []graph.Coverage) Basis {
	b := Basis{AsOf: asOf.UTC(), Observed: true, Truncated: truncated, Coverage: []Coverage{}, HistoryBegins: api.UTC(historyBegins)}
	for _, c := range of {
		b.Observed = b.Observed && c.Observation() != graph.NotObserved
		shown := Coverage{
			ConnectionID: c.Connection, IntegrationID: string(c.Integration), Observation: string(c.Observation()),
			Streams: make([]Stream, len(c.Streams)), Gaps: make([]Gap, len(c.Gaps)), MoreGaps: c.MoreGaps, Narrowed: c.Narrowed,
		}
		for i, s := range c.Streams {
			shown.Streams[i] = Stream{
				Stream: s.Stream, Complete: s.Complete, Partial: s.Partial, Skipped: s.Skipped,
				OldestComplete: api.UTC(s.OldestComplete), LastObserved: api.UTC(s.LastObserved),
				AgeSeconds: age(asOf, s.OldestComplete),
			}
			if a := shown.Streams[i].AgeSeconds; a != nil && (shown.AgeSeconds == nil || *a > *shown.AgeSeconds) {
				shown.AgeSeconds = a
			}
		}
		for i, g := range c.Gaps {
			shown.Gaps[i] = Gap{
				Stream: g.Stream, Partition: g.Partition, Coverage: g.Coverage, ReasonCode: g.ReasonCode, Message: g.Message,
				LastObserved: api.UTC(g.LastObserved), LastCompleteAt: api.UTC(g.LastCompleteAt),
			}
		}
		b.Coverage = append(b.Coverage, shown)
	}
	return b
}

// Bounded says that there may be more connections than are listed.
func (b Basis) Bounded(more bool) Basis {
	b.MoreCoverage = more
	return b
}

// age is how long before a moment something was, in whole seconds. A reading may
// have been published while the question was asked.
func age(at time.Time, of *time.Time) *int64 {
	if of == nil {
		return nil
	}
	seconds := max(int64(at.Sub(*of)/time.Second), 0)
	return &seconds
}
