package access

import (
	"context"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/api/coverage"
	"github.com/gatehouse-project/gatehouse/internal/api/entity"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Since is since when a resource has been reached.
type Since struct {
	From          api.Nullable[entity.Ref]         `json:"from" doc:"Null when an identity was asked about."`
	Identity      api.Nullable[entity.IdentityRef] `json:"identity" doc:"The identity that was asked about, with the principals that it has now; null when an entity was."`
	To            entity.Ref                       `json:"to"`
	Since         *time.Time                       `json:"since" doc:"Since when the resource has been reached without a break; null when it is not reached now. What is denied does not reach."`
	Intervals     []Interval                       `json:"intervals" nullable:"false" doc:"Times in which it was reached in one way, the latest first; at most 50. Those that touch follow without a break."`
	MoreIntervals bool                             `json:"more_intervals,omitempty"`
	coverage.Basis
}

// Interval is a time in which a resource was reached in one way.
type Interval struct {
	From        time.Time    `json:"from"`
	Until       *time.Time   `json:"until" doc:"Null while it goes on."`
	Decision    string       `json:"decision" enum:"allowed,conditional,denied"`
	Began       string       `json:"began" enum:"added,first_observed,changed,history_begins" doc:"First observed: a part of the way had never been read completely before, so that it may have been so earlier. Changed: something else let it, such as the end of a denial. History begins: it was so before, and more is not kept."`
	BeganRunID  id.Run       `json:"began_run_id,omitzero" doc:"The run that saw it; left out when something expired." example:"run_123"`
	EndedRunID  id.Run       `json:"ended_run_id,omitzero" doc:"The run that saw its end; left out when something expired." example:"run_123"`
	Steps       []Step       `json:"steps" nullable:"false" doc:"The shortest way at its beginning."`
	NotObserved []Unobserved `json:"not_observed" nullable:"false" doc:"When a part that edges of the way are of could not be read completely: what is said of then was known from before."`
}

// Unobserved is a time in which something could not be looked at.
type Unobserved struct {
	From  time.Time  `json:"from"`
	Until *time.Time `json:"until" doc:"Null while it goes on."`
}

type sinceInput struct {
	From   entity.QueryWho `query:"from" required:"true" doc:"A principal or an account, which may have left the graph; or an identity, for all of its principals."`
	To     entity.QueryID  `query:"to" required:"true" doc:"A resource, which may have left the graph."`
	Action string          `query:"action" maxLength:"256" doc:"Only grants that speak of this action of the provider, without wildcards." example:"s3:GetObject"`
}

type sinceOutput struct{ Body Since }

func since(questions *graph.Questions) func(context.Context, *sinceInput) (*sinceOutput, error) {
	return func(ctx context.Context, in *sinceInput) (*sinceOutput, error) {
		a, err := questions.Since(ctx, api.CallerFrom(ctx), graph.SinceQuery{From: in.From.ID, Identity: in.From.Identity, Resource: in.To.ID, Action: in.Action})
		if err != nil {
			return nil, err
		}
		n := naming(a.Entities)
		shown := Since{
			To: entity.RefTo(a.Resource), Since: api.UTC(a.Since), Intervals: []Interval{}, MoreIntervals: a.MoreIntervals,
			Basis: coverage.BasisOf(a.AsOf, a.HistoryBegins, a.Truncated, a.Coverage),
		}
		shown.From, shown.Identity = asked(a.From, a.Identity)
		for _, i := range a.Intervals {
			row := Interval{
				From: i.From.UTC(), Until: api.UTC(i.Until), Decision: string(i.Decision), Began: string(i.Began), BeganRunID: i.BeganBy, EndedRunID: i.EndedBy,
				Steps: n.steps(i.Steps, a.Resource.Connection, a.Partitions), NotObserved: []Unobserved{},
			}
			for _, s := range i.NotObserved {
				row.NotObserved = append(row.NotObserved, Unobserved{From: s.From.UTC(), Until: api.UTC(s.Until)})
			}
			shown.Intervals = append(shown.Intervals, row)
		}
		return &sinceOutput{Body: shown}, nil
	}
}
