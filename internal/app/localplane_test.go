package app

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/fault"
)

// A data directory leads to the database of the dev that runs in it.
func TestDataDirectoryLeadsToItsDatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	_, _, err := LocalPlane(dir)
	require.Equal(t, fault.NotFound, fault.KindOf(err), "%v", err)

	write("secrets/svc_integration", "pass word\n")
	_, _, err = LocalPlane(dir)
	require.Equal(t, fault.Unavailable, fault.KindOf(err), "%v", err)
	const pid = "postgres/cluster/postmaster.pid"
	for _, starting := range []string{"", "26898\n", "1\n/x\n3\n35729\n.\n127.0.0.1\n 1 2\nstarting\n"} {
		write(pid, starting)
		_, _, err = LocalPlane(dir)
		require.Equal(t, fault.Unavailable, fault.KindOf(err), "%q: %v", starting, err)
	}
	write(pid, "1\n/x\n3\nport\n.\n127.0.0.1\n 1 2\nready   \n")
	_, _, err = LocalPlane(dir)
	require.ErrorContains(t, err, "names no port")

	write(pid, "1\n/x\n3\n35729\n.\n127.0.0.1\n 1 2\nready   \n")
	url, key, err := LocalPlane(dir)
	require.NoError(t, err)
	require.Equal(t, "postgres://svc_integration:pass%20word@127.0.0.1:35729/gatehouse?sslmode=disable", url)
	require.Empty(t, key, "none of its own")
	write("secrets/local.key", "x")
	_, key, err = LocalPlane(dir)
	require.NoError(t, err)
	require.Equal(t, "local:"+filepath.Join(dir, "secrets", "local.key"), key)
}
