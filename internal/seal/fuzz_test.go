package seal_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/seal"
)

// FuzzOpen gives Open any record and binding: what opens is the sealed
// plaintext under its own binding, all else is an error and never a panic. The
// key is fixed, because each fuzzing process makes its own.
func FuzzOpen(f *testing.F) {
	path := filepath.Join(f.TempDir(), "local.key")
	writeKeyFile(f, path, bytes.Repeat([]byte{0x5A}, 32), 0o400)
	local, err := seal.LoadLocal(path)
	require.NoError(f, err)
	opener, err := seal.NewOpener(local)
	require.NoError(f, err)
	binding := testBinding()
	sealed, err := seal.NewSealer(local).Seal(f.Context(), binding, schemaVersion, []byte(canary))
	require.NoError(f, err)

	add := func(s seal.Sealed, b seal.Binding) {
		f.Add(s.Algorithm, s.Wrapper, s.KeyID, s.WrappedKey, s.Nonce, s.Ciphertext, s.SchemaVersion,
			b.Purpose, b.Tenant, b.Workspace, b.Connection, b.Version)
	}
	add(sealed, binding)
	add(seal.Sealed{}, seal.Binding{})
	for _, cut := range []func(*seal.Sealed){
		func(s *seal.Sealed) { s.WrappedKey = s.WrappedKey[:12] },
		func(s *seal.Sealed) { s.Nonce = nil },
		func(s *seal.Sealed) { s.Ciphertext = s.Ciphertext[:16] },
		func(s *seal.Sealed) { s.Ciphertext = nil },
		func(s *seal.Sealed) { s.KeyID = "local:" },
	} {
		changed := clone(sealed)
		cut(&changed)
		add(changed, binding)
	}

	f.Fuzz(func(t *testing.T, algorithm, wrapper, keyID string, wrappedKey, nonce, ciphertext []byte, version string,
		purpose string, tenant, workspace, connection, credentialVersion int64,
	) {
		given := seal.Binding{
			Purpose: purpose, Tenant: tenant, Workspace: workspace, Connection: connection, Version: credentialVersion,
		}
		opened, err := opener.Open(t.Context(), given, seal.Sealed{
			Algorithm: algorithm, Wrapper: wrapper, KeyID: keyID, WrappedKey: wrappedKey,
			Nonce: nonce, Ciphertext: ciphertext, SchemaVersion: version,
		})
		if err != nil {
			require.Nil(t, opened)
			require.NotContains(t, err.Error(), canary)
			return
		}
		require.Equal(t, canary, string(opened))
		require.Equal(t, binding, given)
		require.Equal(t, schemaVersion, version)
	})
}
