package integration

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	domain "github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/licence"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

type listInput struct {
	api.Page
}

// List is a page of the catalog.
type List struct {
	Integrations []Integration `json:"integrations" nullable:"false"`
	NextCursor   string        `json:"next_cursor,omitempty"`
}

type listOutput struct {
	Body List
}

type getInput struct {
	IntegrationID string `path:"integration_id" maxLength:"63" example:"aws"`
}

type getOutput struct {
	Body Integration
}

// Mount adds the operations on the catalog, which say of each integration whether
// it is licensed.
func Mount(a huma.API, catalog *domain.Catalog, licences licence.Reader) {
	tags := []string{"Integrations"}
	api.Register(a, huma.Operation{
		OperationID: "list-integrations", Method: http.MethodGet, Path: "/v1/integrations", Tags: tags,
		Extensions:  api.Needs(workspace.ReadWorkspace),
		Summary:     "List integrations",
		Description: "The catalog of this deployment's connectors, in order of id. The same for every workspace, with what the tenant's licence allows. Needs workspace.read.",
	}, func(ctx context.Context, in *listInput) (*listOutput, error) {
		if err := api.CallerFrom(ctx).Require(workspace.ReadWorkspace); err != nil {
			return nil, err
		}
		last, err := in.Last()
		if err != nil {
			return nil, err
		}
		standing, err := licences.Standing(ctx)
		if err != nil {
			return nil, err
		}
		var found []Integration
		for _, entry := range catalog.List() {
			if entry.IntegrationID > last && len(found) < in.Fetch() {
				found = append(found, fromDomain(entry, standing))
			}
		}
		items, next := api.CutAt(in.Page, found, func(i Integration) string { return i.IntegrationID })
		return &listOutput{Body: List{Integrations: append([]Integration{}, items...), NextCursor: next}}, nil
	})
	api.Register(a, huma.Operation{
		OperationID: "get-integration", Method: http.MethodGet, Path: "/v1/integrations/{integration_id}", Tags: tags,
		Extensions:  api.Needs(workspace.ReadWorkspace),
		Summary:     "Get an integration",
		Description: "One catalog entry with the JSON Schemas of configuration and scope. Needs workspace.read.",
		Errors:      []int{http.StatusNotFound},
	}, func(ctx context.Context, in *getInput) (*getOutput, error) {
		if err := api.CallerFrom(ctx).Require(workspace.ReadWorkspace); err != nil {
			return nil, err
		}
		entry, err := catalog.Get(domain.ID(in.IntegrationID))
		if err != nil {
			return nil, err
		}
		standing, err := licences.Standing(ctx)
		if err != nil {
			return nil, err
		}
		return &getOutput{Body: fromDomain(entry, standing)}, nil
	})
	api.Register(a, huma.Operation{
		OperationID: "get-integration-permissions", Method: http.MethodGet, Path: "/v1/integrations/{integration_id}/permissions", Tags: tags,
		Extensions: api.Needs(workspace.ReadWorkspace),
		Summary:    "Get what to grant at the provider",
		Description: "The permissions of the integration's streams in the provider's own form, ready to paste, such as IAM policies. " +
			"They follow the configuration and the scope, as far as these are given. Needs workspace.read.",
		Errors: []int{http.StatusNotFound, http.StatusUnprocessableEntity},
	}, permissions(catalog))
}
