package app

import (
	"context"
	"fmt"

	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/seal"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// credentialPurpose is what sealed credentials are bound to beside their row.
const credentialPurpose = "connection.credential"

// cipher seals credentials with package seal.
type cipher struct {
	sealer *seal.Sealer
	opener *seal.Opener
}

var _ connection.Cipher = (*cipher)(nil)

func newCipher(wrapper seal.KeyWrapper) (*cipher, error) {
	opener, err := seal.NewOpener(wrapper)
	if err != nil {
		return nil, fmt.Errorf("prepare the opening of credentials: %w", err)
	}
	return &cipher{sealer: seal.NewSealer(wrapper), opener: opener}, nil
}

// Seal encrypts a secret for one version of one connection.
func (c *cipher) Seal(ctx context.Context, scope id.Scope, conn id.Connection, version int64, schemaVersion string, plaintext secret.Secret) (connection.Sealed, error) {
	plain := plaintext.Reveal()
	defer clear(plain)
	s, err := c.sealer.Seal(ctx, binding(scope, conn, version), schemaVersion, plain)
	if err != nil {
		return connection.Sealed{}, err
	}
	return connection.Sealed{
		Version: version, Algorithm: s.Algorithm, Wrapper: s.Wrapper, KMSKeyID: s.KeyID, WrappedKey: s.WrappedKey,
		Nonce: s.Nonce, Ciphertext: s.Ciphertext, SchemaVersion: s.SchemaVersion,
	}, nil
}

// Open decrypts what Seal made for the same connection.
func (c *cipher) Open(ctx context.Context, scope id.Scope, conn id.Connection, s connection.Sealed) (secret.Secret, error) {
	plain, err := c.opener.Open(ctx, binding(scope, conn, s.Version), seal.Sealed{
		Algorithm: s.Algorithm, Wrapper: s.Wrapper, KeyID: s.KMSKeyID, WrappedKey: s.WrappedKey,
		Nonce: s.Nonce, Ciphertext: s.Ciphertext, SchemaVersion: s.SchemaVersion,
	})
	if err != nil {
		return secret.Secret{}, err
	}
	defer clear(plain)
	return secret.FromBytes(plain), nil
}

func binding(scope id.Scope, conn id.Connection, version int64) seal.Binding {
	return seal.Binding{
		Purpose: credentialPurpose, Tenant: int64(scope.Tenant), Workspace: int64(scope.Workspace), Connection: int64(conn), Version: version,
	}
}

// openLocalKey loads the local key from its file and checks that it is the one
// this database's credentials were sealed with. Only for a database that has
// not seen a key yet is one made.
func openLocalKey(ctx context.Context, plane *postgres.DataPlane, path string) (*seal.Local, error) {
	known, err := plane.LocalKeyCheck(ctx)
	if err != nil {
		return nil, err
	}
	key, err := seal.LoadOrCreate(path, known != nil)
	if err != nil {
		return nil, err
	}
	// Of two services that start at once with a key each, one finds the
	// other's value here.
	if known, err = plane.SetLocalKeyCheck(ctx, key.CheckValue()); err != nil {
		return nil, err
	}
	if err := key.Check(known); err != nil {
		return nil, err
	}
	return key, nil
}
