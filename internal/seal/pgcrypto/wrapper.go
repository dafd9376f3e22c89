package pgcrypto

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/seal"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// Name is the name of the wrapper.
const Name = "pgcrypto"

// minPassphraseBytes is the least a passphrase may have: what is stored allows
// whoever has the database to try passphrases, so it is not to be guessed.
const minPassphraseBytes = 32

// An OpenPGP message of a data key and a digest has about 150 bytes.
const (
	minWrappedBytes = seal.BoundKeyBytes
	maxWrappedBytes = 1024
)

// ErrDoesNotDecrypt is in the chain of a [Functions.Decrypt] error when the
// server says that the message was altered or the passphrase is another one.
var ErrDoesNotDecrypt = errors.New("message does not decrypt")

// Functions are the server's.
type Functions interface {
	// Encrypt is pgp_sym_encrypt_bytea with AES-256 and no compression.
	Encrypt(ctx context.Context, plaintext []byte, passphrase secret.Secret) ([]byte, error)
	// Decrypt is pgp_sym_decrypt_bytea.
	Decrypt(ctx context.Context, message []byte, passphrase secret.Secret) ([]byte, error)
}

// Wrapper is a passphrase that PostgreSQL encrypts with.
type Wrapper struct {
	functions  Functions
	passphrase secret.Secret
	keyID      string
}

var _ seal.KeyWrapper = (*Wrapper)(nil)

// New reads the passphrase from a file: at least 32 bytes, without the line's
// end. The file must be readable by its owner alone.
func New(path string, functions Functions) (*Wrapper, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("passphrase file: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("passphrase file %s: others than its owner may read it; run chmod 0400 on it", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("passphrase file: %w", err)
	}
	defer clear(text)
	passphrase := bytes.TrimRight(text, "\r\n")
	if len(passphrase) < minPassphraseBytes {
		return nil, fmt.Errorf("passphrase file %s: holds fewer than %d bytes; make one with: openssl rand -hex 32", path, minPassphraseBytes)
	}
	digest := sha256.New()
	digest.Write([]byte("gatehouse pgcrypto key id"))
	digest.Write(passphrase)
	return &Wrapper{
		functions: functions, passphrase: secret.FromBytes(passphrase), keyID: "pgcrypto:" + hex.EncodeToString(digest.Sum(nil))[:16],
	}, nil
}

// Wrap has PostgreSQL encrypt the data key and a digest of the binding.
func (w *Wrapper) Wrap(ctx context.Context, dataKey []byte, binding seal.Binding) ([]byte, error) {
	bound, err := seal.BindKey(dataKey, binding)
	if err != nil {
		return nil, err
	}
	defer clear(bound)
	wrapped, err := w.functions.Encrypt(ctx, bound, w.passphrase)
	if err != nil {
		return nil, w.explain(err)
	}
	return wrapped, nil
}

// Unwrap has PostgreSQL decrypt what Wrap returned.
func (w *Wrapper) Unwrap(ctx context.Context, wrapped []byte, keyID string, binding seal.Binding) ([]byte, error) {
	if keyID != w.keyID {
		return nil, fmt.Errorf("%w: the record needs another passphrase than %s", seal.ErrKeyMismatch, w.keyID)
	}
	if len(wrapped) < minWrappedBytes || len(wrapped) > maxWrappedBytes {
		return nil, fmt.Errorf("%w: wrapped key has %d bytes, want %d to %d", seal.ErrDamaged, len(wrapped), minWrappedBytes, maxWrappedBytes)
	}
	bound, err := w.functions.Decrypt(ctx, wrapped, w.passphrase)
	if errors.Is(err, ErrDoesNotDecrypt) {
		return nil, fmt.Errorf("%w: wrapped key altered", seal.ErrDamaged)
	}
	if err != nil {
		return nil, w.explain(err)
	}
	return seal.UnbindKey(bound, binding)
}

// KeyID returns "pgcrypto:" and 16 hexadecimal digits derived from the
// passphrase.
func (w *Wrapper) KeyID() string { return w.keyID }

// Name returns Name.
func (*Wrapper) Name() string { return Name }

func (w *Wrapper) explain(err error) error {
	failure := &seal.ServiceError{Key: seal.KeyOf(w), Problem: seal.Failed, Advice: "check that the extension is there: create extension pgcrypto", Cause: err}
	if fault.KindOf(err) == fault.Unavailable {
		failure.Problem, failure.Advice = seal.Unreachable, "the database does not answer; try again"
	}
	return failure
}
