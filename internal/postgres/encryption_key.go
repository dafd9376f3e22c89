package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/keyring"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
)

// Keyring keeps the names of key-encryption keys, and moves credentials from
// one to another. It is the integrations service's.
type Keyring struct {
	db *DB
}

var _ keyring.Store = (*Keyring)(nil)

// NewKeyring returns the store on a pool.
func NewKeyring(db *DB) *Keyring { return &Keyring{db: db} }

// Keys returns the registered keys.
func (k *Keyring) Keys(ctx context.Context) ([]keyring.Registered, error) {
	keys, err := listKeys(ctx, k.db.plain())
	return keys, translate(err)
}

func listKeys(ctx context.Context, q *dbsqlc.Queries) ([]keyring.Registered, error) {
	rows, err := q.ListEncryptionKeys(ctx)
	if err != nil {
		return nil, fmt.Errorf("list encryption keys: %w", err)
	}
	keys := make([]keyring.Registered, len(rows))
	for i, r := range rows {
		keys[i] = keyring.Registered{Key: keyring.Key{Wrapper: r.Wrapper, ID: r.KeyID}, CheckValue: r.CheckValue, Since: r.RegisteredAt}
	}
	return keys, nil
}

// lockKeys lets one process at a time register or retire keys; credentials are written
// meanwhile.
const lockKeys = "lock table encryption_keys in share update exclusive mode"

// Register adds a key that was not retired, if fit agrees with those that are there.
func (k *Keyring) Register(ctx context.Context, key keyring.Key, checkValue []byte, fit func(before []keyring.Registered) error, e audit.Event) error {
	return k.inFirstWorkspace(ctx, func(tx pgx.Tx, scope id.Scope) error {
		if _, err := tx.Exec(ctx, lockKeys); err != nil {
			return fmt.Errorf("lock encryption keys: %w", err)
		}
		q := dbsqlc.New(tx)
		retired, err := q.EncryptionKeyIsRetired(ctx, dbsqlc.EncryptionKeyIsRetiredParams{Wrapper: key.Wrapper, KeyID: key.ID})
		if err != nil {
			return fmt.Errorf("look for a retired encryption key: %w", err)
		}
		if retired {
			return fault.New(fault.Conflict, "the %s was retired, and nothing is written under it again; name another key with --key", key)
		}
		before, err := listKeys(ctx, q)
		if err != nil {
			return err
		}
		if err := fit(before); err != nil {
			return err
		}
		added, err := q.InsertEncryptionKey(ctx, dbsqlc.InsertEncryptionKeyParams{Wrapper: key.Wrapper, KeyID: key.ID, CheckValue: checkValue})
		if err != nil {
			return fmt.Errorf("register an encryption key: %w", err)
		}
		if added == 0 {
			return nil
		}
		return record(ctx, tx, scope, e)
	})
}

// Retire removes a key that no credential refers to, and keeps its name, so that
// it is not registered again.
func (k *Keyring) Retire(ctx context.Context, key keyring.Key, e audit.Event) error {
	return k.inFirstWorkspace(ctx, func(tx pgx.Tx, scope id.Scope) error {
		if _, err := tx.Exec(ctx, lockKeys); err != nil {
			return fmt.Errorf("lock encryption keys: %w", err)
		}
		q := dbsqlc.New(tx)
		removed, err := q.DeleteEncryptionKey(ctx, dbsqlc.DeleteEncryptionKeyParams{Wrapper: key.Wrapper, KeyID: key.ID})
		if violatesKeyReference(err) {
			return fault.New(fault.Conflict, "the %s cannot be retired: credentials are under it; move them with gatehouse keys rewrap", key)
		}
		if err != nil {
			return fmt.Errorf("retire an encryption key: %w", err)
		}
		if removed == 0 {
			return fault.New(fault.NotFound, "there is no %s in this database; gatehouse keys list shows those there are", key)
		}
		if err := q.InsertRetiredEncryptionKey(ctx, dbsqlc.InsertRetiredEncryptionKeyParams{Wrapper: key.Wrapper, KeyID: key.ID}); err != nil {
			return fmt.Errorf("remember a retired encryption key: %w", err)
		}
		return record(ctx, tx, scope, e)
	})
}

// inFirstWorkspace is for what concerns the whole data plane: its events are
// kept in the workspace that the plane was set up with.
func (k *Keyring) inFirstWorkspace(ctx context.Context, fn func(tx pgx.Tx, scope id.Scope) error) error {
	plane, err := k.db.plain().GetDataPlane(ctx)
	if err != nil {
		return beforeSetup(err)
	}
	scope := id.Scope{Tenant: id.Tenant(plane.TenantID), Workspace: id.Workspace(plane.FirstWorkspaceID)}
	return k.db.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error { return fn(tx, scope) })
}

