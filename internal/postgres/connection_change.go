package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
)

// Create stores a connection, its credential and its event, unless a request
// with the same key has made one.
func (s *Connections) Create(ctx context.Context, n connection.Creation, e audit.Event) (made id.Connection, err error) {
	c := n.Connection
	schedule, err := json.Marshal(c.Schedule)
	if err != nil {
		return 0, fmt.Errorf("encode schedule: %w", err)
	}
	refs, err := encodeRefs(c.ConfigRefs)
	if err != nil {
		return 0, err
	}
	err = s.db.InWorkspace(ctx, c.Scope.Workspace, func(tx pgx.Tx) error {
		made = c.ID
		if n.Once != nil {
			earlier, found, err := claimRequest(ctx, tx, c.Scope.Workspace, *n.Once, c.ID.String())
			if err != nil {
				return err
			}
			if found {
				return made.UnmarshalText([]byte(earlier))
			}
		}
		if err := admitConnection(ctx, tx, c.Integration); err != nil {
			return err
		}
		err := dbsqlc.New(tx).InsertConnection(ctx, dbsqlc.InsertConnectionParams{
			ConnectionID: int64(c.ID), TenantID: int64(c.Scope.Tenant), WorkspaceID: int64(c.Scope.Workspace),
			IntegrationID: string(c.Integration), ConnectorID: c.ConnectorID, ConnectorVersion: c.ConnectorVersion, Name: c.Name,
			Config: c.Config, Scope: c.ReadScope, Schedule: schedule, Metadata: c.Metadata, ConfigRefs: refs, TargetID: targetOf(c),
			CredentialType: orNull(c.CredentialType), SecretFields: append([]string{}, c.SecretFields...), Lifecycle: string(c.Lifecycle), NextRunAt: c.NextRunAt,
		})
		if err != nil {
			return refused(err, c.Name)
		}
		if err := putCredential(ctx, tx, c, n.Sealed); err != nil {
			return err
		}
		if c.IsDefault {
			if err := setDefault(ctx, tx, c, &c.IsDefault); err != nil {
				return err
			}
		}
		return record(ctx, tx, c.Scope, e)
	})
	return made, err
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
		q := dbsqlc.New(tx)
		resumed, err := q.UpdateConnection(ctx, dbsqlc.UpdateConnectionParams{
			WorkspaceID: int64(c.Scope.Workspace), ConnectionID: int64(c.ID), Was: u.Was, Name: c.Name, Config: c.Config,
			Scope: c.ReadScope, Schedule: schedule, Metadata: c.Metadata, CredentialType: orNull(c.CredentialType),
			SecretFields: append([]string{}, c.SecretFields...),
			Lifecycle:    string(c.Lifecycle), NextRunAt: c.NextRunAt, TargetID: targetOf(c), ConfigRefs: refs, Reconfigured: u.Reconfigured,
			CredentialVersion: versionOf(u.Sealed), WasCredential: c.CredentialVersion,
		})
		if errors.Is(err, pgx.ErrNoRows) {
			return changedMeanwhile(ctx, tx, c.Scope.Workspace, c.ID, u.Was)
		}
		if err != nil {
			return refused(err, c.Name)
		}
		if u.Reconfigured {
			if err := putCredential(ctx, tx, c, u.Sealed); err != nil {
				return err
			}
		}
		if u.Anew {
			err := q.ForgetRenewal(ctx, dbsqlc.ForgetRenewalParams{WorkspaceID: int64(c.Scope.Workspace), ConnectionID: int64(c.ID)})
			if err != nil {
				return fmt.Errorf("forget a renewal: %w", err)
			}
		}
		if err := setDefault(ctx, tx, c, u.Default); err != nil {
			return err
		}
		if err := record(ctx, tx, c.Scope, e); err != nil {
			return err
		}
		if resumed {
			e.Action, e.Payload = audit.ScheduleResumed, map[string]any{"version": e.Payload["version"]}
			if err := record(ctx, tx, c.Scope, e); err != nil {
				return err
			}
		}
		stored, err = getConnection(ctx, q, c.Scope.Workspace, c.ID)
		return err
	})
	return stored, err
}

// Delete removes a connection and its credential. The row stays, empty of
// configuration, because runs and events refer to it.
func (s *Connections) Delete(ctx context.Context, scope id.Scope, c id.Connection, ifVersion *int64, e audit.Event) error {
	return s.db.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		q := dbsqlc.New(tx)
		deleted, err := q.DeleteConnection(ctx, dbsqlc.DeleteConnectionParams{
			WorkspaceID: int64(scope.Workspace), ConnectionID: int64(c), IfVersion: ifVersion,
		})
		if err != nil {
			return fmt.Errorf("delete a connection: %w", err)
		}
		if deleted == 0 {
			return changedMeanwhile(ctx, tx, scope.Workspace, c, 0)
		}
		err = q.DeleteCredential(ctx, dbsqlc.DeleteCredentialParams{WorkspaceID: int64(scope.Workspace), ConnectionID: int64(c)})
		if err != nil {
			return fmt.Errorf("delete a credential: %w", err)
		}
		return record(ctx, tx, scope, e)
	})
}

func targetOf(c connection.Connection) *int64 {
	if c.Target == nil {
		return nil
	}
	return numberOrNull(c.Target.ID)
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

// versionOf is the version a credential was sealed to; zero of none.
func versionOf(s *connection.Sealed) int64 {
	if s == nil {
		return 0
	}
	return s.Version
}

// changedMeanwhile says why no row had the version that was asked for.
func changedMeanwhile(ctx context.Context, tx pgx.Tx, w id.Workspace, c id.Connection, was int64) error {
	now, err := getConnection(ctx, dbsqlc.New(tx), w, c)
	if err != nil {
		return err
	}
	if now.Version == was {
		return renewedMeanwhile(c)
	}
	return connection.Stale(now.Version)
}

// refused says which rule of the database a connection breaks, if it breaks one
// that the caller can do something about.
func refused(err error, name string) error {
	switch {
	case violates(err, "connections_name_unique"):
		return fault.Wrap(fault.Conflict, err, "a connection named %q exists already", name)
	case violates(err, "connections_acts_as_unique"):
		return fault.Wrap(fault.Conflict, err, "another connection acts as the same identity in the same organisation; use that one")
	case breaks(err, "connections_keep_their_target"):
		return fault.Wrap(fault.Conflict, err, "the connection has a target and keeps it; create another connection for another organisation")
	}
	return fmt.Errorf("store a connection: %w", err)
}

func noConnection(c id.Connection) error {
	if c == 0 {
		return fault.New(fault.NotFound, "there is no such connection")
	}
	return fault.New(fault.NotFound, "there is no connection %s", c)
}
