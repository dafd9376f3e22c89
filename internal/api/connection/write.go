package connection

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	domain "github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
)

// Draft is a connection to create.
type Draft struct {
	IntegrationID string     `json:"integration_id" example:"aws"`
	Name          string     `json:"name" example:"Prod AWS" doc:"1 to 200 characters, unique in the workspace."`
	Configuration api.Object `json:"configuration,omitempty" doc:"By the integration's schema. Secret fields are encrypted and never shown again."`
	Scope         api.Object `json:"scope,omitempty" doc:"By the integration's schema; everything the credentials reach when left out."`
	Schedule      *Schedule  `json:"schedule,omitempty" doc:"manual when left out."`
	Metadata      api.Object `json:"metadata,omitempty" doc:"Notes of your own, at most 16 KiB. Never put a secret here."`
	TargetID      string     `json:"target_id,omitempty" pattern:"^tgt_[1-9][0-9]{0,18}$" example:"tgt_123" doc:"The organisation the connection is meant for. Tests and runs that reach another one fail. Found by the first that succeeds when left out."`
	IsDefault     bool       `json:"is_default,omitempty" doc:"Makes the connection the default of the target that is named. The first one found to reach a target becomes its default by itself."`
	Lifecycle     string     `json:"lifecycle,omitempty" enum:"needs_consent,active,disabled" doc:"active when left out."`
}

// Patch is a change, a JSON merge patch: what is left out stays as it is, null
// removes.
type Patch struct {
	Name          api.Setting[string] `json:"name,omitempty"`
	Configuration api.Merging         `json:"configuration,omitempty" doc:"Merged field by field; secrets that are not named stay, a field that is null is removed."`
	Scope         api.Merging         `json:"scope,omitempty" doc:"Merged field by field; null takes every restriction away."`
	Schedule      schedulePatch       `json:"schedule,omitempty" doc:"Merged; what has no meaning for a new type is dropped. Null makes it manual."`
	Metadata      api.Merging         `json:"metadata,omitempty" doc:"Merged; null empties it."`
	Lifecycle     api.Setting[string] `json:"lifecycle,omitempty" enum:"active,disabled"`
	TargetID      api.Setting[string] `json:"target_id,omitempty" pattern:"^tgt_[1-9][0-9]{0,18}$" doc:"For a connection that has no target yet."`
	IsDefault     api.Setting[bool]   `json:"is_default,omitempty" doc:"Makes the connection the default of its target, in place of the one that was, or ends that."`
}

// schedulePatch is a merge patch of a schedule.
type schedulePatch struct{ api.Merging }

// Schema describes a schedule of which anything may be left out or null.
func (schedulePatch) Schema(r huma.Registry) *huma.Schema {
	number := func(most float64) *huma.Schema {
		least := 0.0
		return &huma.Schema{Type: huma.TypeInteger, Nullable: true, Minimum: &least, Maximum: &most}
	}
	text := func(most int) *huma.Schema {
		return &huma.Schema{Type: huma.TypeString, Nullable: true, MaxLength: &most}
	}
	kind := &huma.Schema{Type: huma.TypeString, Enum: []any{"manual", "hourly", "daily", "weekly", "cron"}}
	s := &huma.Schema{Type: huma.TypeObject, Nullable: true, AdditionalProperties: false, Properties: map[string]*huma.Schema{
		"type": kind, "hour": number(23), "minute": number(59), "weekday": number(6), "cron": text(200), "timezone": text(64), "spread_minutes": number(domain.MaxSpread),
	}}
	s.PrecomputeMessages()
	return s
}

type createInput struct {
	api.Again
	Body Draft
}

type createdOutput struct {
	Location string `header:"Location"`
	ETag     string `header:"ETag"`
	api.Replayed
	Body Connection
}

type updateInput struct {
	Connection api.PathID[id.Connection] `path:"connection_id"`
	IfMatch    string                    `header:"If-Match" doc:"The ETag of the version that the change is meant for."`
	Body       Patch
}

type deleteInput struct {
	Connection api.PathID[id.Connection] `path:"connection_id"`
	IfMatch    string                    `header:"If-Match" doc:"The ETag of the version that is meant to be deleted."`
}

