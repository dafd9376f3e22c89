package access

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/api/coverage"
	"github.com/gatehouse-project/gatehouse/internal/api/entity"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// mountCompare adds the questions that compare two moments.
func mountCompare(a huma.API, questions *graph.Questions) {
	tags := []string{"Access graph"}
	errors := []int{http.StatusNotFound, http.StatusUnprocessableEntity}
	why := " What is denied does not reach. Each row says why: the edges of its ways that are not the same at both moments, and the runs that saw that. Costs as much as both answers."
	api.Register(a, huma.Operation{
		OperationID: "compare-who-can", Method: http.MethodGet, Path: "/v1/access/resources/{resource_id}/principals/compare", Tags: tags,
		Extensions: api.Needs(workspace.ReadWorkspace), Summary: "Who gained and who lost reach of a resource?",
		Description: "Accounts whose access to the resource at one moment is not what it was at an earlier one, in the order of who can." + why,
		Errors:      errors,
	}, compareWhoCan(questions))
	api.Register(a, huma.Operation{
		OperationID: "compare-what-can", Method: http.MethodGet, Path: "/v1/access/principals/{principal_id}/resources/compare", Tags: tags,
		Extensions: api.Needs(workspace.ReadWorkspace), Summary: "What did a principal gain and lose?",
		Description: "Resources that a principal, by any of its accounts, or an account reaches otherwise at one moment than at an earlier one, in the order of what can." + why,
		Errors:      errors,
	}, compareWhatCan(questions))
	api.Register(a, huma.Operation{
		OperationID: "compare-what-identity-can", Method: http.MethodGet, Path: "/v1/access/identities/{identity_id}/resources/compare", Tags: tags,
		Extensions: api.Needs(workspace.ReadWorkspace), Summary: "What did a person or workload gain and lose?",
		Description: "As of a principal, for all principals that the identity has at the later moment." + why,
		Errors:      errors,
	}, compareWhatIdentityCan(questions))
}

// Between is the part of the query that comparisons have. It is embedded in their
// inputs.
type Between struct {
	api.Page
	From   entity.QueryMoment `query:"from" required:"true" doc:"The earlier moment: a time, or a run, which stands for when what it read became visible."`
	To     entity.QueryMoment `query:"to" doc:"The later moment; now, when left out. Pages stay with the moment of the first."`
	Change string             `query:"change" enum:"gained,lost,changed" doc:"Only these."`
	Action string             `query:"action" maxLength:"256" doc:"Only grants that speak of this action of the provider, without wildcards." example:"s3:GetObject"`
	Type   string             `query:"type" maxLength:"256" doc:"Only accounts (who can) or resources (what can) of this type, the provider's own term." example:"iam_role"`
}

func (b *Between) domain() (graph.CompareFilter, error) {
	f := graph.CompareFilter{
		From: b.From.Moment, To: b.To.Moment, Action: b.Action, Type: b.Type, What: graph.AccessChangeKind(b.Change), Limit: b.Limit,
	}
	f.From.Parameter, f.To.Parameter = "query.from", "query.to"
	var err error
	f.After, err = comparePosition(b.Cursor)
	return f, err
}

// compareCursorBytes is the length of a cursor: the later moment and the
// connection, the level, and the id of the row's account or resource.
const compareCursorBytes = 8 + 8 + 1 + 16

func compareCursor(at *graph.ComparePosition) string {
	if at == nil {
		return ""
	}
	raw := binary.BigEndian.AppendUint64(make([]byte, 0, compareCursorBytes), uint64(at.To.UnixMicro()))
	raw = binary.BigEndian.AppendUint64(raw, uint64(at.Connection))
	raw = append(raw, byte(at.Level))
	return base64.RawURLEncoding.EncodeToString(append(raw, at.ID[:]...))
}

// comparePosition reads a cursor; nil for the first page.
func comparePosition(text string) (*graph.ComparePosition, error) {
	if text == "" {
		return nil, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) != compareCursorBytes {
		return nil, malformedCursor()
	}
	at := &graph.ComparePosition{To: time.UnixMicro(int64(binary.BigEndian.Uint64(raw)))}
	if at.To.Year() < 1 || at.To.Year() > 9999 {
		return nil, malformedCursor()
	}
	at.Connection, at.Level = id.Connection(binary.BigEndian.Uint64(raw[8:])), int(raw[16])
	copy(at.ID[:], raw[17:])
	return at, nil
}

func malformedCursor() error {
	return fault.InvalidField("query.cursor", "is not a cursor of this list; use next_cursor as it was answered")
}

