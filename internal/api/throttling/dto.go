package throttling

import (
	"encoding/hex"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/api"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/budget"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Budget is how much of what a provider allows is there.
type Budget struct {
	BudgetID      string          `json:"budget_id" doc:"The same for everybody who shares the budget."`
	ThrottleScope string          `json:"throttle_scope" example:"aws.iam"`
	Key           []KeyPart       `json:"key" nullable:"false" doc:"What the provider counts by."`
	Limit         *ThrottleLimit  `json:"limit" doc:"What is in force; null when no connector declares the scope any more."`
	Available     float64         `json:"available" doc:"How many calls may be made now."`
	Pace          float64         `json:"pace" doc:"How much of the limit's rate is used: 1 for all of it, less after the provider refused calls."`
	ThrottledAt   *time.Time      `json:"throttled_at" doc:"When the provider last refused a call because of its rate."`
	PausedUntil   *time.Time      `json:"paused_until" doc:"Until then no calls are made, because the provider said so; null if they are."`
	AskedAt       time.Time       `json:"asked_at" doc:"When a run of the workspace last took part."`
	Connections   []id.Connection `json:"connections" nullable:"false" doc:"The workspace's connections that take part."`
	WaitingRuns   int             `json:"waiting_runs" doc:"How many of the workspace's runs wait for it now."`
}

// KeyPart is a part of what the provider counts by.
type KeyPart struct {
	Name  string `json:"name" example:"account"`
	Value string `json:"value" example:"123456789012"`
}

// ThrottleLimit is a token bucket.
type ThrottleLimit struct {
	Calls      int `json:"calls" minimum:"1" maximum:"1000000" doc:"How many calls are allowed in the long run, in each per_seconds."`
	PerSeconds int `json:"per_seconds" minimum:"1" maximum:"2678400"`
	Burst      int `json:"burst" minimum:"1" maximum:"1000000" doc:"How many calls may be made at once after a pause."`
	Concurrent int `json:"concurrent,omitempty" minimum:"0" maximum:"1000" doc:"How many calls may be under way at once; 0 for any number."`
}

// Limit is what the budgets of a throttle scope allow.
type Limit struct {
	ThrottleScope string        `json:"throttle_scope" example:"aws.iam"`
	Description   string        `json:"description"`
	Key           []string      `json:"key" nullable:"false" doc:"What tells one budget of the scope from another."`
	Declared      ThrottleLimit `json:"declared" doc:"What the connector declares."`
	InForce       ThrottleLimit `json:"in_force"`
	SetBy         *string       `json:"set_by" doc:"Member id of who set what is in force; null when the declared limit is."`
	SetAt         *time.Time    `json:"set_at"`
}

func fromLevel(l budget.Level) Budget {
	dto := Budget{
		BudgetID: hex.EncodeToString(l.Budget[:]), ThrottleScope: budget.ScopeID{Integration: l.Key.Integration, Scope: l.Key.Scope}.String(),
		Key: make([]KeyPart, len(l.Key.Parts)), Available: l.Tokens, Pace: l.Pace, ThrottledAt: api.UTC(l.ThrottledAt), PausedUntil: api.UTC(l.PausedUntil),
		AskedAt: l.AskedAt.UTC(), Connections: l.Connections, WaitingRuns: l.Waiting,
	}
	for i, value := range l.Key.Parts {
		dto.Key[i].Value = value
		if i < len(l.Names) {
			dto.Key[i].Name = l.Names[i]
		}
	}
	if l.Limit != nil {
		limit := fromThrottleLimit(*l.Limit)
		dto.Limit = &limit
	}
	return dto
}

func fromThrottleLimit(l connector.ThrottleLimit) ThrottleLimit {
	return ThrottleLimit{Calls: l.Calls, PerSeconds: l.PerSeconds, Burst: l.Burst, Concurrent: l.Concurrent}
}

func (l ThrottleLimit) domain() connector.ThrottleLimit {
	return connector.ThrottleLimit{Calls: l.Calls, PerSeconds: l.PerSeconds, Burst: l.Burst, Concurrent: l.Concurrent}
}

func fromLimit(l budget.Limit) Limit {
	dto := Limit{
		ThrottleScope: l.ID.String(), Description: l.Declared.Description, Key: l.Declared.Key,
		Declared: fromThrottleLimit(l.Declared.Limit), InForce: fromThrottleLimit(l.InForce()),
	}
	if l.Set != nil {
		dto.SetBy, dto.SetAt = &l.Set.By, api.UTC(&l.Set.At)
	}
	return dto
}