func (o *operations) create(ctx context.Context, in *createInput) (*createdOutput, error) {
	caller := api.CallerFrom(ctx)
	draft := domain.Draft{
		Integration: integration.ID(in.Body.IntegrationID), Name: in.Body.Name, Configuration: in.Body.Configuration.Raw(),
		Scope: in.Body.Scope.Raw(), Schedule: in.Body.Schedule.toDomain(), Metadata: in.Body.Metadata.Raw(),
		IsDefault: in.Body.IsDefault, Lifecycle: domain.Lifecycle(in.Body.Lifecycle),
	}
	target, err := targetNamed(&in.Body.TargetID)
	if err != nil {
		return nil, err
	}
	if target != nil {
		draft.Target = *target
	}
	if draft.Once, err = in.Request(ctx, "create-connection", in.Body); err != nil {
		return nil, err
	}
	c, replayed, err := o.connections.Create(ctx, caller, draft)
	if err != nil {
		return nil, err
	}
	return &createdOutput{
		Location: "/v1/connections/" + c.ID.String(), ETag: api.ETag(c.Version), Replayed: api.Replay(replayed), Body: fromDomain(caller, c),
	}, nil
}

func (o *operations) update(ctx context.Context, in *updateInput) (*oneOutput, error) {
	var wrong []fault.Field
	for name, removed := range map[string]bool{
		"name": in.Body.Name.Null, "lifecycle": in.Body.Lifecycle.Null, "target_id": in.Body.TargetID.Null, "is_default": in.Body.IsDefault.Null,
	} {
		if removed {
			wrong = append(wrong, fault.Field{Path: name, Message: "cannot be removed; leave it out to keep it"})
		}
	}
	if len(wrong) > 0 {
		return nil, fault.InvalidFields(wrong...)
	}
	target, err := targetNamed(in.Body.TargetID.Value)
	if err != nil {
		return nil, err
	}
	return o.change(ctx, in.Connection.ID, domain.Patch{
		Name: in.Body.Name.Value, Configuration: in.Body.Configuration.Raw(), Scope: in.Body.Scope.Raw(), Target: target,
		Schedule: in.Body.Schedule.Raw(), Metadata: in.Body.Metadata.Raw(), Lifecycle: (*domain.Lifecycle)(in.Body.Lifecycle.Value),
		IsDefault: in.Body.IsDefault.Value, IfVersion: api.IfMatch(in.IfMatch),
	})
}

// makeDefault is a change of one field with a name of its own.
func (o *operations) makeDefault(ctx context.Context, in *deleteInput) (*oneOutput, error) {
	yes := true
	return o.change(ctx, in.Connection.ID, domain.Patch{IsDefault: &yes, IfVersion: api.IfMatch(in.IfMatch)})
}

func (o *operations) change(ctx context.Context, c id.Connection, p domain.Patch) (*oneOutput, error) {
	caller := api.CallerFrom(ctx)
	changed, err := o.connections.Update(ctx, caller, c, p)
	if err != nil {
		return nil, withETag(err)
	}
	return &oneOutput{ETag: api.ETag(changed.Version), Body: fromDomain(caller, changed)}, nil
}

func (o *operations) resumeSchedule(ctx context.Context, in *oneInput) (*oneOutput, error) {
	caller := api.CallerFrom(ctx)
	c, err := o.connections.ResumeSchedule(ctx, caller, in.Connection.ID)
	if err != nil {
		return nil, err
	}
	return &oneOutput{ETag: api.ETag(c.Version), Body: fromDomain(caller, c)}, nil
}

func (o *operations) pauseSchedule(ctx context.Context, in *oneInput) (*oneOutput, error) {
	caller := api.CallerFrom(ctx)
	c, err := o.connections.PauseSchedule(ctx, caller, in.Connection.ID)
	if err != nil {
		return nil, err
	}
	return &oneOutput{ETag: api.ETag(c.Version), Body: fromDomain(caller, c)}, nil
}

func (o *operations) delete(ctx context.Context, in *deleteInput) (*struct{}, error) {
	return nil, withETag(o.connections.Delete(ctx, api.CallerFrom(ctx), in.Connection.ID, api.IfMatch(in.IfMatch)))
}

// withETag tells whoever was not the first which version there is now.
func withETag(err error) error {
	var stale *domain.StaleError
	if errors.As(err, &stale) {
		return huma.ErrorWithHeaders(err, http.Header{"ETag": {api.ETag(stale.Version)}})
	}
	return err
}

// targetNamed reads a target of a body, whose form has been checked. One that no
// number is too large for names nothing.
func targetNamed(text *string) (*id.Target, error) {
	if text == nil || *text == "" {
		return nil, nil
	}
	var t id.Target
	if err := t.UnmarshalText([]byte(*text)); err != nil {
		return nil, fault.InvalidField("target_id", "names no target of this workspace; see GET /v1/targets")
	}
	return &t, nil
}
