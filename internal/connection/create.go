package connection

import (
	"context"
	"encoding/json"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/idempotency"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Draft is a connection about to be created.
type Draft struct {
	Integration   integration.ID
	Name          string
	Configuration json.RawMessage
	Scope         json.RawMessage
	Schedule      *Schedule
	Metadata      json.RawMessage
	// Target is the organisation the connection is meant for; 0 to have it found.
	Target id.Target
	// IsDefault makes the connection the default of its target at once.
	IsDefault bool
	// Lifecycle is Active when empty.
	Lifecycle Lifecycle
	// Once is set when the caller may send the same request again.
	Once *idempotency.Request
}

// Create validates the draft, seals its secrets and stores the connection.
// replayed says that an earlier request, the same as this one, has made it; it is
// returned as it is now.
func (s *Service) Create(ctx context.Context, c workspace.Caller, d Draft) (conn Connection, replayed bool, err error) {
	if err := c.Require(workspace.ManageConnections); err != nil {
		return Connection{}, false, err
	}
	if d.Once != nil {
		// Looked for again when it is stored; this only spares the sealing.
		made, found, err := s.Store.Made(ctx, c.Scope, *d.Once)
		if err != nil {
			return Connection{}, false, err
		}
		if found {
			conn, err := s.madeBefore(ctx, c, made)
			return conn, true, err
		}
	}
	conn, entry, configuration, err := s.check(ctx, c, d)
	if err != nil {
		return Connection{}, false, err
	}
	if conn.ID, err = s.Store.NextID(ctx); err != nil {
		return Connection{}, false, err
	}
	conn.NextRunAt = conn.Schedule.nextStart(conn.ID, time.Now())
	sealed, err := s.Vault.seal(ctx, conn, entry, configuration)
	if err != nil {
		return Connection{}, false, err
	}
	if sealed != nil {
		conn.CredentialType = sealed.Type
	}
	stored, err := s.Store.Create(ctx, Creation{Connection: conn, Sealed: sealed, Once: d.Once}, audit.Event{
		Actor: c.Actor(), Action: audit.ConnectionCreated, Outcome: audit.Succeeded, TargetType: "connection", TargetID: conn.ID.String(),
		Payload: map[string]any{"name": conn.Name, "integration_id": string(conn.Integration), "secret_fields": configuration.SecretNames},
	})
	if err != nil {
		return Connection{}, false, err
	}
	if stored != conn.ID {
		conn, err := s.madeBefore(ctx, c, stored)
		return conn, true, err
	}
	conn, err = s.Store.Get(ctx, c.Scope, stored)
	return conn, false, err
}

func (s *Service) madeBefore(ctx context.Context, c workspace.Caller, made id.Connection) (Connection, error) {
	conn, err := s.Store.Get(ctx, c.Scope, made)
	if fault.KindOf(err) == fault.NotFound {
		return conn, fault.New(fault.Conflict, "the same request made %s before, which has been deleted since; send a new %s to create another", made, idempotency.Header)
	}
	return conn, err
}

// check makes a connection of a draft. The error names every field that is wrong.
func (s *Service) check(ctx context.Context, c workspace.Caller, d Draft) (conn Connection, entry *integration.Integration, configuration integration.Configuration, err error) {
	entry, err = s.Catalog.Get(d.Integration)
	if err != nil {
		return conn, nil, configuration, fault.InvalidField("integration_id", "is not in the catalog; see GET /v1/integrations")
	}
	var wrong wrongFields
	conn = Connection{
		Scope: c.Scope, Integration: d.Integration, ConnectorID: entry.ConnectorID, ConnectorVersion: entry.Version,
		Lifecycle: Active, Status: Unknown, Schedule: Schedule{Type: Manual}, Version: 1, IsDefault: d.IsDefault,
	}
	conn.Name, err = validName(d.Name)
	wrong.add(err)
	configuration, err = entry.Validate(d.Configuration)
	wrong.add(err)
	conn.Config, conn.ConfigRefs = configuration.Config, configuration.ReferenceKinds()
	conn.SecretFields = configuration.SecretNames
	conn.ReadScope, err = entry.ValidateScope(d.Scope)
	wrong.add(err)
	conn.Metadata, err = validMetadata(d.Metadata)
	wrong.add(err)
	if d.Schedule != nil {
		conn.Schedule = *d.Schedule
		wrong.add(d.Schedule.Validate())
	}
	if d.Lifecycle != "" {
		conn.Lifecycle = d.Lifecycle
		wrong.add(validLifecycle(d.Lifecycle, Active, Disabled, NeedsConsent))
	}
	if d.Target != 0 {
		conn.Target, err = s.named(ctx, c.Scope, d.Target, entry.ProviderSystem)
		wrong.add(err)
	} else if d.IsDefault {
		wrong.add(fault.InvalidField("is_default", "needs a target: name one with target_id, or let a first successful test find it"))
	}
	return conn, entry, configuration, wrong.err()
}
