package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/seal"
	"github.com/gatehouse-project/gatehouse/internal/seal/sealtest"
)

func TestPGCryptoKeepsTheContract(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, nowhere)
	if _, err := b.super.Exec(t.Context(), "create extension pgcrypto"); err != nil {
		t.Skip("PostgreSQL's extension pgcrypto is not installed here")
	}
	db := integrationsDB(t, b.database.URL("svc_integration"))
	file := filepath.Join(t.TempDir(), "passphrase")
	require.NoError(t, os.WriteFile(file, []byte(strings.Repeat("short", 6)), 0o400))
	_, err := openKey(t.Context(), db, "pgcrypto:"+file, false)
	require.ErrorContains(t, err, "fewer than 32 bytes")
	require.NoError(t, os.Chmod(file, 0o644))
	_, err = openKey(t.Context(), db, "pgcrypto:"+file, false)
	require.ErrorContains(t, err, "chmod 0400")
	require.NoError(t, os.Remove(file))
	phrase := strings.Repeat("0123456789abcdef", 4)
	require.NoError(t, os.WriteFile(file, []byte(phrase+"\n"), 0o400))
	wrapper, err := openKey(t.Context(), db, "pgcrypto:"+file, false)
	require.NoError(t, err)
	sealtest.Contract(t, wrapper, 200)
	require.NotContains(t, wrapper.KeyID(), phrase[:8])

	_, err = b.super.Exec(t.Context(), "drop extension pgcrypto")
	require.NoError(t, err)
	_, err = wrapper.Wrap(t.Context(), sealtest.DataKey(), sealtest.Binding())
	sealtest.Problem(t, err, seal.Failed, "create extension pgcrypto")
	require.NotContains(t, err.Error(), phrase)
}
