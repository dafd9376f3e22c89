package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
)

// Connections keeps connections and their credentials. The discovery service
// may only find connections with it; credentials are the integrations service's.
type Connections struct {
	db *DB
}

var _ connection.Store = (*Connections)(nil)

// NewConnections returns the store on a pool.
func NewConnections(db *DB) *Connections { return &Connections{db: db} }

// NextID draws the id of a connection about to be created.
func (s *Connections) NextID(ctx context.Context) (id.Connection, error) {
	drawn, err := dbsqlc.New(s.db.pool).DrawConnectionID(ctx)
	if err != nil {
		return 0, translate(fmt.Errorf("draw a connection id: %w", err))
	}
	return id.Connection(drawn), nil
}

// Get returns a connection.
func (s *Connections) Get(ctx context.Context, scope id.Scope, c id.Connection) (conn connection.Connection, err error) {
	err = s.db.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		conn, err = getConnection(ctx, tx, scope.Workspace, c)
		return err
	})
	return conn, err
}

// GetDefault returns the default connection of a target.
func (s *Connections) GetDefault(ctx context.Context, scope id.Scope, t id.Target) (conn connection.Connection, err error) {
	missing := fault.New(fault.NotFound, "target %s has no default connection", t)
	if t == 0 {
		return connection.Connection{}, missing
	}
	err = s.db.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		found, err := findConnections(ctx, tx, dbsqlc.FindConnectionsParams{
			WorkspaceID: int64(scope.Workspace), DefaultOfTarget: int64(t), Most: 1,
		})
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return missing
		}
		conn = found[0]
		return nil
	})
	return conn, err
}

// List returns connections in order of id.
func (s *Connections) List(ctx context.Context, scope id.Scope, f connection.Filter) (list []connection.Connection, err error) {
	err = s.db.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		list, err = findConnections(ctx, tx, dbsqlc.FindConnectionsParams{
			WorkspaceID: int64(scope.Workspace), IntegrationID: string(f.Integration), After: int64(f.After), Most: int32(f.Limit),
		})
		return err
	})
	return list, err
}

// Create stores a connection, its credential and its event.
func (s *Connections) Create(ctx context.Context, c connection.Connection, sealed *connection.Sealed, e audit.Event) (stored connection.Connection, err error) {
	schedule, err := json.Marshal(c.Schedule)
	if err != nil {
		return connection.Connection{}, fmt.Errorf("encode schedule: %w", err)
	}
	refs, err := encodeRefs(c.ConfigRefs)
	if err != nil {
		return connection.Connection{}, err
	}
	err = s.db.InWorkspace(ctx, c.Scope.Workspace, func(tx pgx.Tx) error {
		if err := admitConnection(ctx, tx, c.Integration); err != nil {
			return err
		}
		err := dbsqlc.New(tx).InsertConnection(ctx, dbsqlc.InsertConnectionParams{
			ConnectionID: int64(c.ID), TenantID: int64(c.Scope.Tenant), WorkspaceID: int64(c.Scope.Workspace),
			IntegrationID: string(c.Integration), ConnectorID: c.ConnectorID, ConnectorVersion: c.ConnectorVersion, Name: c.Name,
			Config: c.Config, Scope: c.ReadScope, Schedule: schedule, Metadata: c.Metadata,
			CredentialType: orNull(c.CredentialType), ConfigRefs: refs, Lifecycle: string(c.Lifecycle), NextRunAt: c.NextRunAt,
		})
		if err != nil {
			return nameTaken(err, c.Name)
		}
		if err := putCredential(ctx, tx, c, sealed); err != nil {
			return err
		}
		if err := record(ctx, tx, c.Scope, e); err != nil {
			return err
		}
		stored, err = getConnection(ctx, tx, c.Scope.Workspace, c.ID)
		return err
	})
	return stored, err
}