// Count returns how many credentials are under each key.
func (k *Keyring) Count(ctx context.Context) (map[keyring.Key]int64, error) {
	rows, err := k.db.plain().CountCredentialsByKey(ctx)
	if err != nil {
		return nil, translate(fmt.Errorf("count credentials by key: %w", err))
	}
	counts := make(map[keyring.Key]int64, len(rows))
	for _, r := range rows {
		counts[keyring.Key{Wrapper: r.Wrapper, ID: r.KeyID}] = r.Credentials
	}
	return counts, nil
}

// NotUnder finds credentials that are not under a key.
func (k *Keyring) NotUnder(ctx context.Context, key keyring.Key, after keyring.Ref, most int) ([]keyring.Ref, error) {
	rows, err := k.db.plain().FindCredentialsToRewrap(ctx, dbsqlc.FindCredentialsToRewrapParams{
		Wrapper: key.Wrapper, KeyID: key.ID, AfterWorkspace: int64(after.Workspace), AfterConnection: int64(after.Connection), Most: int32(most),
	})
	if err != nil {
		return nil, translate(fmt.Errorf("find credentials to rewrap: %w", err))
	}
	refs := make([]keyring.Ref, len(rows))
	for i, r := range rows {
		refs[i] = keyring.Ref{Workspace: id.Workspace(r.WorkspaceID), Connection: id.Connection(r.ConnectionID)}
	}
	return refs, nil
}

// Read returns credentials that are not under a key.
func (k *Keyring) Read(ctx context.Context, w id.Workspace, connections []id.Connection, key keyring.Key) (found []keyring.Credential, err error) {
	ids := make([]int64, len(connections))
	for i, c := range connections {
		ids[i] = int64(c)
	}
	err = k.db.InWorkspace(ctx, w, func(tx pgx.Tx) error {
		rows, err := dbsqlc.New(tx).ListSealedCredentials(ctx, dbsqlc.ListSealedCredentialsParams{
			WorkspaceID: int64(w), ConnectionIds: ids, Wrapper: key.Wrapper, KeyID: key.ID, Most: int32(len(ids)),
		})
		if err != nil {
			return fmt.Errorf("read credentials: %w", err)
		}
		for _, r := range rows {
			found = append(found, keyring.Credential{
				Scope: id.Scope{Tenant: id.Tenant(r.TenantID), Workspace: w}, Connection: id.Connection(r.ConnectionID),
				Sealed: connection.Sealed{
					Version: r.Version, Type: r.Type, Algorithm: r.Algorithm, Wrapper: r.Wrapper, KMSKeyID: r.KmsKeyID,
					WrappedKey: r.WrappedKey, Nonce: r.Nonce, Ciphertext: r.Ciphertext, SchemaVersion: r.SchemaVersion,
				},
			})
		}
		return nil
	})
	return found, err
}

// Move stores wrapped keys where the records are still what was read.
func (k *Keyring) Move(ctx context.Context, scope id.Scope, key keyring.Key, changes []keyring.Rewrapped, e audit.Event) (moved int, err error) {
	p := dbsqlc.RewrapCredentialsParams{WorkspaceID: int64(scope.Workspace), Wrapper: key.Wrapper, KeyID: key.ID}
	for _, c := range changes {
		p.ConnectionIds = append(p.ConnectionIds, int64(c.Connection))
		p.Was = append(p.Was, c.Was)
		p.Wrapped = append(p.Wrapped, c.Wrapped)
	}
	err = k.db.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		stored, err := dbsqlc.New(tx).RewrapCredentials(ctx, p)
		if violatesKeyReference(err) {
			return keyNotRegistered(err, key)
		}
		if err != nil {
			return fmt.Errorf("store wrapped keys: %w", err)
		}
		if moved = int(stored); moved == 0 {
			return nil
		}
		e.Payload["credentials"] = moved
		return record(ctx, tx, scope, e)
	})
	if err != nil {
		return 0, err
	}
	return moved, nil
}

// violatesKeyReference reports whether err breaks the reference from a
// credential, or the secret of a webhook, to its key, from either end.
func violatesKeyReference(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == codeForeignKey && (pg.ConstraintName == "credentials_key_registered" || pg.ConstraintName == "webhook_secrets_key_registered")
}

// keyNotRegistered is the error of writing under a key that was retired while
// this process went on using it.
func keyNotRegistered(err error, key keyring.Key) error {
	return fault.Wrap(fault.Unavailable, err, "credentials cannot be stored now: the %s that this service writes under has been retired; it has to be started with the key that is current", key)
}
