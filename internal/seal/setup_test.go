package seal_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/seal"
)

// bundle is a sealer and an opener over one new local key.
type bundle struct {
	path   string
	local  *seal.Local
	sealer *seal.Sealer
	opener *seal.Opener
}

func setup(t *testing.T) bundle {
	t.Helper()
	path := filepath.Join(t.TempDir(), "local.key")
	local, err := seal.CreateLocal(path)
	require.NoError(t, err)
	opener, err := seal.NewOpener(local)
	require.NoError(t, err)
	return bundle{path: path, local: local, sealer: seal.NewSealer(local), opener: opener}
}

func testBinding() seal.Binding {
	return seal.Binding{Purpose: "connection.credential", Tenant: 1, Workspace: 2, Connection: 3, Version: 4}
}

const (
	canary        = "canary-secret-access-key"
	schemaVersion = "7"
)

func mustSeal(t *testing.T, sealer *seal.Sealer) seal.Sealed {
	t.Helper()
	sealed, err := sealer.Seal(t.Context(), testBinding(), schemaVersion, []byte(canary))
	require.NoError(t, err)
	return sealed
}

// clone makes a copy that can be corrupted without touching the original.
func clone(sealed seal.Sealed) seal.Sealed {
	sealed.WrappedKey = bytes.Clone(sealed.WrappedKey)
	sealed.Nonce = bytes.Clone(sealed.Nonce)
	sealed.Ciphertext = bytes.Clone(sealed.Ciphertext)
	return sealed
}

func writeKeyFile(t testing.TB, path string, content []byte, mode os.FileMode) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, content, 0o600))
	require.NoError(t, os.Chmod(path, mode))
}

// watchedWrapper stands for a key service: it answers what the test says and
// remembers the memory in which data keys passed through it.
type watchedWrapper struct {
	name, keyID string
	wrap        func(dataKey []byte) ([]byte, error)
	unwrap      func(wrapped []byte) ([]byte, error)
	seen        [][]byte
}

// newWatchedWrapper returns one that encrypts by turning every bit over.
func newWatchedWrapper(name string) *watchedWrapper {
	invert := func(in []byte) ([]byte, error) {
		out := make([]byte, len(in))
		for i := range in {
			out[i] = ^in[i]
		}
		return out, nil
	}
	return &watchedWrapper{name: name, keyID: name + ":1", wrap: invert, unwrap: invert}
}

func (w *watchedWrapper) Name() string  { return w.name }
func (w *watchedWrapper) KeyID() string { return w.keyID }

func (w *watchedWrapper) Wrap(_ context.Context, dataKey []byte, _ seal.Binding) ([]byte, error) {
	w.seen = append(w.seen, dataKey)
	return w.wrap(dataKey)
}

func (w *watchedWrapper) Unwrap(_ context.Context, wrapped []byte, _ string, _ seal.Binding) ([]byte, error) {
	dataKey, err := w.unwrap(wrapped)
	w.seen = append(w.seen, dataKey)
	return dataKey, err
}

var errService = errors.New("key service is down")
