package pgcrypto

import (
	"bytes"
	"context"
	"crypto/hmac"
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

// A wrapped key is an authentication code and an OpenPGP message, which for a
// data key has about 100 bytes.
const (
	tagBytes        = sha256.Size
	minWrappedBytes = tagBytes + seal.DataKeyBytes
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
	macKey     secret.Secret
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
	id, macKey := derive("gatehouse pgcrypto key id", passphrase), derive("gatehouse pgcrypto authentication", passphrase)
	return &Wrapper{
		functions: functions, passphrase: secret.FromBytes(passphrase), macKey: secret.FromBytes(macKey), keyID: "pgcrypto:" + hex.EncodeToString(id)[:16],
	}, nil
}

func derive(label string, passphrase []byte) []byte {
	digest := hmac.New(sha256.New, passphrase)
	digest.Write([]byte(label))
	return digest.Sum(nil)
}

// tag authenticates an OpenPGP message and the binding that it was made for.
func (w *Wrapper) tag(message []byte, binding seal.Binding) []byte {
	key := w.macKey.Reveal()
	defer clear(key)
	// The binding's encoding ends by itself, so nothing needs to part the two.
	mac := hmac.New(sha256.New, key)
	mac.Write(binding.WrapData())
	mac.Write(message)
	return mac.Sum(nil)
}

// Wrap has PostgreSQL encrypt the data key, and puts an authentication code of
// message and binding in front.
func (w *Wrapper) Wrap(ctx context.Context, dataKey []byte, binding seal.Binding) ([]byte, error) {
	if len(dataKey) != seal.DataKeyBytes {
		return nil, fmt.Errorf("data key has %d bytes, want %d", len(dataKey), seal.DataKeyBytes)
	}
	message, err := w.functions.Encrypt(ctx, dataKey, w.passphrase)
	if err != nil {
		return nil, w.explain(err)
	}
	return append(w.tag(message, binding), message...), nil
}

// Unwrap has PostgreSQL decrypt what Wrap returned.
func (w *Wrapper) Unwrap(ctx context.Context, wrapped []byte, keyID string, binding seal.Binding) ([]byte, error) {
	if keyID != w.keyID {
		return nil, fmt.Errorf("%w: the record needs another passphrase than %s", seal.ErrKeyMismatch, w.keyID)
	}
	if len(wrapped) < minWrappedBytes || len(wrapped) > maxWrappedBytes {
		return nil, fmt.Errorf("%w: wrapped key has %d bytes, want %d to %d", seal.ErrDamaged, len(wrapped), minWrappedBytes, maxWrappedBytes)
	}
	message := wrapped[tagBytes:]
	if !hmac.Equal(wrapped[:tagBytes], w.tag(message, binding)) {
		return nil, fmt.Errorf("%w: wrapped key altered or moved from another row", seal.ErrDamaged)
	}
	dataKey, err := w.functions.Decrypt(ctx, message, w.passphrase)
	if errors.Is(err, ErrDoesNotDecrypt) {
		return nil, fmt.Errorf("%w: wrapped key altered", seal.ErrDamaged)
	}
	if err != nil {
		return nil, w.explain(err)
	}
	if len(dataKey) != seal.DataKeyBytes {
		clear(dataKey)
		return nil, fmt.Errorf("%w: unwrapped key has %d bytes, want %d", seal.ErrDamaged, len(dataKey), seal.DataKeyBytes)
	}
	return dataKey, nil
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
