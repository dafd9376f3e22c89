package workspace

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/id"
	domain "github.com/gatehouse-project/gatehouse/internal/workspace"
)

func (o *operations) mountMappings(a huma.API) {
	tags := []string{"Members"}
	api.Register(a, huma.Operation{
		OperationID: "list-claim-mappings", Method: http.MethodGet, Path: "/v1/claim-mappings", Tags: tags,
		Extensions: api.Needs(domain.ReadAdministration),
		Summary:    "List claim mappings", Description: "In order of id. Needs administration.read.",
	}, lister(o.workspaces.Mappings, func(m domain.ClaimMapping) id.ClaimMapping { return m.ID }, mappingFromDomain,
		func(items []ClaimMapping, next string) ClaimMappingList {
			return ClaimMappingList{ClaimMappings: items, NextCursor: next}
		}))
	api.Register(a, huma.Operation{
		OperationID: "create-claim-mapping", Method: http.MethodPost, Path: "/v1/claim-mappings", Tags: tags,
		Extensions: api.Needs(domain.ManageMembers), DefaultStatus: http.StatusCreated, Summary: "Map a claim to a role",
		Description: "Whoever signs in with this claim becomes a member with the role, the strongest one where several claims fit, and stops being " +
			"one at the first sign-in without any. People who were invited keep their role. Needs members.manage.",
	}, o.createMapping)
	api.Register(a, huma.Operation{
		OperationID: "delete-claim-mapping", Method: http.MethodDelete, Path: "/v1/claim-mappings/{mapping_id}", Tags: tags,
		Extensions: api.Needs(domain.ManageMembers), DefaultStatus: http.StatusNoContent, Summary: "Delete a claim mapping",
		Description: "Those who were members by it are none after their next sign-in; remove them to end it at once. Needs members.manage.",
		Errors:      []int{http.StatusNotFound},
	}, o.deleteMapping)
}

// ClaimMapping gives a role to people with a claim.
type ClaimMapping struct {
	MappingID   id.ClaimMapping `json:"mapping_id" example:"map_123"`
	WorkspaceID id.Workspace    `json:"workspace_id" example:"w_123"`
	Claim       string          `json:"claim" example:"groups"`
	Value       string          `json:"value" example:"platform-team"`
	Role        string          `json:"role" enum:"viewer,connector_builder,admin,tenant_admin"`
	CreatedAt   time.Time       `json:"created_at"`
}

func mappingFromDomain(m domain.ClaimMapping) ClaimMapping {
	return ClaimMapping{MappingID: m.ID, WorkspaceID: m.Workspace, Claim: m.Claim, Value: m.Value, Role: string(m.Role), CreatedAt: m.CreatedAt.UTC()}
}

// ClaimMappingList is a page of claim mappings.
type ClaimMappingList struct {
	ClaimMappings []ClaimMapping `json:"claim_mappings" nullable:"false"`
	NextCursor    string         `json:"next_cursor,omitempty"`
}

// ClaimMappingDraft is a claim to map.
type ClaimMappingDraft struct {
	Claim string `json:"claim" maxLength:"100" example:"groups" doc:"The name of a claim of the ID token."`
	Value string `json:"value" maxLength:"500" example:"platform-team" doc:"What the claim is, or, for a list, holds."`
	Role  string `json:"role" enum:"viewer,connector_builder,admin,tenant_admin" doc:"tenant_admin at the tenant level, and only there."`
}

type createMappingInput struct {
	Body ClaimMappingDraft
}

type createMappingOutput struct {
	Body ClaimMapping
}

type mappingInput struct {
	Mapping api.PathID[id.ClaimMapping] `path:"mapping_id"`
}

func (o *operations) createMapping(ctx context.Context, in *createMappingInput) (*createMappingOutput, error) {
	m, err := o.workspaces.CreateMapping(ctx, api.CallerFrom(ctx), in.Body.Claim, in.Body.Value, domain.Role(in.Body.Role))
	if err != nil {
		return nil, err
	}
	return &createMappingOutput{Body: mappingFromDomain(m)}, nil
}

func (o *operations) deleteMapping(ctx context.Context, in *mappingInput) (*struct{}, error) {
	return nil, o.workspaces.DeleteMapping(ctx, api.CallerFrom(ctx), in.Mapping.ID)
}
