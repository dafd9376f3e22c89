package access

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/api/coverage"
	"github.com/gatehouse-project/gatehouse/internal/api/entity"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Mount adds the questions about access.
func Mount(a huma.API, questions *graph.Questions) {
	tags := []string{"Access graph"}
	errors := []int{http.StatusNotFound, http.StatusUnprocessableEntity}
	api.Register(a, huma.Operation{
		OperationID: "who-can", Method: http.MethodGet, Path: "/v1/access/resources/{resource_id}/principals", Tags: tags,
		Extensions: api.Needs(workspace.ReadWorkspace),
		Summary:    "Who can reach a resource?",
		Description: "Accounts that some grant allows to reach the resource, with the principals that they represent: by entitlements assigned to them, " +
			"by what those include, and by accounts that they may assume, up to eight one after the other. Accounts come first by how many others they must assume, then by id.",
		Errors: errors,
	}, whoCan(questions))
	api.Register(a, huma.Operation{
		OperationID: "what-can", Method: http.MethodGet, Path: "/v1/access/principals/{principal_id}/resources", Tags: tags,
		Extensions:  api.Needs(workspace.ReadWorkspace),
		Summary:     "What can a principal reach?",
		Description: "Resources that some grant allows the principal, by any account it represents, or the account to reach. In order of the resource's id; each row is about the account with the best access.",
		Errors:      errors,
	}, whatCan(questions))
	api.Register(a, huma.Operation{
		OperationID: "who-can-by-identity", Method: http.MethodGet, Path: "/v1/access/resources/{resource_id}/identities", Tags: tags,
		Extensions: api.Needs(workspace.ReadWorkspace),
		Summary:    "Which persons and workloads can reach a resource?",
		Description: "As who can, with one row for all accounts of an identity. A row is where the first of its accounts is. An account of several identities is in the row of each; " +
			"one through which nobody is known to act is a row by itself.",
		Errors: errors,
	}, whoCanByIdentity(questions))
	api.Register(a, huma.Operation{
		OperationID: "what-identity-can", Method: http.MethodGet, Path: "/v1/access/identities/{identity_id}/resources", Tags: tags,
		Extensions:  api.Needs(workspace.ReadWorkspace),
		Summary:     "What can a person or workload reach?",
		Description: "Resources that some grant allows one of the identity's principals to reach, in whichever connection they are. In order of connection, then of the resource's id; each row is about the account with the best access.",
		Errors:      errors,
	}, whatIdentityCan(questions))
	api.Register(a, huma.Operation{
		OperationID: "access-paths", Method: http.MethodGet, Path: "/v1/access/paths", Tags: tags, Summary: "How does one entity reach another?",
		Extensions:  api.Needs(workspace.ReadWorkspace),
		Description: "The shortest ways, edge by edge, with what each edge says and the run that saw it first.",
		Errors:      errors,
	}, paths(questions))
	api.Register(a, huma.Operation{
		OperationID: "access-since", Method: http.MethodGet, Path: "/v1/access/since", Tags: tags, Summary: "Since when is a resource reached?",
		Extensions:  api.Needs(workspace.ReadWorkspace),
		Description: "The times in which a principal, an account or a person reached a resource, by which edges, which runs saw that begin and end, and when it could not be looked at.",
		Errors:      errors,
	}, since(questions))
	mountCompare(a, questions)
	api.Register(a, huma.Operation{
		OperationID: "evaluate-access", Method: http.MethodGet, Path: "/v1/access/evaluate", Tags: tags, Summary: "Would a request be allowed?",
		Extensions: api.Needs(workspace.ReadWorkspace),
		Description: "Decides by the provider's own rules whether it would let a request through, from the policies that were read: as the account itself, and as what it may " +
			"take on. What is not known is not guessed: the decision is then \"depends\", and says on what. Only where the integration's connector decides requests, which that of AWS does.",
		Errors: errors,
	}, evaluate(questions))
}

