package contexts_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/cli/contexts"
)

func TestSaveAndLoadAgree(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "below", "contexts.json")
	none, err := contexts.Load(path)
	require.NoError(t, err)
	require.Empty(t, none.Names())

	want := contexts.File{Current: "b", Contexts: map[string]contexts.Context{"b": {URL: "http://b", APIKey: "k"}, "a": {URL: "http://a"}}}
	require.NoError(t, want.Save(path))
	got, err := contexts.Load(path)
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Equal(t, []string{"a", "b"}, got.Names())

	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, left, 1, "no temporary file stays")
}

func TestLoadRefusesWhatOthersMayRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "contexts.json")
	require.NoError(t, os.WriteFile(path, []byte(`{}`), 0o600))
	require.NoError(t, os.Chmod(path, 0o640))
	_, err := contexts.Load(path)
	require.ErrorContains(t, err, "chmod 600")
}

func TestLoadRefusesOtherFiles(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "contexts.json")
	require.NoError(t, os.WriteFile(path, []byte(`hello`), 0o600))
	_, err := contexts.Load(path)
	require.ErrorContains(t, err, "is not a file of contexts")
}
