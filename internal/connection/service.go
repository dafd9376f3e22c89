package connection

import (
	"context"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Service is the use cases on connections.
type Service struct {
	Store   Store
	Catalog *integration.Catalog
	Vault   Vault
}

// Draft is a connection about to be created.
type Draft struct {
	Integration   integration.ID
	Name          string
	Configuration json.RawMessage
	Scope         json.RawMessage
	Schedule      *Schedule
	Metadata      json.RawMessage
}

// Patch is a partial change; nil fields stay as they are.
type Patch struct {
	Name *string
	// Configuration is merged: an absent field keeps its value, secrets too.
	Configuration json.RawMessage
	Scope         json.RawMessage
	Schedule      *Schedule
	Metadata      json.RawMessage
	Lifecycle     *Lifecycle
	// IsDefault makes the connection the default of its target, or ends that.
	IsDefault *bool
	// IfVersion makes the change Stale unless the connection has this version.
	IfVersion *int64
}

// List returns the caller's connections in order of id.
func (s *Service) List(ctx context.Context, c workspace.Caller, f Filter) ([]Connection, error) {
	if err := c.Require(workspace.ReadWorkspace); err != nil {
		return nil, err
	}
	return s.Store.List(ctx, c.Scope, f)
}

// Get returns a connection, or NotFound.
func (s *Service) Get(ctx context.Context, c workspace.Caller, conn id.Connection) (Connection, error) {
	if err := c.Require(workspace.ReadWorkspace); err != nil {
		return Connection{}, err
	}
	return s.Store.Get(ctx, c.Scope, conn)
}

// Tests lists the results of a connection's tests, newest first.
func (s *Service) Tests(ctx context.Context, c workspace.Caller, conn id.Connection, before id.Test, limit int) ([]TestResult, error) {
	if _, err := s.Get(ctx, c, conn); err != nil {
		return nil, err
	}
	return s.Store.ListTests(ctx, c.Scope, conn, before, limit)
}

// Create validates the draft, seals its secrets and stores the connection.
func (s *Service) Create(ctx context.Context, c workspace.Caller, d Draft) (Connection, error) {
	if err := c.Require(workspace.ManageConnections); err != nil {
		return Connection{}, err
	}
	entry, err := s.Catalog.Get(d.Integration)
	if err != nil {
		return Connection{}, fault.InvalidField("integration_id", "is not in the catalog; see GET /v1/integrations")
	}
	var wrong wrongFields
	conn := Connection{
		Scope: c.Scope, Integration: d.Integration, ConnectorID: entry.ConnectorID, ConnectorVersion: entry.Version,
		Lifecycle: Active, Status: Unknown, Schedule: Schedule{Type: Manual}, Version: 1,
	}
	conn.Name, err = validName(d.Name)
	wrong.add(err)
	configuration, err := entry.Validate(d.Configuration)
	wrong.add(err)
	conn.Config = configuration.Config
	conn.ReadScope, err = entry.ValidateScope(d.Scope)
	wrong.add(err)
	conn.Metadata, err = validMetadata(d.Metadata)
	wrong.add(err)
	if d.Schedule != nil {
		conn.Schedule = *d.Schedule
		wrong.add(d.Schedule.Validate())
	}
	if err := wrong.err(); err != nil {
		return Connection{}, err
	}
	conn.NextRunAt = nextRun(conn.Schedule, time.Now())
	if conn.ID, err = s.Store.NextID(ctx); err != nil {
		return Connection{}, err
	}
	sealed, err := s.Vault.seal(ctx, conn, entry, configuration)
	if err != nil {
		return Connection{}, err
	}
	if sealed != nil {
		conn.CredentialType = sealed.Type
	}
	return s.Store.Create(ctx, conn, sealed, audit.Event{
		Actor: c.Actor(), Action: audit.ConnectionCreated, Outcome: audit.Succeeded, TargetType: "connection", TargetID: conn.ID.String(),
		Payload: map[string]any{"name": conn.Name, "integration_id": string(conn.Integration), "secret_fields": configuration.SecretNames},
	})
}

// Update applies a patch. Secrets that the patch does not name stay.
func (s *Service) Update(ctx context.Context, c workspace.Caller, connID id.Connection, p Patch) (Connection, error) {
	if err := c.Require(workspace.ManageConnections); err != nil {
		return Connection{}, err
	}
	conn, err := s.Store.Get(ctx, c.Scope, connID)
	if err != nil {
		return Connection{}, err
	}
	was := conn.Version
	if p.IfVersion != nil && *p.IfVersion != was {
		return Connection{}, Stale(was)
	}
	entry, err := s.Catalog.Get(conn.Integration)
	if err != nil {
		return Connection{}, err
	}
	changed, err := s.apply(&conn, entry, p)
	if err != nil {
		return Connection{}, err
	}
	stored, err := s.Vault.open(ctx, s.Store, conn)
	if err != nil {
		return Connection{}, err
	}
	configuration, err := entry.Merge(stored, p.Configuration)
	if err != nil {
		return Connection{}, err
	}
	conn.Config = configuration.Config
	conn.Version = was + 1
	sealed, err := s.Vault.seal(ctx, conn, entry, configuration)
	if err != nil {
		return Connection{}, err
	}
	conn.CredentialType = ""
	if sealed != nil {
		conn.CredentialType = sealed.Type
	}
	return s.Store.Update(ctx, Change{Connection: conn, Was: was, Sealed: sealed, Default: p.IsDefault}, audit.Event{
		Actor: c.Actor(), Action: audit.ConnectionEdited, Outcome: audit.Succeeded, TargetType: "connection", TargetID: conn.ID.String(),
		Payload: map[string]any{"changed": changed, "version": conn.Version},
	})
}

// Delete removes a connection and its credential.
func (s *Service) Delete(ctx context.Context, c workspace.Caller, conn id.Connection) error {
	if err := c.Require(workspace.ManageConnections); err != nil {
		return err
	}
	return s.Store.Delete(ctx, c.Scope, conn, audit.Event{
		Actor: c.Actor(), Action: audit.ConnectionDeleted, Outcome: audit.Succeeded, TargetType: "connection", TargetID: conn.String(),
	})
}

// apply puts the patch's fields other than the configuration into conn and
// returns the names of those that were given.
func (s *Service) apply(conn *Connection, entry *integration.Integration, p Patch) (changed []string, err error) {
	var wrong wrongFields
	if p.Name != nil {
		conn.Name, err = validName(*p.Name)
		wrong.add(err)
		changed = append(changed, "name")
	}
	if p.Scope != nil {
		conn.ReadScope, err = entry.ValidateScope(p.Scope)
		wrong.add(err)
		changed = append(changed, "scope")
	}
	if p.Metadata != nil {
		conn.Metadata, err = validMetadata(p.Metadata)
		wrong.add(err)
		changed = append(changed, "metadata")
	}
	if p.Schedule != nil {
		wrong.add(p.Schedule.Validate())
		conn.Schedule = *p.Schedule
		conn.NextRunAt = nextRun(conn.Schedule, time.Now())
		changed = append(changed, "schedule")
	}
	if p.Lifecycle != nil {
		if *p.Lifecycle != Active && *p.Lifecycle != Disabled {
			wrong.add(fault.InvalidField("lifecycle", "can be set to active or disabled"))
		}
		conn.Lifecycle = *p.Lifecycle
		changed = append(changed, "lifecycle")
	}
	if p.IsDefault != nil {
		if *p.IsDefault && conn.Target == nil {
			wrong.add(fault.InvalidField("is_default", "needs a target, which a first successful test finds; test the connection first"))
		}
		changed = append(changed, "is_default")
	}
	if p.Configuration != nil {
		changed = append(changed, "configuration")
	}
	return changed, wrong.err()
}

func nextRun(s Schedule, after time.Time) *time.Time {
	if due, ok := s.Next(after); ok {
		return &due
	}
	return nil
}

func validName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if n := utf8.RuneCountInString(name); n < 1 || n > 200 || !utf8.ValidString(name) || strings.ContainsFunc(name, isControl) {
		return "", fault.InvalidField("name", "must be 1 to 200 characters of text on one line")
	}
	return name, nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// maxMetadataBytes bounds what a workspace may note about a connection.
const maxMetadataBytes = 16 << 10

func validMetadata(raw json.RawMessage) (json.RawMessage, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return json.RawMessage("{}"), nil
	}
	var object map[string]any
	if len(raw) > maxMetadataBytes || json.Unmarshal(raw, &object) != nil || strings.Contains(string(raw), `\u0000`) {
		return nil, fault.InvalidField("metadata", "must be a JSON object of at most %d bytes", maxMetadataBytes)
	}
	return raw, nil
}

// wrongFields gathers the fields of several Invalid errors into one.
type wrongFields struct {
	fields []fault.Field
	other  error
}

func (w *wrongFields) add(err error) {
	if err == nil {
		return
	}
	if f, ok := fault.As(err); ok && f.Kind == fault.Invalid {
		w.fields = append(w.fields, f.Fields...)
	} else {
		w.other = err
	}
}

func (w *wrongFields) err() error {
	if w.other != nil {
		return w.other
	}
	if len(w.fields) > 0 {
		return fault.InvalidFields(w.fields...)
	}
	return nil
}
