package run

import (
	"context"

	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Store is everything the use cases on runs need.
type Store interface {
	Reader
	AdmissionStore
}

// Service is what members do with runs other than starting them.
type Service struct {
	Store Store
	// Changed wakes those who wait for a run; they also look by themselves now
	// and then.
	Changed Changes
}

// Get returns a run, or NotFound.
func (s *Service) Get(ctx context.Context, c workspace.Caller, r id.Run) (Run, error) {
	if err := c.Require(workspace.ReadWorkspace); err != nil {
		return Run{}, err
	}
	return s.Store.Get(ctx, c.Scope, r)
}

// List returns the newest runs first.
func (s *Service) List(ctx context.Context, c workspace.Caller, f Filter) ([]Run, error) {
	if err := c.Require(workspace.ReadWorkspace); err != nil {
		return nil, err
	}
	return s.Store.List(ctx, c.Scope, f)
}

// Coverage returns how completely each partition of a run was read.
func (s *Service) Coverage(ctx context.Context, c workspace.Caller, r id.Run) ([]CoverageRow, error) {
	if err := c.Require(workspace.ReadWorkspace); err != nil {
		return nil, err
	}
	return s.Store.Coverage(ctx, c.Scope, r)
}

// Cancel asks for a run to end.
func (s *Service) Cancel(ctx context.Context, c workspace.Caller, r id.Run) (Run, error) {
	if err := c.Require(workspace.StartOperations); err != nil {
		return Run{}, err
	}
	return s.Store.RequestCancel(ctx, c.Scope, r, c.Actor())
}
