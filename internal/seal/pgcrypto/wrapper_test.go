package pgcrypto_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/seal"
	"github.com/gatehouse-project/gatehouse/internal/seal/pgcrypto"
	"github.com/gatehouse-project/gatehouse/internal/seal/sealtest"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// xor stands for the server's functions; the real ones are tried in
// internal/app. It is a cipher that authenticates nothing, so that what is
// refused is refused by the wrapper.
type xor struct{ down bool }

func (x *xor) Encrypt(_ context.Context, plaintext []byte, _ secret.Secret) ([]byte, error) {
	if x.down {
		return nil, fault.New(fault.Unavailable, "down")
	}
	pad := make([]byte, len(plaintext))
	_, _ = rand.Read(pad)
	message := bytes.Clone(pad)
	for i := range plaintext {
		message = append(message, plaintext[i]^pad[i])
	}
	return message, nil
}

func (x *xor) Decrypt(_ context.Context, message []byte, _ secret.Secret) ([]byte, error) {
	if len(message)%2 != 0 {
		return nil, pgcrypto.ErrDoesNotDecrypt
	}
	half := len(message) / 2
	plaintext := make([]byte, half)
	for i := range plaintext {
		plaintext[i] = message[i] ^ message[half+i]
	}
	return plaintext, nil
}

func open(t testing.TB, functions pgcrypto.Functions) *pgcrypto.Wrapper {
	t.Helper()
	file := filepath.Join(t.TempDir(), "passphrase")
	require.NoError(t, os.WriteFile(file, []byte(strings.Repeat("0123456789abcdef", 4)), 0o400))
	w, err := pgcrypto.New(file, functions)
	require.NoError(t, err)
	return w
}

func TestContract(t *testing.T) {
	t.Parallel()
	sealtest.Contract(t, open(t, &xor{}), 0)
}

func TestDatabaseThatIsDown(t *testing.T) {
	t.Parallel()
	_, err := open(t, &xor{down: true}).Wrap(t.Context(), sealtest.DataKey(), sealtest.Binding())
	sealtest.Problem(t, err, seal.Unreachable, "the database does not answer")
}

func TestMissingPassphraseFile(t *testing.T) {
	t.Parallel()
	_, err := pgcrypto.New(filepath.Join(t.TempDir(), "none"), &xor{})
	require.ErrorIs(t, err, os.ErrNotExist)
}

// FuzzUnwrap gives any wrapped key.
func FuzzUnwrap(f *testing.F) {
	w := open(f, &xor{})
	wrapped, err := w.Wrap(f.Context(), sealtest.DataKey(), sealtest.Binding())
	require.NoError(f, err)
	f.Add(wrapped)
	f.Add([]byte{})
	f.Add(wrapped[:40])
	f.Fuzz(func(t *testing.T, given []byte) {
		opened, err := w.Unwrap(t.Context(), given, w.KeyID(), sealtest.Binding())
		if err != nil {
			require.Nil(t, opened)
			return
		}
		require.Equal(t, wrapped, given)
	})
}
