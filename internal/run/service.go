package run

import (
	"context"
	"time"

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
	// Changed wakes waits for a run; a wait also looks by itself now and then.
	Changed Waker
}

// Get returns a run, or NotFound.
func (s *Service) Get(ctx context.Context, c workspace.Caller, r id.Run) (Run, error) {
	if err := c.Require(workspace.ReadWorkspace); err != nil {
		return Run{}, err
	}
	return s.Store.Get(ctx, c.Scope, r)
}

// Await is Get once the run has completed, or after the given time.
func (s *Service) Await(ctx context.Context, c workspace.Caller, r id.Run, atMost time.Duration) (Run, error) {
	end := time.Now().Add(atMost)
	for {
		found, err := s.Get(ctx, c, r)
		left := time.Until(end)
		if err != nil || found.Status == Completed || left <= 0 || ctx.Err() != nil {
			return found, err
		}
		s.Changed.Wait(ctx, min(left, recheckEvery))
	}
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
