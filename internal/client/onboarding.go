package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Onboarding is a session in which a provider is connected.
type Onboarding struct {
	SessionID      string `json:"session_id"`
	IntegrationID  string `json:"integration_id"`
	ConnectionID   string `json:"connection_id"`
	ConnectionName string `json:"connection_name"`
	// Status is open, bootstrapping, stopped, completed or abandoned.
	Status string `json:"status"`
	// Step is the first that is not done; empty when all are.
	Step              string                `json:"step"`
	Steps             []OnboardingStep      `json:"steps"`
	Verification      *Verification         `json:"verification"`
	Operations        []OnboardingOperation `json:"operations"`
	OfferedOperations []string              `json:"offered_operations"`
	ReasonCode        string                `json:"reason_code"`
	ShortReason       string                `json:"short_reason"`
	Explanation       string                `json:"explanation"`
	NextSteps         []NextStep            `json:"next_steps"`
	PermissionPacks   []PermissionPack      `json:"permission_packs"`
	Version           int64                 `json:"version"`
	CreatedAt         time.Time             `json:"created_at"`
	UpdatedAt         time.Time             `json:"updated_at"`
	ExpiresAt         *time.Time            `json:"expires_at"`
}

// OnboardingStep is one part of the way.
type OnboardingStep struct {
	Step    string     `json:"step"`
	State   string     `json:"state"`
	TakenBy string     `json:"taken_by"`
	TakenAt *time.Time `json:"taken_at"`
}

// Verification is a test of a session's connection.
type Verification struct {
	RunID string `json:"run_id"`
	// State is running, done, failed or outdated.
	State       string          `json:"state"`
	ReasonCode  string          `json:"reason_code"`
	ShortReason string          `json:"short_reason"`
	Explanation string          `json:"explanation"`
	Remediation []Remediation   `json:"remediation"`
	Streams     []StreamOutlook `json:"streams"`
}

// OnboardingOperation is one operation of a bootstrap.
type OnboardingOperation struct {
	OperationType string `json:"operation_type"`
	// State is pending, waiting, started or ended.
	State       string `json:"state"`
	Outcome     string `json:"outcome"`
	ReasonCode  string `json:"reason_code"`
	ShortReason string `json:"short_reason"`
	RunID       string `json:"run_id"`
	WaitsFor    string `json:"waits_for_run_id"`
}

// BootstrapOutcome is the answer to the start of a bootstrap.
type BootstrapOutcome struct {
	StartResult
	Session Onboarding `json:"session"`
}

// PermissionPack is permissions in the provider's own form.
type PermissionPack struct {
	Kind         string `json:"kind"`
	Title        string `json:"title"`
	Instructions string `json:"instructions"`
	Format       string `json:"format"`
	FileName     string `json:"file_name"`
	Content      string `json:"content"`
}

// Permissions is what to grant for an integration.
type Permissions struct {
	PermissionPacks []PermissionPack `json:"permission_packs"`
}

// OnboardingFilter narrows a list of sessions; empty fields do not.
type OnboardingFilter struct {
	Status, Integration string
	// Mine leaves out what others started.
	Mine bool
}

// Permissions returns what to grant at the provider, for a configuration without
// its secrets and a scope, each a JSON object or empty.
func (c *Client) Permissions(ctx context.Context, integration, configuration, scope string) (Answer[Permissions], error) {
	q := url.Values{}
	if configuration != "" {
		q.Set("configuration", configuration)
	}
	if scope != "" {
		q.Set("scope", scope)
	}
	return send[Permissions](ctx, c, call{method: http.MethodGet, path: "/v1/integrations/" + url.PathEscape(integration) + "/permissions", query: q})
}

// StartOnboarding begins a session.
func (c *Client) StartOnboarding(ctx context.Context, integration string) (Answer[Onboarding], error) {
	return send[Onboarding](ctx, c, call{method: http.MethodPost, path: "/v1/onboarding", body: map[string]string{"integration_id": integration}})
}

// OnboardingSessions lists sessions, newest first.
func (c *Client) OnboardingSessions(ctx context.Context, f OnboardingFilter, pages Pages) (List[Onboarding], error) {
	q := url.Values{}
	if f.Status != "" {
		q.Set("status", f.Status)
	}
	if f.Integration != "" {
		q.Set("integration_id", f.Integration)
	}
	if f.Mine {
		q.Set("mine", "true")
	}
	return list[Onboarding](ctx, c, "/v1/onboarding", "sessions", q, pages)
}

// Onboarding returns a session.
func (c *Client) Onboarding(ctx context.Context, id string) (Answer[Onboarding], error) {
	return send[Onboarding](ctx, c, call{method: http.MethodGet, path: onboardingPath(id)})
}

// PickConnection chooses a session's connection.
func (c *Client) PickConnection(ctx context.Context, id, connection string) (Answer[Onboarding], error) {
	return send[Onboarding](ctx, c, call{method: http.MethodPut, path: onboardingPath(id) + "/connection", body: map[string]string{"connection_id": connection}})
}

// VerifyOnboarding has a session's connection tested; the run is not waited for.
func (c *Client) VerifyOnboarding(ctx context.Context, id string) (Answer[StartResult], error) {
	return send[StartResult](ctx, c, call{
		method: http.MethodPost, path: onboardingPath(id) + "/operations/connection.test/start", body: map[string]string{"step": "verify"},
	})
}

// Bootstrap starts a session's operations, one after the other.
func (c *Client) Bootstrap(ctx context.Context, id, connection string, operations []string) (Answer[BootstrapOutcome], error) {
	return send[BootstrapOutcome](ctx, c, call{
		method: http.MethodPost, path: onboardingPath(id) + "/bootstrap",
		body: map[string]any{"connection_id": connection, "selected_operations": operations},
	})
}

// ResumeOnboarding has a stopped session go on.
func (c *Client) ResumeOnboarding(ctx context.Context, id string) (Answer[BootstrapOutcome], error) {
	return send[BootstrapOutcome](ctx, c, call{method: http.MethodPost, path: onboardingPath(id) + "/resume"})
}

// AbandonOnboarding ends a session for good.
func (c *Client) AbandonOnboarding(ctx context.Context, id string) (Answer[Onboarding], error) {
	return send[Onboarding](ctx, c, call{method: http.MethodPost, path: onboardingPath(id) + "/abandon"})
}

func onboardingPath(id string) string { return "/v1/onboarding/" + url.PathEscape(id) }
