package budget

import (
	"context"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// ScopeID names a throttle scope of the catalog.
type ScopeID struct {
	Integration integration.ID
	Scope       string
}

// String returns the public form, such as "aws.iam".
func (s ScopeID) String() string { return string(s.Integration) + "." + s.Scope }

// ParseScopeID reads the public form. What has another form is no scope.
func ParseScopeID(text string) ScopeID {
	i, scope, _ := strings.Cut(text, ".")
	return ScopeID{Integration: integration.ID(i), Scope: scope}
}

// Limit is what the budgets of a scope allow.
type Limit struct {
	ID ScopeID
	// Declared is what the connector says.
	Declared connector.ThrottleScope
	// Set is what an administrator put in its place; nil for nothing.
	Set *SetLimit
}

// InForce returns what counts.
func (l Limit) InForce() connector.ThrottleLimit {
	if l.Set != nil {
		return l.Set.Limit
	}
	return l.Declared.Limit
}

// SetLimit is a limit that an administrator set.
type SetLimit struct {
	Limit connector.ThrottleLimit
	By    string
	At    time.Time
}

// Limits keeps the limits that were set, for the whole tenant.
type Limits interface {
	// SetLimits returns all, by scope.
	SetLimits(ctx context.Context) (map[ScopeID]SetLimit, error)
	// SetLimit puts a limit in force, with its audit event.
	SetLimit(ctx context.Context, c workspace.Caller, s ScopeID, l connector.ThrottleLimit, e audit.Event) (SetLimit, error)
	// ClearLimit takes it away, with its audit event; NotFound when there is none.
	ClearLimit(ctx context.Context, c workspace.Caller, s ScopeID, e audit.Event) error
}

// Limits lists the throttle scopes of the catalog in order of name, and their limits.
func (s *Service) Limits(ctx context.Context, c workspace.Caller) ([]Limit, error) {
	if err := c.Require(workspace.ReadAdministration); err != nil {
		return nil, err
	}
	return s.limits(ctx)
}

func (s *Service) limits(ctx context.Context) ([]Limit, error) {
	set, err := s.Store.SetLimits(ctx)
	if err != nil {
		return nil, err
	}
	var all []Limit
	for _, entry := range s.Catalog.List() {
		for _, scope := range entry.ThrottleScopes {
			l := Limit{ID: ScopeID{Integration: entry.ID(), Scope: scope.Name}, Declared: scope}
			if found, ok := set[l.ID]; ok {
				l.Set = &found
			}
			all = append(all, l)
		}
	}
	return all, nil
}

// SetLimit puts a limit in the place of the declared one, for all budgets of the
// scope in the tenant, at once.
func (s *Service) SetLimit(ctx context.Context, c workspace.Caller, which ScopeID, l connector.ThrottleLimit) (Limit, error) {
	if err := c.Require(workspace.ManageThrottling); err != nil {
		return Limit{}, err
	}
	declared, err := s.declared(which)
	if err != nil {
		return Limit{}, err
	}
	if err := l.Validate(); err != nil {
		return Limit{}, fault.InvalidField("limit", "%s", err.Error())
	}
	if (l.Concurrent > 0) != (declared.Limit.Concurrent > 0) {
		return Limit{}, fault.InvalidField("concurrent", "cannot be set or taken away: the connector says whether calls under way are limited")
	}
	set, err := s.Store.SetLimit(ctx, c, which, l, audit.Event{
		Actor: c.Actor(), Action: audit.ThrottleLimitSet, Outcome: audit.Succeeded, TargetType: "throttle_scope", TargetID: which.String(),
		Payload: map[string]any{"calls": l.Calls, "per_seconds": l.PerSeconds, "burst": l.Burst, "concurrent": l.Concurrent},
	})
	return Limit{ID: which, Declared: declared, Set: &set}, err
}

// ClearLimit puts the declared limit in force again.
func (s *Service) ClearLimit(ctx context.Context, c workspace.Caller, which ScopeID) error {
	if err := c.Require(workspace.ManageThrottling); err != nil {
		return err
	}
	return s.Store.ClearLimit(ctx, c, which, audit.Event{
		Actor: c.Actor(), Action: audit.ThrottleLimitCleared, Outcome: audit.Succeeded, TargetType: "throttle_scope", TargetID: which.String(),
	})
}

func (s *Service) declared(which ScopeID) (connector.ThrottleScope, error) {
	if entry, err := s.Catalog.Get(which.Integration); err == nil {
		if scope, ok := entry.ThrottleScope(which.Scope); ok {
			return scope, nil
		}
	}
	return connector.ThrottleScope{}, fault.New(fault.NotFound, "there is no throttle scope %q; the list of throttle limits has all", which.String())
}
