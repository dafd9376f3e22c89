package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/keyring"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
)

// Credential returns the sealed credential of a connection, if it has one.
func (s *Connections) Credential(ctx context.Context, scope id.Scope, c id.Connection) (sealed connection.Sealed, ok bool, err error) {
	err = s.db.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		found, err := getCredential(ctx, tx, scope.Workspace, c)
		if found != nil {
			sealed, ok = *found, true
		}
		return err
	})
	return sealed, ok, err
}

// getCredential returns nil when there is none.
func getCredential(ctx context.Context, tx pgx.Tx, w id.Workspace, c id.Connection) (*connection.Sealed, error) {
	r, err := dbsqlc.New(tx).GetCredential(ctx, dbsqlc.GetCredentialParams{WorkspaceID: int64(w), ConnectionID: int64(c)})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the credential of %s: %w", c, err)
	}
	return &connection.Sealed{
		Version: r.Version, Type: r.Type, Algorithm: r.Algorithm, Wrapper: r.Wrapper, KMSKeyID: r.KmsKeyID,
		WrappedKey: r.WrappedKey, Nonce: r.Nonce, Ciphertext: r.Ciphertext, SchemaVersion: r.SchemaVersion,
	}, nil
}

// putCredential stores a credential in the transaction of its connection, or
// removes it when sealed is nil.
func putCredential(ctx context.Context, tx pgx.Tx, c connection.Connection, sealed *connection.Sealed) error {
	q := dbsqlc.New(tx)
	var err error
	if sealed == nil {
		err = q.DeleteCredential(ctx, dbsqlc.DeleteCredentialParams{WorkspaceID: int64(c.Scope.Workspace), ConnectionID: int64(c.ID)})
	} else {
		err = q.PutCredential(ctx, dbsqlc.PutCredentialParams{
			WorkspaceID: int64(c.Scope.Workspace), ConnectionID: int64(c.ID), Version: sealed.Version, Type: sealed.Type,
			Algorithm: sealed.Algorithm, Wrapper: sealed.Wrapper, KmsKeyID: sealed.KMSKeyID, WrappedKey: sealed.WrappedKey,
			Nonce: sealed.Nonce, Ciphertext: sealed.Ciphertext, SchemaVersion: sealed.SchemaVersion,
		})
	}
	if violatesKeyReference(err) {
		return keyNotRegistered(err, keyring.Key{Wrapper: sealed.Wrapper, ID: sealed.KMSKeyID})
	}
	if err != nil {
		return fmt.Errorf("store the credential of %s: %w", c.ID, err)
	}
	return nil
}
