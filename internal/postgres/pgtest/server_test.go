package pgtest

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/pgserver"
)

func TestSweepRemovesAbandonedServersOnly(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	start := func(name string) (*pgserver.Server, string) {
		dir := filepath.Join(parent, name)
		server, err := pgserver.Start(t.Context(), pgserver.Config{DataDir: dir})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, server.Stop(context.Background())) })
		return server, dir
	}
	_, live := start(dirPrefix + "live")
	stopped, abandoned := start(dirPrefix + "abandoned")
	require.NoError(t, stopped.Stop(t.Context()))
	stopped, recent := start(dirPrefix + "recent")
	require.NoError(t, stopped.Stop(t.Context()))
	stopped, other := start("other")
	require.NoError(t, stopped.Stop(t.Context()))

	old := time.Now().Add(-2 * sweepAge)
	for _, dir := range []string{live, abandoned, other} {
		require.NoError(t, os.Chtimes(dir, old, old))
	}
	sweep(t.Context(), parent)
	require.NoDirExists(t, abandoned)
	for _, dir := range []string{live, recent, other} {
		require.DirExists(t, dir)
	}
}