type compareWhoCanInput struct {
	ResourceID entity.PathID `path:"resource_id" doc:"It may have left the graph."`
	Between
}

type compareWhoCanOutput struct{ Body PrincipalChanges }

func compareWhoCan(questions *graph.Questions) func(context.Context, *compareWhoCanInput) (*compareWhoCanOutput, error) {
	return func(ctx context.Context, in *compareWhoCanInput) (*compareWhoCanOutput, error) {
		f, err := in.domain()
		if err != nil {
			return nil, err
		}
		answer, err := questions.CompareWhoCan(ctx, api.CallerFrom(ctx), in.ResourceID.ID, f)
		if err != nil {
			return nil, err
		}
		return &compareWhoCanOutput{Body: PrincipalChanges{Resource: entity.RefTo(answer.Subject), Comparison: showComparison(answer)}}, nil
	}
}

type compareWhatCanInput struct {
	PrincipalID entity.PathID `path:"principal_id" doc:"A principal or an account, which may have left the graph."`
	Between
}

type compareWhatCanOutput struct{ Body ResourceChanges }

func compareWhatCan(questions *graph.Questions) func(context.Context, *compareWhatCanInput) (*compareWhatCanOutput, error) {
	return func(ctx context.Context, in *compareWhatCanInput) (*compareWhatCanOutput, error) {
		return compareWhat(ctx, questions, &in.Between, in.PrincipalID.ID, graph.IdentityID{})
	}
}

type compareWhatIdentityCanInput struct {
	IdentityID entity.PathIdentity `path:"identity_id"`
	Between
}

func compareWhatIdentityCan(questions *graph.Questions) func(context.Context, *compareWhatIdentityCanInput) (*compareWhatCanOutput, error) {
	return func(ctx context.Context, in *compareWhatIdentityCanInput) (*compareWhatCanOutput, error) {
		return compareWhat(ctx, questions, &in.Between, graph.EntityID{}, in.IdentityID.ID)
	}
}

// compareWhat asks about an entity, or about an identity when that is set.
func compareWhat(ctx context.Context, questions *graph.Questions, between *Between, who graph.EntityID, i graph.IdentityID) (*compareWhatCanOutput, error) {
	f, err := between.domain()
	if err != nil {
		return nil, err
	}
	answer, err := questions.CompareWhatCan(ctx, api.CallerFrom(ctx), who, i, f)
	if err != nil {
		return nil, err
	}
	shown := ResourceChanges{Comparison: showComparison(answer)}
	shown.Principal, shown.Identity = asked(answer.Subject, answer.Identity)
	return &compareWhatCanOutput{Body: shown}, nil
}

func showComparison(a graph.CompareAnswer) Comparison {
	n := naming(a.Entities)
	shown := Comparison{
		Changes: []Difference{}, NextCursor: compareCursor(a.Next),
		Basis:  coverage.BasisOf(a.To, a.HistoryBegins, a.Truncated, a.After),
		Before: coverage.BasisOf(a.From, a.HistoryBegins, a.Truncated, a.Before),
	}
	for i := range a.Changes {
		shown.Changes = append(shown.Changes, n.change(&a.Changes[i], a))
	}
	return shown
}

func (n naming) change(c *graph.AccessChange, a graph.CompareAnswer) Difference {
	shown := Difference{
		Change: string(c.What), Uncertain: c.Uncertain, Steps: n.steps(c.Steps, c.Connection, a.Partitions),
		Reasons: []Cause{}, MoreReasons: c.MoreReasons,
	}
	for _, side := range []struct {
		row  *graph.AccessRow
		into *api.Nullable[Access]
	}{{c.Before, &shown.Before}, {c.After, &shown.After}} {
		if side.row != nil {
			row := n.access(*side.row, a.Identities)
			side.into.Value = &row
		}
	}
	for i := range c.Reasons {
		r := &c.Reasons[i]
		e := r.Edge()
		reason := Cause{Change: string(r.What), RunID: r.Run, Kind: string(e.Kind), From: n.ref(e.From), To: n.ref(e.To)}
		if !r.At.IsZero() {
			reason.At = api.UTC(&r.At)
		}
		for _, side := range []struct {
			edge *graph.Edge
			into *api.Nullable[Edge]
		}{{r.Before, &reason.Before}, {r.After, &reason.After}} {
			if side.edge != nil {
				was := edge(*side.edge, c.Connection, a.Partitions[side.edge.Partition])
				side.into.Value = &was
			}
		}
		shown.Reasons = append(shown.Reasons, reason)
	}
	return shown
}
