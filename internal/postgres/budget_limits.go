package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/budget"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// SetLimits returns the limits that were set.
func (s *Budgets) SetLimits(ctx context.Context) (map[budget.ScopeID]budget.SetLimit, error) {
	conn, err := s.db.borrow(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	rows, err := dbsqlc.New(conn).ListThrottleLimits(ctx)
	if err != nil {
		return nil, translate(fmt.Errorf("list throttle limits: %w", err))
	}
	set := make(map[budget.ScopeID]budget.SetLimit, len(rows))
	for _, r := range rows {
		set[budget.ScopeID{Integration: integration.ID(r.IntegrationID), Scope: r.Scope}] = budget.SetLimit{
			Limit: connector.ThrottleLimit{Calls: int(r.Calls), PerSeconds: int(r.PerSeconds), Burst: int(r.Burst), Concurrent: int(r.Concurrent)},
			By:    r.SetBy, At: r.SetAt,
		}
	}
	return set, nil
}

// SetLimit puts a limit in force.
func (s *Budgets) SetLimit(ctx context.Context, c workspace.Caller, which budget.ScopeID, l connector.ThrottleLimit, e audit.Event) (set budget.SetLimit, err error) {
	set = budget.SetLimit{Limit: l, By: c.Member.String()}
	err = s.db.InWorkspace(ctx, c.Scope.Workspace, func(tx pgx.Tx) error {
		set.At, err = dbsqlc.New(tx).SetThrottleLimit(ctx, dbsqlc.SetThrottleLimitParams{
			IntegrationID: string(which.Integration), Scope: which.Scope, SetBy: set.By,
			Calls: int32(l.Calls), PerSeconds: int32(l.PerSeconds), Burst: int32(l.Burst), Concurrent: int32(l.Concurrent),
		})
		if err != nil {
			return fmt.Errorf("set a throttle limit: %w", err)
		}
		return record(ctx, tx, c.Scope, e)
	})
	return set, err
}

// ClearLimit takes a limit away.
func (s *Budgets) ClearLimit(ctx context.Context, c workspace.Caller, which budget.ScopeID, e audit.Event) error {
	return s.db.InWorkspace(ctx, c.Scope.Workspace, func(tx pgx.Tx) error {
		n, err := dbsqlc.New(tx).ClearThrottleLimit(ctx, dbsqlc.ClearThrottleLimitParams{IntegrationID: string(which.Integration), Scope: which.Scope})
		if err != nil {
			return fmt.Errorf("clear a throttle limit: %w", err)
		}
		if n == 0 {
			return fault.New(fault.NotFound, "no limit is set for the throttle scope %q", which.String())
		}
		return record(ctx, tx, c.Scope, e)
	})
}
