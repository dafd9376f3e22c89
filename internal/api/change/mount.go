package change

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/api/entity"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Mount adds the list of changes.
func Mount(a huma.API, questions *graph.Questions) {
	api.Register(a, huma.Operation{
		OperationID: "list-changes", Method: http.MethodGet, Path: "/v1/changes", Tags: []string{"Access graph"}, Summary: "What changed?",
		Extensions: api.Needs(workspace.ReadWorkspace),
		Description: "Entities and relationships that publications added, changed and removed, in the order in which that became visible, with the run that saw it. " +
			"Between two moments, what came and went is told twice. Without from, what the last publication of each connection changed.",
		Errors: []int{http.StatusNotFound, http.StatusUnprocessableEntity},
	}, list(questions))
}

type listInput struct {
	api.Page
	From         entity.QueryMoment         `query:"from" doc:"Changes after this moment: a time, or a run, which stands for when what it read became visible."`
	To           entity.QueryMoment         `query:"to" doc:"Changes up to and with this moment; now, when left out."`
	RunID        api.QueryID[id.Run]        `query:"run_id" doc:"Only what this run changed; goes without from and to."`
	ConnectionID api.QueryID[id.Connection] `query:"connection_id" doc:"Only changes of this connection."`
	Kind         string                     `query:"kind" enum:"Principal,Account,Entitlement,Resource,CloudAccountBoundary,principal_represents_account,account_assigned_entitlement,entitlement_grants_resource,entitlement_includes_entitlement,boundary_contains,account_assumes_account" doc:"Only entities or relationships of this kind."`
	Subject      entity.QueryID             `query:"subject" doc:"Only this entity, which may have left the graph, and the relationships at it; of a principal, also those at its accounts."`
}

func (in *listInput) domain() (graph.ChangeFilter, error) {
	f := graph.ChangeFilter{
		From: in.From.Moment, To: in.To.Moment, Run: in.RunID.ID, Connection: in.ConnectionID.ID, Subject: in.Subject.ID, Limit: in.Limit,
	}
	f.From.Parameter, f.To.Parameter = "query.from", "query.to"
	for _, k := range connector.EntityKinds() {
		if in.Kind == string(k) {
			f.EntityKind = k
		}
	}
	if f.EntityKind == "" {
		f.RelationshipKind = connector.RelationshipKind(in.Kind)
	}
	var err error
	f.After, err = position(in.Cursor)
	return f, err
}

// cursorBytes is the length of a cursor: three numbers, the section and the id.
const cursorBytes = 3*8 + 1 + 16

// cursor writes a position: times in microseconds, which is as fine as they are.
func cursor(at *graph.ChangePosition) string {
	if at == nil {
		return ""
	}
	raw := make([]byte, 0, cursorBytes)
	for _, n := range []int64{at.Until.UnixMicro(), at.At.UnixMicro(), int64(at.Connection)} {
		raw = binary.BigEndian.AppendUint64(raw, uint64(n))
	}
	raw = append(raw, byte(at.Section))
	return base64.RawURLEncoding.EncodeToString(append(raw, at.ID[:]...))
}

// latest bounds the times of a cursor that somebody made up.
func latest() time.Time { return time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) }

func position(text string) (*graph.ChangePosition, error) {
	if text == "" {
		return nil, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) != cursorBytes {
		return nil, malformed()
	}
	number := func(i int) int64 { return int64(binary.BigEndian.Uint64(raw[8*i:])) }
	at := &graph.ChangePosition{
		Until: time.UnixMicro(number(0)), At: time.UnixMicro(number(1)), Connection: id.Connection(number(2)), Section: graph.ChangeSection(raw[24]),
	}
	copy(at.ID[:], raw[25:])
	for _, t := range []time.Time{at.Until, at.At} {
		if t.Before(time.Unix(0, 0)) || t.After(latest()) {
			return nil, malformed()
		}
	}
	if at.Section > graph.RelationshipChanges || at.Connection < 0 {
		return nil, malformed()
	}
	return at, nil
}

func malformed() error {
	return fault.InvalidField("query.cursor", "is not a cursor of this list; use next_cursor as it was answered")
}

type listOutput struct{ Body Changes }

func list(questions *graph.Questions) func(context.Context, *listInput) (*listOutput, error) {
	return func(ctx context.Context, in *listInput) (*listOutput, error) {
		f, err := in.domain()
		if err != nil {
			return nil, err
		}
		answer, err := questions.Changes(ctx, api.CallerFrom(ctx), f)
		if err != nil {
			return nil, err
		}
		return &listOutput{Body: show(answer)}, nil
	}
}
