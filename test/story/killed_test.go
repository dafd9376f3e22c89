package story

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDevIsKilled kills `gatehouse dev` in mid-run and starts it again on the
// same directory, where everything is as it was.
func TestDevIsKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, first := startDev(t, dir)
	first.await(t, "("+regexp.QuoteMeta(p.key)+")")
	info, err := os.Stat(filepath.Join(dir, "admin.key"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	beside := command(t, nil, "dev", "--data-dir", dir, "--listen", "127.0.0.1:0")
	require.NotZero(t, beside.status, "a second one on the same directory")
	require.Contains(t, beside.stderr, "in use")

	c := newCloud(t, 14)
	conn := p.connect(t, "Killed", c.configuration(nil))
	require.Equal(t, "succeeded", p.discover(t, conn).Outcome)
	entities := p.entities(t, conn)
	slowly(t, c)
	run := p.startRun(t, conn)
	eventually(t, run+" has stored a batch", func() bool {
		return batchesOf(t, p.database, run) > 0
	})
	first.kill(t)
	c.ClearFaults()

	again, second := startDev(t, dir)
	require.Equal(t, p.key, again.key)
	kept, err := again.api.Connection(t.Context(), conn)
	require.NoError(t, err)
	require.Equal(t, "Killed", kept.Value.Name)
	require.Equal(t, entities, again.entities(t, conn))
	again.requireKnown(t, c, conn)
	require.Equal(t, "success", again.test(t, conn).Status, "the key opens the credential")

	endLease(t, again.database, run)
	ended := again.finished(t, run)
	require.Equal(t, "succeeded", ended.Outcome, "%+v", ended)
	require.Equal(t, 2, ended.Attempt)
	require.Equal(t, entities, again.entities(t, conn))
	again.requireUnchanged(t, conn)
	second.stop(t)
	require.NotContains(t, second.out.String(), p.key, "it is shown once")
}
