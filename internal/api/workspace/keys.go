package workspace

import (
	"context"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/id"
	domain "github.com/gatehouse-project/gatehouse/internal/workspace"
)

// KeyList is a page of API keys.
type KeyList struct {
	APIKeys    []APIKey `json:"api_keys" nullable:"false"`
	NextCursor string   `json:"next_cursor,omitempty"`
}

type listKeysOutput struct {
	Body KeyList
}

// KeyDraft is an API key to create.
type KeyDraft struct {
	Name      string     `json:"name" doc:"1 to 200 characters."`
	Role      string     `json:"role" enum:"viewer,connector_builder,admin"`
	ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"Never, when left out."`
}

type createKeyInput struct {
	Body KeyDraft
}

type createKeyOutput struct {
	Body CreatedAPIKey
}

type revokeKeyInput struct {
	Member api.PathID[id.Member] `path:"member_id"`
}

func (o *operations) listKeys(ctx context.Context, in *listInput) (*listKeysOutput, error) {
	after, err := api.After[id.Member](in.Page)
	if err != nil {
		return nil, err
	}
	found, err := o.workspaces.Keys(ctx, api.CallerFrom(ctx), after, in.Fetch())
	if err != nil {
		return nil, err
	}
	items, next := api.Cut(in.Page, found, func(k domain.Key) id.Member { return k.ID })
	out := &listKeysOutput{Body: KeyList{APIKeys: make([]APIKey, len(items)), NextCursor: next}}
	for i, k := range items {
		out.Body.APIKeys[i] = keyFromDomain(k)
	}
	return out, nil
}

func (o *operations) createKey(ctx context.Context, in *createKeyInput) (*createKeyOutput, error) {
	k, plain, err := o.workspaces.CreateKey(ctx, api.CallerFrom(ctx), in.Body.Name, domain.Role(in.Body.Role), in.Body.ExpiresAt)
	if err != nil {
		return nil, err
	}
	return &createKeyOutput{Body: CreatedAPIKey{APIKey: keyFromDomain(k), Key: plain.RevealString()}}, nil
}

func (o *operations) revokeKey(ctx context.Context, in *revokeKeyInput) (*struct{}, error) {
	return nil, o.workspaces.RevokeKey(ctx, api.CallerFrom(ctx), in.Member.ID)
}
