package main

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/postgres/pgtest"
)

// selfEnv makes this test binary behave as the command under test.
const selfEnv = "TESTSERVER_TEST_SELF"

func TestMain(m *testing.M) {
	if os.Getenv(selfEnv) != "" {
		main()
	}
	os.Exit(m.Run())
}

// testserver returns the command, with temporary files in a directory of the
// test's and no server to reuse.
func testserver(t *testing.T, args ...string) (cmd *exec.Cmd, tmp string) {
	t.Helper()
	binary, err := os.Executable()
	require.NoError(t, err)
	tmp = t.TempDir()
	cmd = exec.CommandContext(t.Context(), binary, args...)
	cmd.Env = append(os.Environ(), selfEnv+"=1", pgtest.EnvURL+"=", "TMPDIR="+tmp)
	return cmd, tmp
}

func requireEmpty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
}

func TestCommandGetsAServerAndItsCodeIsPassedOn(t *testing.T) {
	t.Parallel()
	cmd, tmp := testserver(t, "sh", "-c", "echo $"+pgtest.EnvURL+"; read go; exit 7")
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	url, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	conn, err := pgx.Connect(t.Context(), strings.TrimSpace(url))
	require.NoError(t, err)
	require.NoError(t, conn.Ping(t.Context()))
	_, err = stdin.Write([]byte("go\n"))
	require.NoError(t, err)
	var exit *exec.ExitError
	require.ErrorAs(t, cmd.Wait(), &exit)
	require.Equal(t, 7, exit.ExitCode())
	require.Error(t, conn.Ping(context.Background()), "the server is gone")
	requireEmpty(t, tmp)
}

func TestSignalReachesTheCommandAndTheServerIsRemoved(t *testing.T) {
	t.Parallel()
	cmd, tmp := testserver(t, "sh", "-c", "trap 'exit 9' TERM; echo ready; while :; do read line || exit 1; done")
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	_, err = bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	var exit *exec.ExitError
	require.ErrorAs(t, cmd.Wait(), &exit)
	require.Equal(t, 9, exit.ExitCode())
	requireEmpty(t, tmp)
}

func TestCommandThatCannotRun(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"/no/such/command"}} {
		cmd, tmp := testserver(t, args...)
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
		require.Equal(t, exitFailed, exit.ExitCode(), string(out))
		requireEmpty(t, tmp)
	}
}

func TestServerAtHandIsReused(t *testing.T) {
	t.Parallel()
	cmd, tmp := testserver(t, "sh", "-c", "echo $"+pgtest.EnvURL)
	cmd.Env = append(cmd.Env, pgtest.EnvURL+"=postgres://at-hand")
	out, err := cmd.Output()
	require.NoError(t, err)
	require.Equal(t, "postgres://at-hand\n", string(out))
	requireEmpty(t, tmp)
}
