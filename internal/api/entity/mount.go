package entity

import (
	"bytes"
	"context"
	"encoding/base64"
	"net/http"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/api/coverage"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	domain "github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Mount adds the operations on entities.
func Mount(a huma.API, questions *domain.Questions) {
	tags := []string{"Access graph"}
	api.Register(a, huma.Operation{
		OperationID: "list-entities", Method: http.MethodGet, Path: "/v1/entities", Tags: tags, Summary: "List entities",
		Extensions:  api.Needs(workspace.ReadWorkspace),
		Description: "The nodes of the access graph as they are, or were at a moment, in order of their names, and how completely each connection was read: what was not looked at is not listed. Use it to find the id that a question about access takes.",
		Errors:      []int{http.StatusUnprocessableEntity},
	}, list(questions))
	api.Register(a, huma.Operation{
		OperationID: "get-entity", Method: http.MethodGet, Path: "/v1/entities/{entity_id}", Tags: tags, Summary: "Get an entity",
		Extensions:  api.Needs(workspace.ReadWorkspace),
		Description: "One node of the access graph as it is, or was at a moment, with the provider's attributes, the names by which other systems may know it, and whose it is. An entity that has left the graph is not found, except as of a moment at which it was there.",
		Errors:      []int{http.StatusNotFound, http.StatusUnprocessableEntity},
	}, get(questions))
}

type listInput struct {
	// The cursor holds a name, so it may be longer than that of other lists.
	Limit        int                        `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"The most items to return."`
	Cursor       string                     `query:"cursor" maxLength:"4096" doc:"The next_cursor of the answer before; leave it out for the first page."`
	Kind         string                     `query:"kind" enum:"Principal,Account,Entitlement,Resource,CloudAccountBoundary" doc:"Only entities of this kind."`
	Type         string                     `query:"type" maxLength:"256" doc:"Only entities of this type, the provider's own term." example:"iam_user"`
	ConnectionID api.QueryID[id.Connection] `query:"connection_id" doc:"Only entities that this connection read."`
	ProviderID   string                     `query:"provider_id" maxLength:"2048" doc:"Only entities with exactly this provider id."`
	Name         string                     `query:"name" maxLength:"2048" doc:"Only entities with exactly this name."`
	NamePrefix   string                     `query:"name_prefix" maxLength:"2048" doc:"Only entities whose name starts so; upper and lower case differ."`
	Dated
}

// List is a page of entities.
type List struct {
	Entities   []Entity `json:"entities" nullable:"false"`
	NextCursor string   `json:"next_cursor,omitempty"`
	coverage.Basis
}

type listOutput struct{ Body List }

func list(questions *domain.Questions) func(context.Context, *listInput) (*listOutput, error) {
	return func(ctx context.Context, in *listInput) (*listOutput, error) {
		for name, text := range map[string]string{"type": in.Type, "name": in.Name, "name_prefix": in.NamePrefix} {
			if !validName([]byte(text)) {
				return nil, fault.InvalidField("query."+name, "must be UTF-8 text without NUL")
			}
		}
		after, err := position(in.Cursor)
		if err != nil {
			return nil, err
		}
		found, err := questions.ListEntities(ctx, api.CallerFrom(ctx), domain.EntityFilter{
			Kind: connector.EntityKind(in.Kind), Type: in.Type, Connection: in.ConnectionID.ID, ProviderID: in.ProviderID,
			Name: in.Name, NamePrefix: in.NamePrefix, AsOf: in.AsOf.Moment, After: after, Limit: in.Limit + 1,
		})
		if err != nil {
			return nil, err
		}
		out := &listOutput{Body: List{Entities: []Entity{}, Basis: coverage.BasisOf(found.AsOf, found.HistoryBegins, false, found.Coverage).Bounded(found.MoreCoverage)}}
		if len(found.Entities) > in.Limit {
			found.Entities = found.Entities[:in.Limit]
			last := found.Entities[in.Limit-1]
			out.Body.NextCursor = base64.RawURLEncoding.EncodeToString(append(last.ID[:], last.Name...))
		}
		for _, e := range found.Entities {
			out.Body.Entities = append(out.Body.Entities, FromDomain(e, found.Identities))
		}
		return out, nil
	}
}

// position reads a cursor: the id, then the name, of the last entity shown.
func position(cursor string) (*domain.EntityPosition, error) {
	if cursor == "" {
		return nil, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	var p domain.EntityPosition
	if err != nil || len(raw) < len(p.ID) || !validName(raw[len(p.ID):]) {
		return nil, fault.InvalidField("query.cursor", "is not a cursor of this list; use next_cursor as it was answered")
	}
	p.Name = string(raw[copy(p.ID[:], raw):])
	return &p, nil
}

type getInput struct {
	EntityID PathID `path:"entity_id"`
	Dated
}

// Detail is an entity and whose it is.
type Detail struct {
	Entity
	Principals     []PrincipalRef `json:"principals" nullable:"false" doc:"Of an account: the principals that it represents. Of a principal: the others of its identity, of any connection. At most 20."`
	MorePrincipals bool           `json:"more_principals,omitempty"`
	coverage.Basis
}

type getOutput struct{ Body Detail }

func get(questions *domain.Questions) func(context.Context, *getInput) (*getOutput, error) {
	return func(ctx context.Context, in *getInput) (*getOutput, error) {
		a, err := questions.ShowEntity(ctx, api.CallerFrom(ctx), in.EntityID.ID, in.AsOf.Moment)
		if err != nil {
			return nil, err
		}
		out := &getOutput{Body: Detail{
			Entity: FromDomain(a.Entity, a.Identities), Principals: []PrincipalRef{}, MorePrincipals: a.MorePrincipals,
			Basis: coverage.BasisOf(a.AsOf, a.HistoryBegins, false, a.Coverage),
		}}
		for _, p := range a.Principals {
			out.Body.Principals = append(out.Body.Principals, PrincipalRefTo(p, a.Identities))
		}
		return out, nil
	}
}

// validName reports whether a text can be stored at all: valid UTF-8 without NUL.
func validName(name []byte) bool { return utf8.Valid(name) && !bytes.ContainsRune(name, 0) }
