package budget

import (
	"context"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Level is how a budget stands that runs of a workspace take part in.
type Level struct {
	Budget ID
	Key    Key
	// Names are those of the key's parts, where the scope is in the catalog.
	Names []string
	// Limit is what is in force; nil when no connector declares the scope any more.
	Limit *connector.ThrottleLimit
	// Tokens are how many calls may be made now, and Pace how much of the limit's
	// rate is used, 1 for all of it.
	Tokens, Pace float64
	// ThrottledAt is when the provider last refused a call, and PausedUntil how
	// long nothing is given because it said so; nil for never and not now.
	ThrottledAt, PausedUntil *time.Time
	AskedAt                  time.Time
	// Connections are those of the workspace that take part.
	Connections []id.Connection
	// Waiting is how many of the workspace's runs wait.
	Waiting int
}

// LevelFilter narrows down a list of levels.
type LevelFilter struct {
	// Connection is zero for any.
	Connection id.Connection
	// After is the budget that the list continues behind; zero for the first page.
	After ID
	Limit int
}

// Levels tells how budgets stand.
type Levels interface {
	// Levels lists the budgets that runs of the workspace take part in, in order of
	// id; [Level.Tokens] as of when they were last counted, Names and Limit empty.
	Levels(ctx context.Context, s id.Scope, f LevelFilter) ([]StoredLevel, error)
}

// StoredLevel is a level as it was last counted.
type StoredLevel struct {
	Level
	// CountedAt is when tokens and pace were counted, and Now the database's time.
	CountedAt, Now time.Time
}

// Levels lists the budgets that runs of the caller's workspace take part in.
func (s *Service) Levels(ctx context.Context, c workspace.Caller, f LevelFilter) ([]Level, error) {
	if err := c.Require(workspace.ReadWorkspace); err != nil {
		return nil, err
	}
	stored, err := s.Store.Levels(ctx, c.Scope, f)
	if err != nil {
		return nil, err
	}
	limits, err := s.limits(ctx)
	if err != nil {
		return nil, err
	}
	byScope := make(map[ScopeID]Limit, len(limits))
	for _, l := range limits {
		byScope[l.ID] = l
	}
	levels := make([]Level, len(stored))
	for i, l := range stored {
		if found, ok := byScope[ScopeID{Integration: l.Key.Integration, Scope: l.Key.Scope}]; ok {
			limit := found.InForce()
			l.Limit, l.Names = &limit, found.Declared.Key
			l.Tokens = refilled(l, limit)
		}
		if l.PausedUntil != nil && !l.PausedUntil.After(l.Now) {
			l.PausedUntil = nil
		}
		levels[i] = l.Level
	}
	return levels, nil
}

// refilled is what there is by now, as take_throttle_budget counts it.
func refilled(l StoredLevel, limit connector.ThrottleLimit) float64 {
	from := l.CountedAt
	if l.PausedUntil != nil && l.PausedUntil.After(from) {
		from = *l.PausedUntil
	}
	return min(float64(limit.Burst), l.Tokens+max(0, l.Now.Sub(from).Seconds())*limit.Rate()*l.Pace)
}
