package connection

import (
	"time"

	"github.com/gatehouse-project/gatehouse/internal/api"
	domain "github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Connection is a workspace's installation of an integration, without secrets.
type Connection struct {
	ConnectionID     id.Connection `json:"connection_id" example:"conn_123"`
	IntegrationID    string        `json:"integration_id" example:"aws"`
	ConnectorID      string        `json:"connector_id" example:"aws-discovery"`
	ConnectorVersion string        `json:"connector_version" example:"0.1.0"`
	Name             string        `json:"name" example:"Prod AWS"`
	TenantID         id.Tenant     `json:"tenant_id" example:"t_123"`
	WorkspaceID      id.Workspace  `json:"workspace_id" example:"w_123"`
	Scope            api.Object    `json:"scope" doc:"What part of the target is read, by the integration's schema."`
	Schedule         Schedule      `json:"schedule"`
	Status           string        `json:"status" enum:"healthy,degraded,unknown"`
	LastRunAt        *time.Time    `json:"last_run_at"`

	TargetID            *id.Target        `json:"target_id" nullable:"true" doc:"The organisation the connection is for: as named, or as the first successful test or run found it. It never becomes another."`
	Target              *Target           `json:"target,omitempty"`
	ActsAs              string            `json:"acts_as" doc:"The provider's id of whom the credentials act as; empty until a test or a run has found it. Used once in a target and integration."`
	IsDefault           bool              `json:"is_default"`
	Lifecycle           string            `json:"lifecycle" enum:"needs_consent,active,disabled"`
	Config              api.Object        `json:"config" doc:"The readable half of the configuration."`
	ConfigRefs          map[string]string `json:"config_refs" nullable:"false" doc:"Secret fields that refer to a secret kept elsewhere, and the kind of reference: env, file or awssm."`
	CredentialType      string            `json:"credential_type" doc:"Kind of the stored credential; empty when there is none."`
	ScopesGranted       []string          `json:"scopes_granted" nullable:"false"`
	Metadata            api.Object        `json:"metadata"`
	LastUsedAt          *time.Time        `json:"last_used_at"`
	LastConnectedAt     *time.Time        `json:"last_connected_at"`
	LastHealthCheckAt   *time.Time        `json:"last_health_check_at"`
	LastErrorReasonCode string            `json:"last_error_reason_code"`
	LastErrorMessage    string            `json:"last_error_message"`
	NextRunAt           *time.Time        `json:"next_run_at" doc:"When the schedule starts the connection next, its spread included. Null when it will not: manual, paused, not active, or in an archived workspace."`

	LastScheduledAt         *time.Time `json:"last_scheduled_at" doc:"When the schedule last started the connection, or tried to and was blocked."`
	ScheduleFailures        int        `json:"schedule_failures" minimum:"0" doc:"How many scheduled runs have failed in a row; ten pause the schedule."`
	SchedulePausedAt        *time.Time `json:"schedule_paused_at" doc:"Since when the schedule is paused. resume-schedule ends that; a pause that failures began also ends by a run that succeeds and by another schedule or configuration."`
	SchedulePauseReasonCode string     `json:"schedule_pause_reason_code" doc:"Why the last of those runs failed, or requested where somebody paused it; empty when the schedule is not paused."`

	Version   int64     `json:"version" doc:"Counts what people change, health not; the ETag, for If-Match."`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// Target is the provider-side organisation that a connection reaches.
type Target struct {
	TargetID       id.Target `json:"target_id"`
	ProviderSystem string    `json:"provider_system"`
	ProviderID     string    `json:"provider_id"`
	Type           string    `json:"type"`
	Name           string    `json:"name"`
	CreatedAt      time.Time `json:"created_at"`
	UpdatedAt      time.Time `json:"updated_at"`
}

// Schedule says when a connection is discovered by itself.
type Schedule struct {
	Type     string `json:"type" enum:"manual,hourly,daily,weekly,cron"`
	Hour     *int   `json:"hour,omitempty" minimum:"0" maximum:"23" doc:"For daily and weekly."`
	Minute   *int   `json:"minute,omitempty" minimum:"0" maximum:"59" doc:"For hourly, daily and weekly."`
	Weekday  *int   `json:"weekday,omitempty" minimum:"0" maximum:"6" doc:"For weekly; 0 is Sunday."`
	Cron     string `json:"cron,omitempty" maxLength:"200" example:"30 2 * * 1-5" doc:"For cron: minute, hour, day of month, month and day of week. An hour that a change of the clocks skips or repeats has its runs once, unless every hour has them."`
	Timezone string `json:"timezone,omitempty" maxLength:"64" doc:"An IANA name such as Europe/Paris; UTC when left out."`
	Spread   *int   `json:"spread_minutes,omitempty" minimum:"0" maximum:"720" doc:"Starts come up to so long after their due time, before the next one, always the same time after it for a connection, so that not all start at once. A twentieth of the time to the next one, five minutes at most, when left out; 0 for the minute itself."`
}

func fromDomain(by workspace.Caller, c domain.Connection) Connection {
	dto := Connection{
		ConnectionID: c.ID, IntegrationID: string(c.Integration), ConnectorID: c.ConnectorID, ConnectorVersion: c.ConnectorVersion,
		Name: c.Name, TenantID: c.Scope.Tenant, WorkspaceID: c.Scope.Workspace, Scope: api.Object(c.ReadScope),
		Schedule: scheduleFromDomain(c.Schedule), ActsAs: c.ActsAs, Status: string(c.Status), LastRunAt: api.UTC(c.LastRunAt),
		IsDefault: c.IsDefault, Lifecycle: string(c.Lifecycle), Config: api.Object(c.Config), CredentialType: c.CredentialType, ConfigRefs: refsOf(c),
		ScopesGranted: append([]string{}, c.ScopesGranted...), Metadata: api.Object(c.Metadata),
		LastUsedAt: api.UTC(c.LastUsedAt), LastConnectedAt: api.UTC(c.LastConnectedAt), LastHealthCheckAt: api.UTC(c.LastHealthCheckAt),
		LastErrorReasonCode: string(c.LastErrorReason), LastErrorMessage: c.LastErrorMessage, NextRunAt: api.UTC(c.Due(by.Archived)),
		LastScheduledAt: api.UTC(c.LastScheduledAt), ScheduleFailures: c.ScheduleFailures,
		Version: c.Version, CreatedAt: c.CreatedAt.UTC(), UpdatedAt: c.UpdatedAt.UTC(),
	}
	if p := c.SchedulePause; p != nil {
		dto.SchedulePausedAt, dto.SchedulePauseReasonCode = api.UTC(&p.Since), string(p.Reason)
	}
	if t := c.Target; t != nil {
		dto.TargetID = &t.ID
		shown := targetFromDomain(*t)
		dto.Target = &shown
	}
	return dto
}

// refsOf gives an object also where there are none.
func refsOf(c domain.Connection) map[string]string {
	if c.ConfigRefs == nil {
		return map[string]string{}
	}
	return c.ConfigRefs
}

func targetFromDomain(t domain.Target) Target {
	return Target{
		TargetID: t.ID, ProviderSystem: t.ProviderSystem, ProviderID: t.ProviderID, Type: t.Type, Name: t.Name,
		CreatedAt: t.CreatedAt.UTC(), UpdatedAt: t.UpdatedAt.UTC(),
	}
}

// scheduleFromDomain shows the fields that mean something for the type, also
// where they are zero.
func scheduleFromDomain(s domain.Schedule) Schedule {
	dto := Schedule{Type: string(s.Type), Cron: s.Cron, Timezone: s.Timezone, Spread: s.SpreadMinutes}
	switch s.Type {
	case domain.Weekly:
		dto.Weekday, dto.Hour, dto.Minute = &s.Weekday, &s.Hour, &s.Minute
	case domain.Daily:
		dto.Hour, dto.Minute = &s.Hour, &s.Minute
	case domain.Hourly:
		dto.Minute = &s.Minute
	}
	return dto
}

func (s *Schedule) toDomain() *domain.Schedule {
	if s == nil {
		return nil
	}
	d := &domain.Schedule{Type: domain.ScheduleType(s.Type), Cron: s.Cron, Timezone: s.Timezone, SpreadMinutes: s.Spread}
	for _, f := range []struct {
		into *int
		from *int
	}{{&d.Hour, s.Hour}, {&d.Minute, s.Minute}, {&d.Weekday, s.Weekday}} {
		if f.from != nil {
			*f.into = *f.from
		}
	}
	return d
}
