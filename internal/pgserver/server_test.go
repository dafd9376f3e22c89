package pgserver

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// ownerEnv makes this test binary start a server in the named directory, print
// that it runs, and wait to be killed.
const ownerEnv = "PGSERVER_TEST_OWN"

func TestMain(m *testing.M) {
	if dir := os.Getenv(ownerEnv); dir != "" {
		os.Exit(ownUntilKilled(dir))
	}
	os.Exit(m.Run())
}

func ownUntilKilled(dir string) int {
	s, err := Start(context.Background(), Config{DataDir: dir})
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	fmt.Println("running", s.SuperuserURL("postgres"))
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test ends, if it did not kill us
	_ = s.Stop(context.Background())
	return 0
}

// startForTest starts a server and stops it when the test ends.
func startForTest(t *testing.T, cfg Config) *Server {
	t.Helper()
	s, err := Start(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop(context.Background())) })
	return s
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// remember stores a value that recall must find later.
func remember(t *testing.T, url string, value int) {
	t.Helper()
	conn := connect(t, url)
	_, err := conn.Exec(t.Context(), "create table if not exists kept (n int)")
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "insert into kept values ($1)", value)
	require.NoError(t, err)
	require.NoError(t, conn.Close(t.Context()))
}

func recall(t *testing.T, url string) []int {
	t.Helper()
	rows, err := connect(t, url).Query(t.Context(), "select n from kept order by n")
	require.NoError(t, err)
	values, err := pgx.CollectRows(rows, pgx.RowTo[int])
	require.NoError(t, err)
	return values
}

func TestStartServesOverLoopbackAndSocket(t *testing.T) {
	t.Parallel()
	s := startForTest(t, Config{DataDir: shortDir(t)})
	conn := connect(t, s.SuperuserURL("postgres"))
	var encoding, checksums, listen string
	require.NoError(t, conn.QueryRow(t.Context(),
		"select current_setting('server_encoding'), current_setting('data_checksums'), current_setting('listen_addresses')").
		Scan(&encoding, &checksums, &listen))
	require.Equal(t, []string{"UTF8", "on", "127.0.0.1"}, []string{encoding, checksums, listen})

	url, ok := s.SocketURL(Superuser, s.password, "postgres")
	require.True(t, ok)
	require.NoError(t, connect(t, url).Ping(t.Context()))
}

func TestPasswordsAreRequired(t *testing.T) {
	t.Parallel()
	s := startForTest(t, Config{DataDir: shortDir(t)})
	_, err := pgx.Connect(t.Context(), s.URL(Superuser, "wrong", "postgres"))
	require.ErrorContains(t, err, "28P01")
	url, ok := s.SocketURL(Superuser, "wrong", "postgres")
	require.True(t, ok)
	_, err = pgx.Connect(t.Context(), url)
	require.ErrorContains(t, err, "28P01")

	info, err := os.Stat(filepath.Join(s.cfg.DataDir, passwordName))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestDataSurvivesStopAndStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := startForTest(t, Config{DataDir: dir, Durable: true})
	remember(t, first.SuperuserURL("postgres"), 1)
	require.NoError(t, first.Stop(t.Context()))
	require.NoError(t, first.Stop(t.Context()), "a second stop does nothing")
	require.NoFileExists(t, filepath.Join(dir, clusterName, pidFileName))
	require.ErrorIs(t, first.Restart(t.Context()), os.ErrClosed)

	second := startForTest(t, Config{DataDir: dir, Durable: true})
	require.Equal(t, []int{1}, recall(t, second.SuperuserURL("postgres")))
}

func TestRestartKeepsPortAndData(t *testing.T) {
	t.Parallel()
	s := startForTest(t, Config{DataDir: t.TempDir()})
	url := s.SuperuserURL("postgres")
	remember(t, url, 1)
	require.NoError(t, s.Restart(t.Context()))
	remember(t, url, 2)
	require.NoError(t, s.Kill())
	require.NoError(t, s.Restart(t.Context()))
	require.Equal(t, []int{1, 2}, recall(t, url))
}

