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

// KeyList is a page of API keys.
type KeyList struct {
	APIKeys    []APIKey `json:"api_keys" nullable:"false"`
	NextCursor string   `json:"next_cursor,omitempty"`
}

// KeyDraft is an API key to create.
type KeyDraft struct {
	Name      string     `json:"name" doc:"1 to 200 characters."`
	Role      string     `json:"role" enum:"viewer,connector_builder,admin,tenant_admin" doc:"tenant_admin at the tenant level, and only there."`
	ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"Never, when left out."`
}

type createKeyInput struct {
	Body KeyDraft
}

type createKeyOutput struct {
	Body CreatedAPIKey
}

func (o *operations) mountKeys(a huma.API) {
	tags := []string{"API keys"}
	api.Register(a, huma.Operation{
		OperationID: "list-api-keys", Method: http.MethodGet, Path: "/v1/api-keys", Tags: tags, Extensions: api.Needs(domain.ReadAdministration),
		Summary: "List API keys", Description: "Without the keys themselves, also those that were revoked. Needs administration.read.",
	}, lister(o.workspaces.Keys, func(k domain.Key) id.Member { return k.ID }, keyFromDomain,
		func(items []APIKey, next string) KeyList { return KeyList{APIKeys: items, NextCursor: next} }))
	api.Register(a, huma.Operation{
		OperationID: "create-api-key", Method: http.MethodPost, Path: "/v1/api-keys", Tags: tags, Extensions: api.Needs(domain.ManageMembers),
		DefaultStatus: http.StatusCreated, Summary: "Create an API key",
		Description: "The answer is the only place where the key is ever shown. It can do no more than its maker, and ends with their membership. " +
			"Needs members.manage.",
	}, o.createKey)
	api.Register(a, huma.Operation{
		OperationID: "revoke-api-key", Method: http.MethodDelete, Path: "/v1/api-keys/{member_id}", Tags: tags, Extensions: api.Needs(domain.ManageMembers),
		DefaultStatus: http.StatusNoContent, Summary: "Revoke an API key",
		Description: "Ends the key, and keys that were made with it, at once, also in an archived workspace. The last admin is a conflict: make another " +
			"first. Revoking twice changes nothing. Needs members.manage.",
		Errors: []int{http.StatusNotFound},
	}, o.revokeKey)
}

func (o *operations) createKey(ctx context.Context, in *createKeyInput) (*createKeyOutput, error) {
	k, plain, err := o.workspaces.CreateKey(ctx, api.CallerFrom(ctx), in.Body.Name, domain.Role(in.Body.Role), in.Body.ExpiresAt)
	if err != nil {
		return nil, err
	}
	return &createKeyOutput{Body: CreatedAPIKey{APIKey: keyFromDomain(k), Key: plain.RevealString()}}, nil
}

func (o *operations) revokeKey(ctx context.Context, in *memberInput) (*struct{}, error) {
	return nil, o.workspaces.RevokeKey(ctx, api.CallerFrom(ctx), in.Member.ID)
}
