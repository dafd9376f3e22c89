package onboarding

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	apiintegration "github.com/gatehouse-project/gatehouse/internal/api/integration"
	apioperation "github.com/gatehouse-project/gatehouse/internal/api/operation"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	domain "github.com/gatehouse-project/gatehouse/internal/onboarding"
	"github.com/gatehouse-project/gatehouse/internal/operation"
)

// StartRequest says what is to be connected.
type StartRequest struct {
	IntegrationID string `json:"integration_id" maxLength:"63" example:"aws"`
}

type startInput struct{ Body StartRequest }

type createdOutput struct {
	Location string `header:"Location"`
	ETag     string `header:"ETag"`
	Body     Session
}

type oneOutput struct {
	ETag string `header:"ETag"`
	Body Session
}

func (o *operations) start(ctx context.Context, in *startInput) (*createdOutput, error) {
	s, err := o.sessions.Start(ctx, api.CallerFrom(ctx), integration.ID(in.Body.IntegrationID))
	if err != nil {
		return nil, err
	}
	return &createdOutput{Location: "/v1/onboarding/" + s.ID.String(), ETag: api.ETag(s.Version), Body: o.fromDomain(s)}, nil
}

type listInput struct {
	api.Page
	Status        string `query:"status" enum:"open,bootstrapping,stopped,completed,abandoned" doc:"Only sessions with this status."`
	IntegrationID string `query:"integration_id" maxLength:"63" doc:"Only sessions about this integration."`
	Mine          bool   `query:"mine" doc:"Only sessions that the caller started."`
}

// List is a page of sessions.
type List struct {
	Sessions   []Session `json:"sessions" nullable:"false"`
	NextCursor string    `json:"next_cursor,omitempty"`
}

type listOutput struct{ Body List }

func (o *operations) list(ctx context.Context, in *listInput) (*listOutput, error) {
	before, err := api.After[id.Onboarding](in.Page)
	if err != nil {
		return nil, err
	}
	caller := api.CallerFrom(ctx)
	f := domain.Filter{Status: domain.Status(in.Status), Integration: integration.ID(in.IntegrationID), Before: before, Limit: in.Fetch()}
	if in.Mine {
		f.StartedBy = caller.Member
	}
	found, err := o.sessions.List(ctx, caller, f)
	if err != nil {
		return nil, err
	}
	items, next := api.Cut(in.Page, found, func(s domain.Session) id.Onboarding { return s.ID })
	out := &listOutput{Body: List{Sessions: make([]Session, len(items)), NextCursor: next}}
	for i, s := range items {
		out.Body.Sessions[i] = o.fromDomain(s)
	}
	return out, nil
}

type getInput struct {
	SessionID api.PathID[id.Onboarding] `path:"session_id"`
}

func (o *operations) get(ctx context.Context, in *getInput) (*oneOutput, error) {
	s, err := o.sessions.Get(ctx, api.CallerFrom(ctx), in.SessionID.ID)
	if err != nil {
		return nil, err
	}
	packs, err := o.sessions.PermissionPacks(ctx, s)
	if err != nil {
		return nil, err
	}
	shown := o.fromDomain(s)
	shown.PermissionPacks = apiintegration.PermissionPacks(packs)
	return &oneOutput{ETag: api.ETag(s.Version), Body: shown}, nil
}

func (o *operations) one(s domain.Session, err error) (*oneOutput, error) {
	if err != nil {
		return nil, withETag(err)
	}
	return &oneOutput{ETag: api.ETag(s.Version), Body: o.fromDomain(s)}, nil
}

// PickRequest names a connection.
type PickRequest struct {
	ConnectionID id.Connection `json:"connection_id"`
}

type pickInput struct {
	SessionID api.PathID[id.Onboarding] `path:"session_id"`
	IfMatch   string                    `header:"If-Match" doc:"The ETag of the version that the change is meant for."`
	Body      PickRequest
}

