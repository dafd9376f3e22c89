package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/keyring"
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

func newCipher(k *keys) *cipher {
	return &cipher{sealer: seal.NewSealer(k.current), opener: k.opener}
}

// Seal encrypts a secret for one version of one connection.
func (c *cipher) Seal(ctx context.Context, scope id.Scope, conn id.Connection, version int64, schemaVersion string, plaintext secret.Secret) (connection.Sealed, error) {
	plain := plaintext.Reveal()
	defer clear(plain)
	s, err := c.sealer.Seal(ctx, binding(scope, conn, version), schemaVersion, plain)
	if err != nil {
		return connection.Sealed{}, explain(err)
	}
	return columns(version, s), nil
}

// Open decrypts what Seal made for the same connection.
func (c *cipher) Open(ctx context.Context, scope id.Scope, conn id.Connection, s connection.Sealed) (secret.Secret, error) {
	plain, err := c.opener.Open(ctx, binding(scope, conn, s.Version), record(s))
	if err != nil {
		return secret.Secret{}, explain(err)
	}
	defer clear(plain)
	return secret.FromBytes(plain), nil
}

// columns is a sealed record as the database keeps it, and record the reverse.
func columns(version int64, s seal.Sealed) connection.Sealed {
	return connection.Sealed{
		Version: version, Algorithm: s.Algorithm, Wrapper: s.Wrapper, KMSKeyID: s.KeyID, WrappedKey: s.WrappedKey,
		Nonce: s.Nonce, Ciphertext: s.Ciphertext, SchemaVersion: s.SchemaVersion,
	}
}

func record(s connection.Sealed) seal.Sealed {
	return seal.Sealed{
		Algorithm: s.Algorithm, Wrapper: s.Wrapper, KeyID: s.KMSKeyID, WrappedKey: s.WrappedKey,
		Nonce: s.Nonce, Ciphertext: s.Ciphertext, SchemaVersion: s.SchemaVersion,
	}
}

func binding(scope id.Scope, conn id.Connection, version int64) seal.Binding {
	return seal.Binding{
		Purpose: credentialPurpose, Tenant: int64(scope.Tenant), Workspace: int64(scope.Workspace), Connection: int64(conn), Version: version,
	}
}

// explain gives failures of sealing and opening a kind that a caller can act
// on. What a key service said is for the log alone.
func explain(err error) error {
	var service *seal.ServiceError
	switch {
	case errors.As(err, &service):
		return fault.Wrap(fault.Unavailable, err, "the service that keeps the keys of credentials does not do its work now; the log of the integrations service says why")
	case errors.Is(err, seal.ErrDamaged), errors.Is(err, seal.ErrUnknownWrapper), errors.Is(err, seal.ErrKeyMismatch):
		return fmt.Errorf("%w: %w", keyring.ErrUnreadable, err)
	}
	return err
}

// rewrapper moves data keys under another key.
type rewrapper struct {
	opener *seal.Opener
	to     seal.KeyWrapper
}

var _ keyring.Cipher = (*rewrapper)(nil)

// Rewrap has a credential's data key wrapped anew.
func (r *rewrapper) Rewrap(ctx context.Context, c keyring.Credential) (connection.Sealed, error) {
	rewrapped, err := r.opener.Rewrap(ctx, binding(c.Scope, c.Connection, c.Sealed.Version), record(c.Sealed), r.to)
	if err != nil {
		return connection.Sealed{}, explain(err)
	}
	return columns(c.Sealed.Version, rewrapped), nil
}