// Whoever keeps a server has it again after its death, and not after its stop.
func TestAServerThatIsKeptIsStartedAgain(t *testing.T) {
	t.Parallel()
	s := startForTest(t, Config{DataDir: t.TempDir()})
	url := s.SuperuserURL("postgres")
	remember(t, url, 1)
	kept := make(chan error, 1)
	go func() { kept <- s.Keep(t.Context()) }()
	require.NoError(t, s.Kill())
	require.Eventually(t, func() bool {
		conn, err := pgx.Connect(t.Context(), url)
		return err == nil && conn.Close(t.Context()) == nil
	}, time.Minute, 50*time.Millisecond)
	require.Equal(t, []int{1}, recall(t, url))
	require.NoError(t, s.Stop(t.Context()))
	require.NoError(t, <-kept, "it ends with the server")
}

func TestAServerThatCannotBeStartedAgainIsSaidToBeSo(t *testing.T) {
	t.Parallel()
	s := startForTest(t, Config{DataDir: t.TempDir()})
	require.NoError(t, os.Rename(s.dir.cluster(), s.dir.cluster()+".away"))
	require.NoError(t, s.Kill())
	require.ErrorContains(t, s.revive(t.Context(), s.now(), time.Millisecond), s.LogPath())
}

func TestStopAfterKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := startForTest(t, Config{DataDir: dir})
	remember(t, s.SuperuserURL("postgres"), 1)
	require.NoError(t, s.Kill())
	require.NoError(t, s.Stop(t.Context()))
	require.FileExists(t, filepath.Join(dir, clusterName, pidFileName), "the crash left its pid file")

	again := startForTest(t, Config{DataDir: dir})
	require.Equal(t, []int{1}, recall(t, again.SuperuserURL("postgres")))
}

func TestStalePidFileOfAnotherProcessIsIgnored(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := startForTest(t, Config{DataDir: dir})
	require.NoError(t, s.Kill())
	require.NoError(t, s.Stop(t.Context()))

	// The number now belongs to a live process that is no PostgreSQL: this one.
	path := filepath.Join(dir, clusterName, pidFileName)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(content), "\n")
	require.True(t, ok)
	require.NoError(t, os.WriteFile(path, []byte(strconv.Itoa(os.Getpid())+"\n"+rest), 0o600))
	startForTest(t, Config{DataDir: dir})
}

func TestSecondOwnerIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := startForTest(t, Config{DataDir: dir})
	_, err := Start(t.Context(), Config{DataDir: dir})
	var inUse *InUseError
	require.ErrorAs(t, err, &inUse)
	require.Equal(t, os.Getpid(), inUse.PID)
	require.NoError(t, connect(t, s.SuperuserURL("postgres")).Ping(t.Context()), "the first is undisturbed")
}

func TestServerLeftBehindIsStopped(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := startForTest(t, Config{DataDir: dir})
	remember(t, first.SuperuserURL("postgres"), 1)
	// What a system that cannot signal the child leaves after kill -9 of the
	// owner: the owner's lock is gone, the server lives.
	require.NoError(t, first.owner.Close())

	second := startForTest(t, Config{DataDir: dir})
	require.Equal(t, []int{1}, recall(t, second.SuperuserURL("postgres")))
	<-first.current.done
}

func TestOwnerKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	binary, err := os.Executable()
	require.NoError(t, err)
	owner := exec.CommandContext(t.Context(), binary)
	owner.Env = append(os.Environ(), ownerEnv+"="+dir)
	stdin, err := owner.StdinPipe()
	require.NoError(t, err)
	defer stdin.Close()
	stdout, err := owner.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, owner.Start())
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	state, url, _ := strings.Cut(strings.TrimSpace(line), " ")
	require.Equal(t, "running", state, line)
	remember(t, url, 1)

	_, err = Start(t.Context(), Config{DataDir: dir})
	var inUse *InUseError
	require.ErrorAs(t, err, &inUse)
	require.Equal(t, owner.Process.Pid, inUse.PID)

	require.NoError(t, owner.Process.Kill())
	require.Error(t, owner.Wait())
	if runtime.GOOS == "linux" {
		// The server follows its owner by itself; nobody has to start again.
		lock, err := waitLock(t.Context(), filepath.Join(dir, serverLockName))
		require.NoError(t, err)
		require.NoError(t, lock.Close())
	}
	next := startForTest(t, Config{DataDir: dir})
	require.Equal(t, []int{1}, recall(t, next.SuperuserURL("postgres")))
}

func TestUnfinishedClusterIsBuiltAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, ownerLockName), nil, 0o600))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, newClusterName, "base"), 0o700))
	startForTest(t, Config{DataDir: dir})
	require.NoDirExists(t, filepath.Join(dir, newClusterName))
}

func TestSpacesAndLongPaths(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a path with spaces, [brackets] and *", strings.Repeat("long", 40))
	s := startForTest(t, Config{DataDir: dir})
	_, ok := s.SocketURL(Superuser, s.password, "postgres")
	require.False(t, ok, "no client can address a socket there")
	remember(t, s.SuperuserURL("postgres"), 1)
	require.NoError(t, s.Kill())
	require.NoError(t, s.Restart(t.Context()))
	require.Equal(t, []int{1}, recall(t, s.SuperuserURL("postgres")))
}

func TestRootBelowPrivateDirectory(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root runs the server under another account")
	}
	private := t.TempDir()
	require.NoError(t, os.Chmod(private, 0o700))
	dir := filepath.Join(private, "data")
	s := startForTest(t, Config{DataDir: dir})
	remember(t, s.SuperuserURL("postgres"), 1)
	require.NoError(t, s.Restart(t.Context()))
	require.Equal(t, []int{1}, recall(t, s.SuperuserURL("postgres")))

	for _, path := range []string{private, dir} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o700), info.Mode().Perm(), "%s stays closed to others", path)
	}
}

func TestForeignDirectoryIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "thesis.txt"), nil, 0o600))
	_, err := Start(t.Context(), Config{DataDir: dir})
	var foreign *ForeignDirectoryError
	require.ErrorAs(t, err, &foreign)
	require.Equal(t, "thesis.txt", foreign.Found)
}

func TestMissingPrograms(t *testing.T) {
	t.Parallel()
	_, err := Start(t.Context(), Config{DataDir: t.TempDir(), BinDir: t.TempDir()})
	var missing *NotInstalledError
	require.ErrorAs(t, err, &missing)
	require.ErrorContains(t, err, "apt-get install postgresql")
	require.ErrorContains(t, err, "--database-url")
}

func TestTakenPort(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	port := listener.Addr().(*net.TCPAddr).Port
	_, err = Start(t.Context(), Config{DataDir: t.TempDir(), Port: port})
	require.ErrorContains(t, err, fmt.Sprintf("port %d is taken", port))
}

func TestBadSettingShowsTheLog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := Start(t.Context(), Config{DataDir: dir, Settings: map[string]string{"shared_buffers": "plenty"}})
	var exited *ExitedError
	require.ErrorAs(t, err, &exited)
	require.Contains(t, exited.Log, "shared_buffers")
	startForTest(t, Config{DataDir: dir}) // the failure left the directory free
}

func TestStopWithoutTimeStopsAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := startForTest(t, Config{DataDir: dir})
	remember(t, s.SuperuserURL("postgres"), 1)
	ended, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	if err := s.Stop(ended); err != nil { // a fast shutdown may win the race
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
	again := startForTest(t, Config{DataDir: dir})
	require.Equal(t, []int{1}, recall(t, again.SuperuserURL("postgres")))
}

// shortDir returns a directory whose sockets have an addressable path, which
// the test's name in t.TempDir can make too long.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "gatehouse")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return dir
}