func (o *operations) pick(ctx context.Context, in *pickInput) (*oneOutput, error) {
	return o.one(o.sessions.Pick(ctx, api.CallerFrom(ctx), in.SessionID.ID, in.Body.ConnectionID, api.IfMatch(in.IfMatch)))
}

// VerifyRequest may say what the caller takes for granted.
type VerifyRequest struct {
	ConnectionID *id.Connection `json:"connection_id,omitempty" doc:"Refused unless it is the session's connection."`
	Step         string         `json:"step,omitempty" enum:"verify" doc:"The step that the operation is for."`
}

type verifyInput struct {
	SessionID api.PathID[id.Onboarding] `path:"session_id"`
	Operation string                    `path:"operation" maxLength:"100" example:"connection.test"`
	Body      *VerifyRequest
}

type verifyOutput struct{ Body apioperation.StartResult }

func (o *operations) verify(ctx context.Context, in *verifyInput) (*verifyOutput, error) {
	var named id.Connection
	var step domain.Step
	if in.Body != nil {
		step = domain.Step(in.Body.Step)
		if in.Body.ConnectionID != nil {
			named = *in.Body.ConnectionID
		}
	}
	result, err := o.sessions.Verify(ctx, api.CallerFrom(ctx), in.SessionID.ID, operation.Type(in.Operation), step, named)
	if err != nil {
		return nil, err
	}
	return &verifyOutput{Body: apioperation.FromDomain(result)}, nil
}

// BootstrapRequest chooses operations.
type BootstrapRequest struct {
	ConnectionID       id.Connection `json:"connection_id" doc:"The session's connection."`
	SelectedOperations []string      `json:"selected_operations" minItems:"1" maxItems:"20" nullable:"false" doc:"In the order in which they start; see offered_operations of the session."`
	SourceSurface      string        `json:"source_surface,omitempty" maxLength:"100" default:"onboarding.bootstrap" doc:"Where the request comes from, for the runs' context."`
}

type bootstrapInput struct {
	SessionID api.PathID[id.Onboarding] `path:"session_id"`
	IfMatch   string                    `header:"If-Match" doc:"The ETag of the version that the change is meant for."`
	Body      BootstrapRequest
}

type outcomeOutput struct {
	ETag string `header:"ETag"`
	Body BootstrapOutcome
}

func (o *operations) bootstrap(ctx context.Context, in *bootstrapInput) (*outcomeOutput, error) {
	selected := make([]operation.Type, len(in.Body.SelectedOperations))
	for i, name := range in.Body.SelectedOperations {
		selected[i] = operation.Type(name)
	}
	return o.answer(o.sessions.Bootstrap(ctx, api.CallerFrom(ctx), in.SessionID.ID, in.Body.ConnectionID, selected, in.Body.SourceSurface, api.IfMatch(in.IfMatch)))
}

func (o *operations) answer(out domain.Outcome, err error) (*outcomeOutput, error) {
	if err != nil {
		return nil, withETag(err)
	}
	return &outcomeOutput{ETag: api.ETag(out.Session.Version), Body: o.outcome(out)}, nil
}

type changeInput struct {
	SessionID api.PathID[id.Onboarding] `path:"session_id"`
	IfMatch   string                    `header:"If-Match" doc:"The ETag of the version that the change is meant for."`
}

func (o *operations) resume(ctx context.Context, in *changeInput) (*outcomeOutput, error) {
	return o.answer(o.sessions.Resume(ctx, api.CallerFrom(ctx), in.SessionID.ID, api.IfMatch(in.IfMatch)))
}

func (o *operations) abandon(ctx context.Context, in *changeInput) (*oneOutput, error) {
	return o.one(o.sessions.Abandon(ctx, api.CallerFrom(ctx), in.SessionID.ID, api.IfMatch(in.IfMatch)))
}

// withETag tells whoever was not the first which version there is now.
func withETag(err error) error {
	var stale *domain.StaleError
	if errors.As(err, &stale) {
		return huma.ErrorWithHeaders(err, http.Header{"ETag": {api.ETag(stale.Version)}})
	}
	return err
}
