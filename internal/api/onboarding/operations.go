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
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// StartRequest says what is to be connected.
type StartRequest struct {
	IntegrationID string `json:"integration_id" maxLength:"63" example:"aws"`
}

type startInput struct {
	api.Again
	Body StartRequest
}

type createdOutput struct {
	api.Replayed
	Location string `header:"Location"`
	ETag     string `header:"ETag"`
	Body     Session
}

type oneOutput struct {
	ETag string `header:"ETag"`
	Body Session
}

func (o *operations) start(ctx context.Context, in *startInput) (*createdOutput, error) {
	once, err := in.Request(ctx, "start-onboarding", in.Body)
	if err != nil {
		return nil, err
	}
	s, again, err := o.sessions.Start(ctx, api.CallerFrom(ctx), integration.ID(in.Body.IntegrationID), once)
	if err != nil {
		return nil, err
	}
	return &createdOutput{Replayed: api.Replay(again), Location: "/v1/onboarding/" + s.ID.String(), ETag: api.ETag(s.Version), Body: o.fromDomain(s)}, nil
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
	api.Again
	SessionID api.PathID[id.Onboarding] `path:"session_id"`
	Operation string                    `path:"operation" maxLength:"100" example:"connection.test"`
	Body      *VerifyRequest
}

type verifyOutput struct {
	api.Replayed
	Body apioperation.StartResult
}

func (o *operations) verify(ctx context.Context, in *verifyInput) (*verifyOutput, error) {
	r := domain.VerifyRequest{Operation: operation.Type(in.Operation)}
	if in.Body != nil {
		r.Step = domain.Step(in.Body.Step)
		if in.Body.ConnectionID != nil {
			r.Connection = *in.Body.ConnectionID
		}
	}
	var err error
	r.Once, err = in.Request(ctx, run.StartOperation, map[string]any{"session": in.SessionID.ID, "operation": in.Operation, "body": in.Body})
	if err != nil {
		return nil, err
	}
	result, err := o.sessions.Verify(ctx, api.CallerFrom(ctx), in.SessionID.ID, r)
	if err != nil {
		return nil, err
	}
	return &verifyOutput{Replayed: api.Replay(result.Replayed), Body: apioperation.FromDomain(result)}, nil
}

// BootstrapRequest chooses operations.
type BootstrapRequest struct {
	ConnectionID       id.Connection `json:"connection_id" doc:"The session's connection."`
	SelectedOperations []string      `json:"selected_operations" minItems:"1" maxItems:"20" nullable:"false" doc:"In the order in which they start; see offered_operations of the session."`
	SourceSurface      string        `json:"source_surface,omitempty" maxLength:"100" default:"onboarding.bootstrap" doc:"Where the request comes from, for the runs' context."`
}

type bootstrapInput struct {
	api.Again
	SessionID api.PathID[id.Onboarding] `path:"session_id"`
	IfMatch   string                    `header:"If-Match" doc:"The ETag of the version that the change is meant for."`
	Body      BootstrapRequest
}

type outcomeOutput struct {
	api.Replayed
	ETag string `header:"ETag"`
	Body BootstrapOutcome
}

func (o *operations) bootstrap(ctx context.Context, in *bootstrapInput) (*outcomeOutput, error) {
	selected := make([]operation.Type, len(in.Body.SelectedOperations))
	for i, name := range in.Body.SelectedOperations {
		selected[i] = operation.Type(name)
	}
	once, err := in.Request(ctx, "start-onboarding-bootstrap", map[string]any{"session": in.SessionID.ID, "body": in.Body})
	if err != nil {
		return nil, err
	}
	return o.answer(o.sessions.Bootstrap(ctx, api.CallerFrom(ctx), in.SessionID.ID, domain.BootstrapRequest{
		Connection: in.Body.ConnectionID, Operations: selected, Surface: in.Body.SourceSurface, Terms: domain.Terms{IfVersion: api.IfMatch(in.IfMatch), Once: once},
	}))
}

func (o *operations) answer(out domain.Outcome, err error) (*outcomeOutput, error) {
	if err != nil {
		return nil, withETag(err)
	}
	return &outcomeOutput{Replayed: api.Replay(out.Replayed), ETag: api.ETag(out.Session.Version), Body: o.outcome(out)}, nil
}

type changeInput struct {
	SessionID api.PathID[id.Onboarding] `path:"session_id"`
	IfMatch   string                    `header:"If-Match" doc:"The ETag of the version that the change is meant for."`
}

type resumeInput struct {
	api.Again
	SessionID api.PathID[id.Onboarding] `path:"session_id"`
	IfMatch   string                    `header:"If-Match" doc:"The ETag of the version that the change is meant for."`
}

func (o *operations) resume(ctx context.Context, in *resumeInput) (*outcomeOutput, error) {
	once, err := in.Request(ctx, "resume-onboarding", map[string]any{"session": in.SessionID.ID})
	if err != nil {
		return nil, err
	}
	return o.answer(o.sessions.Resume(ctx, api.CallerFrom(ctx), in.SessionID.ID, domain.Terms{IfVersion: api.IfMatch(in.IfMatch), Once: once}))
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
