package pgserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// pidFileName is PostgreSQL's own record of the running server. Its first line
// is the pid of the postmaster (the server's first process), its eighth "ready"
// once connections are accepted.
const pidFileName = "postmaster.pid"

// launch starts the postmaster and waits until it accepts connections. After a
// crash that includes recovery, whose time only ctx bounds.
func (s *Server) launch(ctx context.Context, lock *os.File) (*running, error) {
	log, err := s.dir.openLog()
	if err != nil {
		return nil, err
	}
	defer log.Close()
	offset, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, fmt.Errorf("measure the server's log: %w", err)
	}
	cluster, err := os.Open(s.dir.cluster())
	if err != nil {
		return nil, fmt.Errorf("open the cluster: %w", err)
	}
	defer cluster.Close()

	c := newChild(s.inst.program("postgres"), s.account, lock, log)
	c.cmd.Args = append(c.cmd.Args, "-D", c.pathOf(cluster))
	c.cmd.Args = append(c.cmd.Args, arguments(settings(s.cfg, s.port))...)
	r, err := c.start(syscall.SIGINT)
	if err != nil {
		return nil, err
	}
	if err := s.waitReady(ctx, r, offset); err != nil {
		if !r.ended() {
			_ = r.process.Signal(syscall.SIGQUIT) // it may have ended by itself
			<-r.done
		}
		return nil, err
	}
	return r, nil
}

func (s *Server) waitReady(ctx context.Context, r *running, offset int64) error {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for !s.dir.ready(r.process.Pid) {
		select {
		case <-r.done:
			return &ExitedError{Cause: r.err, Log: s.dir.logTail(offset)}
		case <-ctx.Done():
			return fmt.Errorf("wait for PostgreSQL to accept connections: %w; its log ends with:\n%s", ctx.Err(), s.dir.logTail(offset))
		case <-ticker.C:
		}
	}
	return nil
}

// ready tells whether the postmaster with that pid accepts connections.
func (d directory) ready(pid int) bool {
	content, err := os.ReadFile(filepath.Join(d.cluster(), pidFileName))
	if err != nil {
		return false
	}
	lines := strings.Split(string(content), "\n")
	return len(lines) > 7 && lines[0] == strconv.Itoa(pid) && strings.TrimSpace(lines[7]) == "ready"
}

// clearLeftovers makes sure that no process of an earlier server lives, and
// returns the lock that proves it. A server left behind by a killed owner is
// shut down cleanly; backends that outlived a killed postmaster are waited for.
func (s *Server) clearLeftovers(ctx context.Context) (*os.File, error) {
	lockPath := s.dir.path(serverLockName)
	lock, err := tryLock(lockPath)
	if errors.Is(err, errLocked) {
		if pid := s.dir.postmaster(); pid != 0 {
			s.cfg.Logger.Warn("stopping the PostgreSQL server that an earlier process left behind", "pid", pid)
			if err := syscall.Kill(pid, syscall.SIGINT); err != nil && !errors.Is(err, syscall.ESRCH) {
				return nil, fmt.Errorf("stop the PostgreSQL server left behind (process %d): %w", pid, err)
			}
		}
		lock, err = waitLock(ctx, lockPath)
	}
	if err != nil {
		return nil, err
	}
	if err := s.dir.removeStale(); err != nil {
		lock.Close()
		return nil, err
	}
	return lock, nil
}

// postmaster returns the pid of the live postmaster of this cluster, 0 when
// there is none. A number in a file may since belong to any process, so where
// the system shows it, the process must be working in this very directory.
func (d directory) postmaster() int {
	pid := readPID(filepath.Join(d.cluster(), pidFileName))
	if pid <= 0 || errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return 0
	}
	if runtime.GOOS != "linux" {
		return pid
	}
	working, err := os.Stat(fmt.Sprintf("/proc/%d/cwd", pid))
	if err != nil {
		return 0
	}
	cluster, err := os.Stat(d.cluster())
	if err != nil || !os.SameFile(working, cluster) {
		return 0
	}
	return pid
}

// removeStale removes the pid files of a server that is gone. PostgreSQL itself
// keeps them when their number now belongs to another process of its account.
// The caller holds the server lock; a server that somebody started by hand does
// not, and is left alone.
func (d directory) removeStale() error {
	if runtime.GOOS != "linux" {
		return nil // no way to tell a server started by hand; PostgreSQL decides
	}
	if pid := d.postmaster(); pid != 0 {
		return &InUseError{DataDir: string(d), PID: pid}
	}
	sockets, err := filepath.Glob(filepath.Join(escapeGlob(d.cluster()), ".s.PGSQL.*"))
	if err != nil {
		return fmt.Errorf("look for stale sockets: %w", err)
	}
	for _, path := range append(sockets, filepath.Join(d.cluster(), pidFileName)) {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove a stale file: %w", err)
		}
	}
	return nil
}

// escapeGlob quotes what a pattern would take for wildcards.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// freePort returns the port to listen on: the wanted one if it is free, or any.
func freePort(ctx context.Context, wanted int) (int, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(wanted)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return 0, fmt.Errorf("the database's port %d is taken, choose another or 0 for any: %w", wanted, err)
	}
	if err != nil {
		return 0, fmt.Errorf("find a port for the database: %w", err)
	}
	defer listener.Close()
	addr, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		return 0, fmt.Errorf("unexpected listener address %v", listener.Addr())
	}
	return addr.Port, nil
}
