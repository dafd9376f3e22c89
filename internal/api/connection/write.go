package connection

import (
	"context"

	"github.com/gatehouse-project/gatehouse/internal/api"
	domain "github.com/gatehouse-project/gatehouse/internal/connection"
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
}

// Patch is a change; what is left out stays as it is.
type Patch struct {
	Name          *string    `json:"name,omitempty"`
	Configuration api.Object `json:"configuration,omitempty"`
	Scope         api.Object `json:"scope,omitempty"`
	Schedule      *Schedule  `json:"schedule,omitempty"`
	Metadata      api.Object `json:"metadata,omitempty"`
	Lifecycle     *string    `json:"lifecycle,omitempty" enum:"active,disabled"`
	IsDefault     *bool      `json:"is_default,omitempty"`
}

type createInput struct {
	Body Draft
}

type createdOutput struct {
	Location string `header:"Location"`
	ETag     string `header:"ETag"`
	Body     Connection
}

type updateInput struct {
	Connection api.PathID[id.Connection] `path:"connection_id"`
	IfMatch    string                    `header:"If-Match" doc:"The ETag of the version that the change is meant for."`
	Body       Patch
}

func (o *operations) create(ctx context.Context, in *createInput) (*createdOutput, error) {
	c, err := o.connections.Create(ctx, api.CallerFrom(ctx), domain.Draft{
		Integration: integration.ID(in.Body.IntegrationID), Name: in.Body.Name, Configuration: in.Body.Configuration.Raw(),
		Scope: in.Body.Scope.Raw(), Schedule: in.Body.Schedule.toDomain(), Metadata: in.Body.Metadata.Raw(),
	})
	if err != nil {
		return nil, err
	}
	return &createdOutput{Location: "/v1/connections/" + c.ID.String(), ETag: etag(c.Version), Body: fromDomain(c)}, nil
}

func (o *operations) update(ctx context.Context, in *updateInput) (*oneOutput, error) {
	c, err := o.connections.Update(ctx, api.CallerFrom(ctx), in.Connection.ID, domain.Patch{
		Name: in.Body.Name, Configuration: in.Body.Configuration.Raw(), Scope: in.Body.Scope.Raw(),
		Schedule: in.Body.Schedule.toDomain(), Metadata: in.Body.Metadata.Raw(), Lifecycle: (*domain.Lifecycle)(in.Body.Lifecycle),
		IsDefault: in.Body.IsDefault, IfVersion: versionOf(in.IfMatch),
	})
	if err != nil {
		return nil, err
	}
	return &oneOutput{ETag: etag(c.Version), Body: fromDomain(c)}, nil
}

func (o *operations) delete(ctx context.Context, in *oneInput) (*struct{}, error) {
	return nil, o.connections.Delete(ctx, api.CallerFrom(ctx), in.Connection.ID)
}
