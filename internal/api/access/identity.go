package access

import (
	"context"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/api/coverage"
	"github.com/gatehouse-project/gatehouse/internal/api/entity"
	"github.com/gatehouse-project/gatehouse/internal/graph"
)

type byIdentityOutput struct{ Body Identities }

func whoCanByIdentity(questions *graph.Questions) func(context.Context, *whoCanInput) (*byIdentityOutput, error) {
	return func(ctx context.Context, in *whoCanInput) (*byIdentityOutput, error) {
		f, err := in.domain()
		if err != nil {
			return nil, err
		}
		answer, err := questions.WhoCanByIdentity(ctx, api.CallerFrom(ctx), in.ResourceID.ID, f)
		if err != nil {
			return nil, err
		}
		return &byIdentityOutput{Body: showIdentities(answer)}, nil
	}
}

func showIdentities(answer graph.IdentityAccessAnswer) Identities {
	n := naming(answer.Entities)
	shown := Identities{
		Resource: entity.RefTo(answer.Subject), Identities: []IdentityAccess{}, NextCursor: cursor(answer.Next), AccountCount: answer.Accounts,
		Total: Total{answer.Count, answer.CountIsLower}, Basis: coverage.BasisOf(answer.AsOf, answer.HistoryBegins, answer.Truncated, answer.Coverage),
	}
	for _, r := range answer.Rows {
		row := IdentityAccess{Decision: string(r.Decision), Access: string(r.Kind), Accounts: r.Accounts, Ways: []Access{}}
		if r.Identity != nil {
			whose := entity.IdentityRefTo(*r.Identity)
			row.Identity.Value = &whose
		}
		for _, way := range r.Ways {
			row.Ways = append(row.Ways, n.access(way, answer.Identities))
		}
		shown.Identities = append(shown.Identities, row)
	}
	return shown
}

type whatIdentityCanInput struct {
	IdentityID entity.PathIdentity `path:"identity_id"`
	Filter
}

func whatIdentityCan(questions *graph.Questions) func(context.Context, *whatIdentityCanInput) (*whatCanOutput, error) {
	return func(ctx context.Context, in *whatIdentityCanInput) (*whatCanOutput, error) {
		f, err := in.domain()
		if err != nil {
			return nil, err
		}
		answer, err := questions.WhatIdentityCan(ctx, api.CallerFrom(ctx), in.IdentityID.ID, f)
		if err != nil {
			return nil, err
		}
		return &whatCanOutput{Body: showResources(answer)}, nil
	}
}

func showResources(answer graph.AccessAnswer) Resources {
	shown := Resources{
		Resources: rows(answer), NextCursor: cursor(answer.Next),
		Total: Total{answer.Count, answer.CountIsLower}, Basis: coverage.BasisOf(answer.AsOf, answer.HistoryBegins, answer.Truncated, answer.Coverage),
	}
	shown.Principal, shown.Identity = asked(answer.Subject, answer.Identity)
	return shown
}

func rows(answer graph.AccessAnswer) []Access {
	n := naming(answer.Entities)
	shown := make([]Access, len(answer.Rows))
	for i, r := range answer.Rows {
		shown[i] = n.access(r, answer.Identities)
	}
	return shown
}