// Update stores changes if the connection still has the version they were made to.
func (s *Connections) Update(ctx context.Context, u connection.Change, e audit.Event) (stored connection.Connection, err error) {
	c := u.Connection
	schedule, err := json.Marshal(c.Schedule)
	if err != nil {
		return connection.Connection{}, fmt.Errorf("encode schedule: %w", err)
	}
	refs, err := encodeRefs(c.ConfigRefs)
	if err != nil {
		return connection.Connection{}, err
	}
	err = s.db.InWorkspace(ctx, c.Scope.Workspace, func(tx pgx.Tx) error {
		changed, err := dbsqlc.New(tx).UpdateConnection(ctx, dbsqlc.UpdateConnectionParams{
			WorkspaceID: int64(c.Scope.Workspace), ConnectionID: int64(c.ID), Was: u.Was, Name: c.Name, Config: c.Config,
			Scope: c.ReadScope, Schedule: schedule, Metadata: c.Metadata, CredentialType: orNull(c.CredentialType), ConfigRefs: refs,
			Lifecycle: string(c.Lifecycle), NextRunAt: c.NextRunAt,
		})
		if err != nil {
			return nameTaken(err, c.Name)
		}
		if changed == 0 {
			return changedMeanwhile(ctx, tx, c)
		}
		if err := putCredential(ctx, tx, c, u.Sealed); err != nil {
			return err
		}
		if err := setDefault(ctx, tx, c, u.Default); err != nil {
			return err
		}
		if err := record(ctx, tx, c.Scope, e); err != nil {
			return err
		}
		stored, err = getConnection(ctx, tx, c.Scope.Workspace, c.ID)
		return err
	})
	return stored, err
}

// Delete removes a connection and its credential. The row stays, empty of
// configuration, because runs and events refer to it.
func (s *Connections) Delete(ctx context.Context, scope id.Scope, c id.Connection, e audit.Event) error {
	return s.db.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		q := dbsqlc.New(tx)
		deleted, err := q.DeleteConnection(ctx, dbsqlc.DeleteConnectionParams{WorkspaceID: int64(scope.Workspace), ConnectionID: int64(c)})
		if err != nil {
			return fmt.Errorf("delete a connection: %w", err)
		}
		if deleted == 0 {
			return noConnection(c)
		}
		err = q.DeleteCredential(ctx, dbsqlc.DeleteCredentialParams{WorkspaceID: int64(scope.Workspace), ConnectionID: int64(c)})
		if err != nil {
			return fmt.Errorf("delete a credential: %w", err)
		}
		return record(ctx, tx, scope, e)
	})
}

// setDefault moves the default of the connection's target, if asked to. Two
// that move it at once are kept apart by the unique index.
func setDefault(ctx context.Context, tx pgx.Tx, c connection.Connection, want *bool) error {
	if want == nil {
		return nil
	}
	q := dbsqlc.New(tx)
	if *want {
		err := q.ClearDefault(ctx, dbsqlc.ClearDefaultParams{WorkspaceID: int64(c.Scope.Workspace), ConnectionID: int64(c.ID)})
		if err != nil {
			return fmt.Errorf("clear the former default: %w", err)
		}
	}
	err := q.SetDefault(ctx, dbsqlc.SetDefaultParams{WorkspaceID: int64(c.Scope.Workspace), ConnectionID: int64(c.ID), IsDefault: *want})
	if violates(err, "connections_one_default") {
		return fault.Wrap(fault.Conflict, err, "another connection was made the default of this target at the same moment; try again")
	}
	return err
}

func changedMeanwhile(ctx context.Context, tx pgx.Tx, c connection.Connection) error {
	now, err := getConnection(ctx, tx, c.Scope.Workspace, c.ID)
	if err != nil {
		return err
	}
	return connection.Stale(now.Version)
}

func nameTaken(err error, name string) error {
	if violates(err, "connections_name_unique") {
		return fault.Wrap(fault.Conflict, err, "a connection named %q exists already", name)
	}
	return fmt.Errorf("store a connection: %w", err)
}

func noConnection(c id.Connection) error {
	if c == 0 {
		return fault.New(fault.NotFound, "there is no such connection")
	}
	return fault.New(fault.NotFound, "there is no connection %s", c)
}
