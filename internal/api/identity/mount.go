package identity

import (
	"context"
	"net/http"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/api/entity"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	domain "github.com/gatehouse-project/gatehouse/internal/identity"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// operations are the HTTP operations on identities.
type operations struct {
	identities *domain.Service
}

// Mount adds the operations on identities.
func Mount(a huma.API, identities *domain.Service) {
	o := &operations{identities}
	tags := []string{"Identities"}
	read, manage := api.Needs(workspace.ReadWorkspace), api.Needs(workspace.ManageIdentities)
	missing := []int{http.StatusNotFound, http.StatusUnprocessableEntity}
	api.Register(a, huma.Operation{
		OperationID: "list-identities", Method: http.MethodGet, Path: "/v1/identities", Tags: tags, Summary: "List identities", Extensions: read,
		Description: "Persons and workloads, over all connections: the principals that are one by what they are known by, or because somebody said so. In order of the names under which they are found.",
		Errors:      []int{http.StatusUnprocessableEntity},
	}, o.list)
	api.Register(a, huma.Operation{
		OperationID: "get-identity", Method: http.MethodGet, Path: "/v1/identities/{identity_id}", Tags: tags, Summary: "Get an identity", Extensions: read,
		Description: "Its principals and their accounts, and why each belongs to it: which identifier, in which connection, seen by which run, or which correction. The number of an identity that went into another answers with that one, as far back as history is kept.",
		Errors:      missing,
	}, o.get)
	api.Register(a, huma.Operation{
		OperationID: "list-identity-changes", Method: http.MethodGet, Path: "/v1/identities/{identity_id}/history", Tags: tags, Summary: "List what changed of an identity",
		Extensions: read, Description: "Which principals came and left, when, and by which run or correction; the newest first.", Errors: missing,
	}, o.history)
	api.Register(a, huma.Operation{
		OperationID: "join-identities", Method: http.MethodPost, Path: "/v1/identities/{identity_id}/join", Tags: tags, Summary: "Join identities", Extensions: manage,
		Description: "Makes them one for good, whatever their principals are known by. Splits between them end. What is one already stays as it is. Needs identities.manage.",
		Errors:      missing,
	}, o.join)
	api.Register(a, huma.Operation{
		OperationID: "split-identity", Method: http.MethodPost, Path: "/v1/identities/{identity_id}/split", Tags: tags, Summary: "Split an identity", Extensions: manage,
		Description: "Takes principals out of it for good: nothing but a join brings them together again with those that stay. Needs identities.manage.",
		Errors:      missing,
	}, o.split)
	api.Register(a, huma.Operation{
		OperationID: "list-identity-sources", Method: http.MethodGet, Path: "/v1/identity-sources", Tags: tags, Summary: "List trusted connections", Extensions: read,
		Description: "The connections whose unverified identifiers are believed.",
	}, o.sources)
	api.Register(a, huma.Operation{
		OperationID: "trust-identity-source", Method: http.MethodPut, Path: "/v1/identity-sources/{connection_id}", Tags: tags, Summary: "Trust a connection's identifiers", Extensions: manage,
		Description: "From now on its unverified identifiers join principals, too. Right where nobody but your own administrators writes them. Needs identities.manage.",
		Errors:      missing, DefaultStatus: http.StatusNoContent,
	}, o.trust)
	api.Register(a, huma.Operation{
		OperationID: "distrust-identity-source", Method: http.MethodDelete, Path: "/v1/identity-sources/{connection_id}", Tags: tags, Summary: "End the trust in a connection's identifiers",
		Extensions: manage, Description: "What its unverified identifiers alone have joined comes apart. Needs identities.manage.",
		Errors: missing, DefaultStatus: http.StatusNoContent,
	}, o.distrust)
}

type listInput struct {
	Limit      int                        `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"The most items to return."`
	Cursor     string                     `query:"cursor" maxLength:"4096" doc:"The next_cursor of the answer before; leave it out for the first page."`
	Name       string                     `query:"name" maxLength:"2048" doc:"Only identities with a principal of exactly this name."`
	NamePrefix string                     `query:"name_prefix" maxLength:"2048" doc:"Only identities with a principal whose name starts so; upper and lower case differ."`
	Identifier string                     `query:"identifier" maxLength:"2048" doc:"Only identities with a principal that is known by this email, sign-in name, employee number or anchor, in any form." example:"ann@example.com"`
	Connection api.QueryID[id.Connection] `query:"connection_id" doc:"Only identities with a principal in this connection."`
	Joined     bool                       `query:"joined" doc:"Only identities of several principals."`
	entity.Dated
}

// List is a page of identities.
type List struct {
	Identities []Summary `json:"identities" nullable:"false"`
	NextCursor string    `json:"next_cursor,omitempty"`
}

type listOutput struct{ Body List }

func (o *operations) list(ctx context.Context, in *listInput) (*listOutput, error) {
	for name, text := range map[string]string{"name": in.Name, "name_prefix": in.NamePrefix, "identifier": in.Identifier} {
		if !storable(text) {
			return nil, fault.InvalidField("query."+name, "must be UTF-8 text without NUL")
		}
	}
	f := domain.Filter{
		Name: in.Name, NamePrefix: in.NamePrefix, Identifier: in.Identifier, Connection: in.Connection.ID, Joined: in.Joined, AsOf: in.AsOf.Moment, Limit: in.Limit + 1,
	}
	if in.Cursor != "" {
		after, err := readPosition(in.Cursor)
		if err != nil {
			return nil, err
		}
		f.After = after
	}
	found, err := o.identities.List(ctx, api.CallerFrom(ctx), f)
	if err != nil {
		return nil, err
	}
	out := &listOutput{Body: List{Identities: []Summary{}}}
	if len(found) > in.Limit {
		found = found[:in.Limit]
		last := found[in.Limit-1]
		out.Body.NextCursor = writePosition(graph.EntityPosition{Name: last.Name, ID: last.Lead})
	}
	for _, s := range found {
		out.Body.Identities = append(out.Body.Identities, Summary{IdentityRef: entity.IdentityRefTo(s.Identity), ConnectionIDs: s.Connections})
	}
	return out, nil
}

type getInput struct {
	IdentityID entity.PathIdentity `path:"identity_id"`
	entity.Dated
}

type identityOutput struct{ Body Identity }

func (o *operations) get(ctx context.Context, in *getInput) (*identityOutput, error) {
	d, err := o.identities.Get(ctx, api.CallerFrom(ctx), in.IdentityID.ID, in.AsOf.Moment)
	if err != nil {
		return nil, err
	}
	return &identityOutput{Body: show(d)}, nil
}

type historyInput struct {
	IdentityID entity.PathIdentity `path:"identity_id"`
	Limit      int                 `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"The most items to return."`
	Cursor     string              `query:"cursor" maxLength:"256" doc:"The next_cursor of the answer before; leave it out for the first page."`
}

// History is a page of an identity's history.
type History struct {
	Changes    []Change `json:"changes" nullable:"false"`
	NextCursor string   `json:"next_cursor,omitempty"`
}

type historyOutput struct{ Body History }

func (o *operations) history(ctx context.Context, in *historyInput) (*historyOutput, error) {
	after, err := readChange(in.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := o.identities.History(ctx, api.CallerFrom(ctx), in.IdentityID.ID, after, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &historyOutput{Body: History{Changes: []Change{}}}
	if len(found) > in.Limit {
		found = found[:in.Limit]
		out.Body.NextCursor = writeChange(found[in.Limit-1].Position())
	}
	for _, c := range found {
		out.Body.Changes = append(out.Body.Changes, showChange(c))
	}
	return out, nil
}

func storable(text string) bool {
	if !utf8.ValidString(text) {
		return false
	}
	for i := range len(text) {
		if text[i] == 0 {
			return false
		}
	}
	return true
}
