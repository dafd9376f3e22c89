package postgres_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// The wrapper over these functions is tested where both are composed, in
// internal/app; here is what the server itself says.
func TestPGCryptoEncryptsWithAES256(t *testing.T) {
	t.Parallel()
	d := databases.New(t)
	db, err := postgres.Open(t.Context(), postgres.Config{URL: d.URL("svc_integration"), Service: "test", MaxConns: 2})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	functions := postgres.NewPGCrypto(db, os.ErrInvalid)
	passphrase := secret.FromString(strings.Repeat("p", 32))
	_, err = functions.Encrypt(t.Context(), []byte("data key"), passphrase)
	require.ErrorContains(t, err, "pgp_sym_encrypt_bytea", "without the extension it says so")

	_, err = d.SuperuserPool().Exec(t.Context(), "create extension pgcrypto")
	if err != nil {
		t.Skip("PostgreSQL's extension pgcrypto is not installed here")
	}
	message, err := functions.Encrypt(t.Context(), []byte("data key"), passphrase)
	require.NoError(t, err)
	// RFC 4880, 5.3: a symmetric-key encrypted session key packet, version 4,
	// and the algorithm, of which 9 is AES with 256 bits.
	require.Equal(t, []byte{0xc3, 0x0d, 0x04, 0x09}, message[:4])
	plaintext, err := functions.Decrypt(t.Context(), message, passphrase)
	require.NoError(t, err)
	require.Equal(t, "data key", string(plaintext))
	_, err = functions.Decrypt(t.Context(), message, secret.FromString(strings.Repeat("q", 32)))
	require.ErrorIs(t, err, os.ErrInvalid)
	_, err = functions.Decrypt(t.Context(), message[:10], passphrase)
	require.ErrorIs(t, err, os.ErrInvalid)
	require.NotContains(t, err.Error(), strings.Repeat("p", 32))
}
