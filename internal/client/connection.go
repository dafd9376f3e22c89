package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Connection is a workspace's installation of an integration.
type Connection struct {
	ConnectionID     string          `json:"connection_id"`
	IntegrationID    string          `json:"integration_id"`
	ConnectorID      string          `json:"connector_id"`
	ConnectorVersion string          `json:"connector_version"`
	Name             string          `json:"name"`
	TenantID         string          `json:"tenant_id"`
	WorkspaceID      string          `json:"workspace_id"`
	Target           *Target         `json:"target"`
	ActsAs           string          `json:"acts_as"`
	Scope            json.RawMessage `json:"scope"`
	Schedule         Schedule        `json:"schedule"`
	Config           json.RawMessage `json:"config"`
	// ConfigRefs are the secret fields that are kept elsewhere, and in what: env,
	// file or awssm.
	ConfigRefs          map[string]string `json:"config_refs"`
	CredentialType      string            `json:"credential_type"`
	IsDefault           bool              `json:"is_default"`
	Lifecycle           string            `json:"lifecycle"`
	Status              string            `json:"status"`
	LastRunAt           *time.Time        `json:"last_run_at"`
	NextRunAt           *time.Time        `json:"next_run_at"`
	LastHealthCheckAt   *time.Time        `json:"last_health_check_at"`
	LastErrorReasonCode string            `json:"last_error_reason_code"`
	LastErrorMessage    string            `json:"last_error_message"`
	Version             int64             `json:"version"`

	ScheduleFailures        int        `json:"schedule_failures"`
	SchedulePausedAt        *time.Time `json:"schedule_paused_at"`
	SchedulePauseReasonCode string     `json:"schedule_pause_reason_code"`
}

// Target is the organisation that a connection's credentials reach.
type Target struct {
	TargetID       string `json:"target_id"`
	ProviderSystem string `json:"provider_system"`
	ProviderID     string `json:"provider_id"`
	Type           string `json:"type"`
	Name           string `json:"name"`
}

// Schedule says when a connection is discovered by itself.
type Schedule struct {
	// Type is manual, hourly, daily, weekly or cron.
	Type string `json:"type"`
	// Hour is 0 to 23, Minute 0 to 59, Weekday 0 (Sunday) to 6.
	Hour    int `json:"hour,omitempty"`
	Minute  int `json:"minute,omitempty"`
	Weekday int `json:"weekday,omitempty"`
	// Cron is five fields, for cron.
	Cron string `json:"cron,omitempty"`
	// Timezone is an IANA name; UTC when empty.
	Timezone string `json:"timezone,omitempty"`
	// SpreadMinutes is how long after a due time a start may come; the server
	// chooses when it is nil.
	SpreadMinutes *int `json:"spread_minutes,omitempty"`
}

// ConnectionDraft is a connection to create.
type ConnectionDraft struct {
	IntegrationID string                     `json:"integration_id"`
	Name          string                     `json:"name"`
	Configuration map[string]json.RawMessage `json:"configuration"`
	Scope         map[string]json.RawMessage `json:"scope,omitzero"`
	Schedule      *Schedule                  `json:"schedule,omitempty"`
	TargetID      string                     `json:"target_id,omitempty"`
	IsDefault     bool                       `json:"is_default,omitempty"`
}

// ConnectionPatch is a change, sent as a JSON merge patch: what is nil stays as it
// is, and a field of the configuration or the scope that is null is removed.
type ConnectionPatch struct {
	Name          *string                    `json:"name,omitempty"`
	Configuration map[string]json.RawMessage `json:"configuration,omitempty"`
	Scope         map[string]json.RawMessage `json:"scope,omitzero"`
	Schedule      *SchedulePatch             `json:"schedule,omitempty"`
	Lifecycle     *string                    `json:"lifecycle,omitempty"`
	IsDefault     *bool                      `json:"is_default,omitempty"`
}

// ConnectionTest is what a test found.
type ConnectionTest struct {
	TestID string `json:"test_id"`
	// Status is success or failure.
	Status      string          `json:"status"`
	CheckedAt   time.Time       `json:"checked_at"`
	ReasonCode  string          `json:"reason_code"`
	Remediation []Remediation   `json:"remediation"`
	RunID       string          `json:"run_id"`
	Streams     []StreamOutlook `json:"streams"`
}

// StreamOutlook says how completely a stream can be read.
type StreamOutlook struct {
	Stream string `json:"stream"`
	// Coverage is complete, partial or skipped.
	Coverage string   `json:"coverage"`
	Missing  []string `json:"missing"`
}

