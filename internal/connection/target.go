package connection

import (
	"context"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Target is the provider-side organisation that connections reach.
type Target struct {
	ID             id.Target
	ProviderSystem string
	// ProviderID is the provider's immutable id of it.
	ProviderID string
	// Type is the provider's term, such as "organization" or "account".
	Type      string
	Name      string
	CreatedAt time.Time
	UpdatedAt time.Time
}

// TargetFilter narrows a listing of targets; zero fields do not narrow.
type TargetFilter struct {
	ProviderSystem string
	// After continues a listing: only targets with a greater id.
	After id.Target
	// Limit is the most targets to return, 1 or more.
	Limit int
}

// TargetPage is a page of a listing of targets.
type TargetPage struct {
	Targets []Target
	// Total counts what the filter lets through on all pages.
	Total int64
}

// Targets lists the caller's targets in order of id.
func (s *Service) Targets(ctx context.Context, c workspace.Caller, f TargetFilter) (TargetPage, error) {
	if err := c.Require(workspace.ReadWorkspace); err != nil {
		return TargetPage{}, err
	}
	return s.Store.ListTargets(ctx, c.Scope, f)
}

// Target returns a target, or NotFound.
func (s *Service) Target(ctx context.Context, c workspace.Caller, t id.Target) (Target, error) {
	if err := c.Require(workspace.ReadWorkspace); err != nil {
		return Target{}, err
	}
	return s.Store.GetTarget(ctx, c.Scope, t)
}

// named returns the target that a caller names for a connection to a provider.
// One that there is not, and one of another provider, are Invalid.
func (s *Service) named(ctx context.Context, scope id.Scope, t id.Target, providerSystem string) (*Target, error) {
	found, err := s.Store.GetTarget(ctx, scope, t)
	if fault.KindOf(err) == fault.NotFound {
		return nil, fault.InvalidField("target_id", "names no target of this workspace; see GET /v1/targets")
	}
	if err != nil {
		return nil, err
	}
	if found.ProviderSystem != providerSystem {
		return nil, fault.InvalidField("target_id", "is a target of %s; the integration reaches %s", found.ProviderSystem, providerSystem)
	}
	return &found, nil
}
