package postgres

import (
	"context"
	"fmt"

	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
)

// GetTarget returns a target.
func (s *Connections) GetTarget(ctx context.Context, scope id.Scope, t id.Target) (connection.Target, error) {
	if t == 0 { // to the query, zero means any
		return connection.Target{}, fault.New(fault.NotFound, "there is no such target")
	}
	found, err := findTargets(ctx, s.db.read(scope.Workspace), dbsqlc.FindTargetsParams{WorkspaceID: int64(scope.Workspace), TargetID: int64(t), Most: 1})
	if err != nil {
		return connection.Target{}, err
	}
	if len(found) == 0 {
		return connection.Target{}, fault.New(fault.NotFound, "there is no target %s", t)
	}
	return found[0], nil
}

// ListTargets returns a page of targets in order of id.
func (s *Connections) ListTargets(ctx context.Context, scope id.Scope, f connection.TargetFilter) (page connection.TargetPage, err error) {
	q := s.db.read(scope.Workspace)
	page.Targets, err = findTargets(ctx, q, dbsqlc.FindTargetsParams{
		WorkspaceID: int64(scope.Workspace), ProviderSystem: f.ProviderSystem, After: int64(f.After), Most: int32(f.Limit),
	})
	if err != nil {
		return page, err
	}
	page.Total, err = q.CountTargets(ctx, dbsqlc.CountTargetsParams{WorkspaceID: int64(scope.Workspace), ProviderSystem: f.ProviderSystem})
	if err != nil {
		return page, fmt.Errorf("count targets: %w", err)
	}
	return page, nil
}

func findTargets(ctx context.Context, q *dbsqlc.Queries, p dbsqlc.FindTargetsParams) ([]connection.Target, error) {
	rows, err := q.FindTargets(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("find targets: %w", err)
	}
	found := make([]connection.Target, 0, len(rows))
	for _, r := range rows {
		found = append(found, connection.Target{
			ID: id.Target(r.TargetID), ProviderSystem: r.ProviderSystem, ProviderID: r.ProviderTargetID, Type: r.TargetType, Name: r.Name,
			CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
		})
	}
	return found, nil
}