// Filter is the part of the query that both lists have. It is embedded in their
// inputs.
type Filter struct {
	api.Page
	entity.Dated
	Action       string                     `query:"action" maxLength:"256" doc:"Only grants that speak of this action of the provider, without wildcards." example:"s3:GetObject"`
	Access       string                     `query:"access" enum:"direct,inherited" doc:"Only access held so."`
	Type         string                     `query:"type" maxLength:"256" doc:"Only accounts (who can) or resources (what can) of this type, the provider's own term." example:"iam_role"`
	Provider     string                     `query:"provider" maxLength:"64" doc:"Only access found through this integration." example:"aws"`
	ConnectionID api.QueryID[id.Connection] `query:"connection_id" doc:"Only access found through this connection."`
	Effective    bool                       `query:"effective" doc:"Also decide, by the provider's rules, what would become of each row's request: of the account (who can), or of whom was asked about by any of its accounts (what can). Needs an action."`
	Context      []string                   `query:"context,explode" maxItems:"50" doc:"What is known of the circumstances of these requests, as in evaluate; only with effective."`
	Count        bool                       `query:"count" doc:"Also count the rows of all pages, up to 10,000. Costs as much as reading them."`
}

func (f *Filter) domain() (graph.AccessFilter, error) {
	found := graph.AccessFilter{
		Action: f.Action, Type: f.Type, Connection: f.ConnectionID.ID, Integration: integration.ID(f.Provider),
		Kind: graph.AccessKind(f.Access), AsOf: f.AsOf.Moment, Limit: f.Limit, Count: f.Count, Effective: f.Effective,
	}
	var err error
	if found.Context, err = circumstances(f.Context); err != nil {
		return found, err
	}
	found.After, err = position(f.Cursor)
	return found, err
}

type whoCanInput struct {
	ResourceID entity.PathID `path:"resource_id"`
	Filter
}

type whoCanOutput struct{ Body Principals }

func whoCan(questions *graph.Questions) func(context.Context, *whoCanInput) (*whoCanOutput, error) {
	return func(ctx context.Context, in *whoCanInput) (*whoCanOutput, error) {
		f, err := in.domain()
		if err != nil {
			return nil, err
		}
		answer, err := questions.WhoCan(ctx, api.CallerFrom(ctx), in.ResourceID.ID, f)
		if err != nil {
			return nil, err
		}
		return &whoCanOutput{Body: Principals{
			Resource: entity.RefTo(answer.Subject), Principals: rows(answer), NextCursor: cursor(answer.Next),
			Total: Total{answer.Count, answer.CountIsLower}, Basis: coverage.BasisOf(answer.AsOf, answer.HistoryBegins, answer.Truncated, answer.Coverage),
		}}, nil
	}
}

type whatCanInput struct {
	PrincipalID entity.PathID `path:"principal_id"`
	Filter
}

type whatCanOutput struct{ Body Resources }

func whatCan(questions *graph.Questions) func(context.Context, *whatCanInput) (*whatCanOutput, error) {
	return func(ctx context.Context, in *whatCanInput) (*whatCanOutput, error) {
		f, err := in.domain()
		if err != nil {
			return nil, err
		}
		answer, err := questions.WhatCan(ctx, api.CallerFrom(ctx), in.PrincipalID.ID, f)
		if err != nil {
			return nil, err
		}
		return &whatCanOutput{Body: showResources(answer)}, nil
	}
}

type pathsInput struct {
	From  entity.QueryWho `query:"from" required:"true" doc:"A principal, an account or an entitlement; or an identity, for all of its principals."`
	To    entity.QueryID  `query:"to" required:"true" doc:"A resource, or anything on the way to one."`
	Limit int             `query:"limit" minimum:"1" maximum:"50" default:"5" doc:"The most paths to return."`
	Depth int             `query:"depth" minimum:"1" maximum:"12" default:"8" doc:"The most edges of a path."`
	entity.Dated
}

type pathsOutput struct{ Body Paths }

func paths(questions *graph.Questions) func(context.Context, *pathsInput) (*pathsOutput, error) {
	return func(ctx context.Context, in *pathsInput) (*pathsOutput, error) {
		answer, err := questions.Paths(ctx, api.CallerFrom(ctx), graph.PathQuery{
			From: in.From.ID, Identity: in.From.Identity, To: in.To.ID, Depth: in.Depth, Limit: in.Limit, AsOf: in.AsOf.Moment,
		})
		if err != nil {
			return nil, err
		}
		return &pathsOutput{Body: showPaths(answer)}, nil
	}
}
