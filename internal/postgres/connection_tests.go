package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
)

// ListTests returns the newest results first, of a deleted connection too.
func (s *Connections) ListTests(ctx context.Context, scope id.Scope, c id.Connection, before id.Test, limit int) (tests []connection.TestResult, err error) {
	if c == 0 {
		return nil, noConnection(c)
	}
	made, err := s.db.read(scope.Workspace).ConnectionWasMade(ctx, dbsqlc.ConnectionWasMadeParams{WorkspaceID: int64(scope.Workspace), ConnectionID: int64(c)})
	if err != nil {
		return nil, fmt.Errorf("look for a connection: %w", err)
	}
	if !made {
		return nil, noConnection(c)
	}
	return s.findTests(ctx, dbsqlc.ListTestsParams{
		WorkspaceID: int64(scope.Workspace), ConnectionID: int64(c), Before: int64(before), Most: int32(limit),
	})
}

// TestOfRun returns the result that a run found.
func (s *Connections) TestOfRun(ctx context.Context, scope id.Scope, r id.Run) (connection.TestResult, error) {
	missing := notFound(pgx.ErrNoRows, "run %s has no test result", r)
	if r == 0 {
		return connection.TestResult{}, missing
	}
	tests, err := s.findTests(ctx, dbsqlc.ListTestsParams{WorkspaceID: int64(scope.Workspace), RunID: int64(r), Most: 1})
	if err != nil {
		return connection.TestResult{}, err
	}
	if len(tests) == 0 {
		return connection.TestResult{}, missing
	}
	return tests[0], nil
}

func (s *Connections) findTests(ctx context.Context, p dbsqlc.ListTestsParams) ([]connection.TestResult, error) {
	rows, err := s.db.read(id.Workspace(p.WorkspaceID)).ListTests(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("list tests: %w", err)
	}
	tests := make([]connection.TestResult, 0, len(rows))
	for _, r := range rows {
		t := connection.TestResult{
			ID: id.Test(r.TestID), Connection: id.Connection(r.ConnectionID), Run: id.Run(r.RunID), Success: r.Status == "success",
			Reason: operation.Code(orZero(r.ReasonCode)), CheckedAt: r.CheckedAt,
		}
		if err := json.Unmarshal(r.Remediation, &t.Remediation); err != nil {
			return nil, fmt.Errorf("decode the remediation of %s: %w", t.ID, err)
		}
		if err := json.Unmarshal(r.Outlook, &t.Outlook); err != nil {
			return nil, fmt.Errorf("decode the outlook of %s: %w", t.ID, err)
		}
		tests = append(tests, t)
	}
	return tests, nil
}
