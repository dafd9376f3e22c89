package keyfile_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/keyfile"
)

func TestCreatedKeyIsReadBackAndNeverReplaced(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key")
	_, err := keyfile.Read(path, 32)
	require.ErrorIs(t, err, fs.ErrNotExist)
	made, err := keyfile.Create(path, 32)
	require.NoError(t, err)
	require.Len(t, made, 32)
	read, err := keyfile.Read(path, 32)
	require.NoError(t, err)
	require.Equal(t, made, read)
	_, err = keyfile.Create(path, 32)
	require.ErrorIs(t, err, fs.ErrExist)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o400), info.Mode())
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing is left over")
}

func TestFilesThatCannotBeUsedSayWhy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, c := range map[string]struct {
		size    int
		mode    fs.FileMode
		problem string
	}{
		"short":    {31, 0o400, "size is not 32 bytes"},
		"long":     {33, 0o400, "size is not 32 bytes"},
		"empty":    {0, 0o400, "size is not 32 bytes"},
		"writable": {32, 0o600, "chmod 0400"},
		"readable": {32, 0o444, "chmod 0400"},
	} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, make([]byte, c.size), 0o600))
		require.NoError(t, os.Chmod(path, c.mode))
		_, err := keyfile.Read(path, 32)
		var form *keyfile.FormError
		require.ErrorAs(t, err, &form, name)
		require.Contains(t, form.Problem, c.problem, name)
	}
	_, err := keyfile.Read(dir, 32)
	var form *keyfile.FormError
	require.ErrorAs(t, err, &form)
	_, err = keyfile.Create(filepath.Join(dir, "missing", "key"), 32)
	require.ErrorIs(t, err, fs.ErrNotExist)
}
