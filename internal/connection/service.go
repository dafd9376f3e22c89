package connection

import (
	"context"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Service is the use cases on connections.
type Service struct {
	Store   Store
	Catalog *integration.Catalog
	Vault   Vault
}

// List returns a page of the caller's connections in order of id.
func (s *Service) List(ctx context.Context, c workspace.Caller, f Filter) (Page, error) {
	if err := c.Require(workspace.ReadWorkspace); err != nil {
		return Page{}, err
	}
	return s.Store.List(ctx, c.Scope, f)
}

// Get returns a connection, or NotFound.
func (s *Service) Get(ctx context.Context, c workspace.Caller, conn id.Connection) (Connection, error) {
	if err := c.Require(workspace.ReadWorkspace); err != nil {
		return Connection{}, err
	}
	return s.Store.Get(ctx, c.Scope, conn)
}

// ResumeSchedule lets a paused schedule start the connection again: at once if it
// would have meanwhile. A schedule that is not paused stays as it is.
func (s *Service) ResumeSchedule(ctx context.Context, c workspace.Caller, conn id.Connection) (Connection, error) {
	if err := c.Require(workspace.ManageConnections); err != nil {
		return Connection{}, err
	}
	return s.Store.ResumeSchedule(ctx, c.Scope, conn, audit.Event{
		Actor: c.Actor(), Action: audit.ScheduleResumed, Outcome: audit.Succeeded, TargetType: "connection", TargetID: conn.String(),
	})
}

// PauseSchedule keeps the schedule from starting the connection, which people may
// still start, until somebody resumes it.
func (s *Service) PauseSchedule(ctx context.Context, c workspace.Caller, conn id.Connection) (Connection, error) {
	if err := c.Require(workspace.ManageConnections); err != nil {
		return Connection{}, err
	}
	return s.Store.PauseSchedule(ctx, c.Scope, conn, audit.Event{
		Actor: c.Actor(), Action: audit.SchedulePaused, Outcome: audit.Succeeded, TargetType: "connection", TargetID: conn.String(),
		Payload: map[string]any{"reason_code": string(PauseRequested)},
	})
}

// Tests lists the results of a connection's tests, newest first. Those of a
// deleted connection stay readable.
func (s *Service) Tests(ctx context.Context, c workspace.Caller, conn id.Connection, before id.Test, limit int) ([]TestResult, error) {
	if err := c.Require(workspace.ReadWorkspace); err != nil {
		return nil, err
	}
	return s.Store.ListTests(ctx, c.Scope, conn, before, limit)
}