// Remediation is one gap a test found and what closes it.
type Remediation struct {
	Category string `json:"category"`
	Message  string `json:"message"`
	Action   string `json:"action"`
}

// testWait is how long the server may take for a test, its deadline included.
const testWait = 3 * time.Minute

// ConnectionFilter narrows a list of connections; empty fields do not.
type ConnectionFilter struct {
	Integration, Target, Status, Lifecycle, NamePrefix string
	// Default leaves out connections that are no default of their target, Paused
	// those whose schedule is not paused.
	Default, Paused bool
}

// Connections lists connections.
func (c *Client) Connections(ctx context.Context, f ConnectionFilter, pages Pages) (List[Connection], error) {
	q := url.Values{}
	for name, value := range map[string]string{
		"integration_id": f.Integration, "target_id": f.Target, "status": f.Status, "lifecycle": f.Lifecycle, "name_prefix": f.NamePrefix,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if f.Default {
		q.Set("default", "true")
	}
	if f.Paused {
		q.Set("schedule_paused", "true")
	}
	return list[Connection](ctx, c, "/v1/connections", "connections", q, pages)
}

// Targets lists the organisations that connections reach.
func (c *Client) Targets(ctx context.Context, pages Pages) (List[Target], error) {
	return list[Target](ctx, c, "/v1/targets", "targets", nil, pages)
}

// Connection returns a connection by its id.
func (c *Client) Connection(ctx context.Context, id string) (Answer[Connection], error) {
	return send[Connection](ctx, c, call{method: http.MethodGet, path: connectionPath(id)})
}

// CreateConnection creates a connection. A key that is not empty makes it safe to
// send the same draft again: it creates one connection.
func (c *Client) CreateConnection(ctx context.Context, d ConnectionDraft, key string) (Answer[Connection], error) {
	what := call{method: http.MethodPost, path: "/v1/connections", body: d}
	if key != "" {
		what.header = http.Header{"Idempotency-Key": {key}}
	}
	return send[Connection](ctx, c, what)
}

// EditConnection changes a connection that still has the given version;
// otherwise it is refused with status 412.
func (c *Client) EditConnection(ctx context.Context, id string, version int64, p ConnectionPatch) (Answer[Connection], error) {
	return send[Connection](ctx, c, call{method: http.MethodPatch, path: connectionPath(id), body: p, header: ifVersion(version)})
}

// MakeDefault makes a connection the default of its target.
func (c *Client) MakeDefault(ctx context.Context, id string) (Answer[Connection], error) {
	return send[Connection](ctx, c, call{method: http.MethodPost, path: connectionPath(id) + "/make-default"})
}

// PauseSchedule keeps a connection's schedule from starting it.
func (c *Client) PauseSchedule(ctx context.Context, id string) (Answer[Connection], error) {
	return send[Connection](ctx, c, call{method: http.MethodPost, path: connectionPath(id) + "/pause-schedule"})
}

// ResumeSchedule ends the pause of a connection's schedule.
func (c *Client) ResumeSchedule(ctx context.Context, id string) (Answer[Connection], error) {
	return send[Connection](ctx, c, call{method: http.MethodPost, path: connectionPath(id) + "/resume-schedule"})
}

// DeleteConnection deletes a connection and its credential. With a version that is
// not 0, it is refused with status 412 unless the connection has that one.
func (c *Client) DeleteConnection(ctx context.Context, id string, version int64) error {
	_, err := send[struct{}](ctx, c, call{method: http.MethodDelete, path: connectionPath(id), header: ifVersion(version)})
	return err
}

func ifVersion(version int64) http.Header {
	if version == 0 {
		return nil
	}
	return http.Header{"If-Match": {strconv.Quote(strconv.FormatInt(version, 10))}}
}

// TestConnection tests a connection and waits for the result.
func (c *Client) TestConnection(ctx context.Context, id string) (Answer[ConnectionTest], error) {
	return send[ConnectionTest](ctx, c, call{method: http.MethodPost, path: connectionPath(id) + "/test", wait: testWait})
}

// ConnectionTests lists the results of a connection's tests, newest first.
func (c *Client) ConnectionTests(ctx context.Context, id string, pages Pages) (List[ConnectionTest], error) {
	return list[ConnectionTest](ctx, c, connectionPath(id)+"/tests", "tests", nil, pages)
}

func connectionPath(id string) string { return "/v1/connections/" + url.PathEscape(id) }
