package pgserver

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRemoveStopsWhatWasLeftBehind(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	require.NoError(t, Remove(t.Context(), dir), "nothing there")

	s := startForTest(t, Config{DataDir: dir})
	var inUse *InUseError
	require.ErrorAs(t, Remove(t.Context(), dir), &inUse)
	require.DirExists(t, dir)

	require.NoError(t, s.owner.Close()) // as if this process had been killed
	require.NoError(t, Remove(t.Context(), dir))
	<-s.current.done
	require.NoDirExists(t, dir)
}

func TestRemoveLeavesForeignDirectories(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	thesis := filepath.Join(dir, "thesis.txt")
	require.NoError(t, os.WriteFile(thesis, nil, 0o600))
	var foreign *ForeignDirectoryError
	require.ErrorAs(t, Remove(t.Context(), dir), &foreign)
	require.FileExists(t, thesis)
}
