package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// ThrottleBudget is how much there is of what a provider allows.
type ThrottleBudget struct {
	BudgetID      string         `json:"budget_id"`
	ThrottleScope string         `json:"throttle_scope"`
	Key           []ThrottleKey  `json:"key"`
	Limit         *ThrottleLimit `json:"limit"`
	Available     float64        `json:"available"`
	Pace          float64        `json:"pace"`
	ThrottledAt   *time.Time     `json:"throttled_at"`
	PausedUntil   *time.Time     `json:"paused_until"`
	AskedAt       time.Time      `json:"asked_at"`
	Connections   []string       `json:"connections"`
	WaitingRuns   int            `json:"waiting_runs"`
}

// ThrottleKey is a part of what the provider counts by.
type ThrottleKey struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// ThrottleLimit is a token bucket.
type ThrottleLimit struct {
	Calls      int `json:"calls"`
	PerSeconds int `json:"per_seconds"`
	Burst      int `json:"burst"`
	Concurrent int `json:"concurrent,omitempty"`
}

// ThrottleScopeLimit is what the budgets of a throttle scope allow.
type ThrottleScopeLimit struct {
	ThrottleScope string        `json:"throttle_scope"`
	Description   string        `json:"description"`
	Key           []string      `json:"key"`
	Declared      ThrottleLimit `json:"declared"`
	InForce       ThrottleLimit `json:"in_force"`
	SetBy         *string       `json:"set_by"`
	SetAt         *time.Time    `json:"set_at"`
}

// ThrottleScopeLimits are those of all throttle scopes.
type ThrottleScopeLimits struct {
	Limits []ThrottleScopeLimit `json:"throttle_limits"`
}

// ThrottleBudgets returns the budgets that runs of the workspace take part in;
// connection, if not empty, narrows them down.
func (c *Client) ThrottleBudgets(ctx context.Context, connection string, pages Pages) (List[ThrottleBudget], error) {
	query := url.Values{}
	if connection != "" {
		query.Set("connection_id", connection)
	}
	return list[ThrottleBudget](ctx, c, "/v1/throttle-budgets", "throttle_budgets", query, pages)
}

// ThrottleLimits returns what the budgets of each throttle scope allow.
func (c *Client) ThrottleLimits(ctx context.Context) (Answer[ThrottleScopeLimits], error) {
	return send[ThrottleScopeLimits](ctx, c, call{method: http.MethodGet, path: "/v1/throttle-limits"})
}

// SetThrottleLimit puts a limit in the place of the declared one.
func (c *Client) SetThrottleLimit(ctx context.Context, scope string, l ThrottleLimit) (Answer[ThrottleScopeLimit], error) {
	return send[ThrottleScopeLimit](ctx, c, call{method: http.MethodPut, path: "/v1/throttle-limits/" + url.PathEscape(scope), body: l})
}

// ClearThrottleLimit puts the declared limit in force again.
func (c *Client) ClearThrottleLimit(ctx context.Context, scope string) error {
	_, err := send[struct{}](ctx, c, call{method: http.MethodDelete, path: "/v1/throttle-limits/" + url.PathEscape(scope)})
	return err
}
