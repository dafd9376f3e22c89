package pgserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
)

// Superuser is the name of the role that owns the cluster.
const Superuser = "postgres"

// maxSocketPath is the longest path of a Unix socket in bytes: Linux allows 107,
// macOS 103.
const maxSocketPath = 103

// launchAttempts bounds how often a freely chosen port that another process
// took in the meantime is chosen anew.
const launchAttempts = 3

// Config says where and how a server runs.
type Config struct {
	// DataDir is the server's own directory. It is made if need be, and must
	// otherwise be empty or made by an earlier Start.
	DataDir string
	// Port is the TCP port on 127.0.0.1; 0 picks a free one at every Start.
	Port int
	// Logger hears of the server's life; nil discards. PostgreSQL's own log is
	// the file server.log in DataDir.
	Logger *slog.Logger
	// Settings are PostgreSQL parameters that override the package's own.
	Settings map[string]string
	// Durable makes committed data survive a crash of the machine. Without it
	// the server is faster and fit for tests only; a crash of PostgreSQL alone
	// loses nothing either way.
	Durable bool
	// BinDir is the directory with initdb and postgres; empty searches the
	// places where packages put them, then PATH.
	BinDir string
}

// Server is a running PostgreSQL server. Its methods are safe for concurrent use.
type Server struct {
	cfg      Config
	dir      directory
	inst     installation
	account  account
	port     int
	password string

	mu      sync.Mutex
	owner   *os.File // the owner's lock; nil once stopped
	current *running
}

// Start creates the cluster if there is none and starts its server; it returns
// when connections are accepted. A server that a killed process left behind in
// the same directory is stopped first. ctx bounds the start alone.
//
// Errors to tell apart: *NotInstalledError, *InUseError, *ForeignDirectoryError,
// *ExitedError.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	abs, err := filepath.Abs(cfg.DataDir)
	if cfg.DataDir == "" || err != nil {
		return nil, fmt.Errorf("no database directory: %w", errors.Join(err, os.ErrInvalid))
	}
	cfg.DataDir = abs
	s := &Server{cfg: cfg, dir: directory(abs)}
	major, err := clusterMajor(s.dir.cluster())
	if err != nil {
		return nil, err
	}
	if s.inst, err = findInstallation(ctx, cfg.BinDir, major); err != nil {
		return nil, err
	}
	if s.account, err = serverAccount(s.dir.cluster()); err != nil {
		return nil, err
	}
	if err := s.dir.prepare(); err != nil {
		return nil, err
	}
	if s.owner, err = s.dir.lockOwner(); err != nil {
		return nil, err
	}
	if err := s.startOwned(ctx); err != nil {
		s.owner.Close()
		return nil, err
	}
	return s, nil
}

// startOwned does what needs the owner's lock.
func (s *Server) startOwned(ctx context.Context) error {
	lock, err := s.clearLeftovers(ctx)
	if err != nil {
		return err
	}
	// The children inherit the lock; this process must not keep it alive.
	defer lock.Close()
	if s.password, err = s.dir.superuserPassword(s.account); err != nil {
		return err
	}
	if err := s.createCluster(ctx, lock); err != nil {
		return err
	}
	return s.launchOnFreePort(ctx, lock)
}

func (s *Server) launchOnFreePort(ctx context.Context, lock *os.File) error {
	var err error
	for range launchAttempts {
		if s.port, err = freePort(ctx, s.cfg.Port); err != nil {
			return err
		}
		s.current, err = s.launch(ctx, lock)
		if err == nil {
			s.cfg.Logger.Info("PostgreSQL is running", "directory", s.cfg.DataDir, "port", s.port, "pid", s.current.process.Pid)
			return nil
		}
		var exited *ExitedError
		if s.cfg.Port != 0 || !errors.As(err, &exited) {
			return err
		}
		if _, taken := freePort(ctx, s.port); taken == nil {
			return err // the port was not the reason
		}
	}
	return err
}

// URL returns the connection URL of a role over loopback TCP. The caller knows
// the passwords of the roles it made; SuperuserURL knows the superuser's.
func (s *Server) URL(user, password, database string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(user, password),
		Host:     net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// SuperuserURL returns the superuser's URL over loopback TCP.
func (s *Server) SuperuserURL(database string) string {
	return s.URL(Superuser, s.password, database)
}

// SocketURL returns the URL of a role over the Unix socket, which only the
// server's account and root can reach. It reports false when the path of the
// data directory is too long for a socket's address.
func (s *Server) SocketURL(user, password, database string) (string, bool) {
	if len(filepath.Join(s.dir.cluster(), ".s.PGSQL."+strconv.Itoa(s.port))) > maxSocketPath {
		return "", false
	}
	u := url.URL{
		Scheme: "postgres",
		User:   url.UserPassword(user, password),
		Path:   "/" + database,
		RawQuery: url.Values{
			"host": {s.dir.cluster()},
			"port": {strconv.Itoa(s.port)},
		}.Encode(),
	}
	return u.String(), true
}

// Port returns the TCP port. It stays the same over Restart.
func (s *Server) Port() int { return s.port }

// Major returns the server's major version.
func (s *Server) Major() int { return s.inst.major }

// LogPath returns the file with PostgreSQL's own log.
func (s *Server) LogPath() string { return s.dir.path(logName) }

// Stop shuts the server down (open transactions are rolled back, clients are
// disconnected, all data is written), waits for its end and gives the directory
// free. When ctx ends first, the server is stopped at once and recovers at its
// next start; Stop then returns ctx's error. Further calls do nothing.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.owner == nil {
		return nil
	}
	err := s.shutdown(ctx)
	s.owner.Close()
	s.owner = nil
	s.cfg.Logger.Info("PostgreSQL has stopped", "directory", s.cfg.DataDir)
	return err
}

// shutdown ends the postmaster by a fast shutdown, or an immediate one when ctx
// ends.
func (s *Server) shutdown(ctx context.Context) error {
	if err := signal(s.current, syscall.SIGINT); err != nil {
		return err
	}
	select {
	case <-s.current.done:
		return nil
	case <-ctx.Done():
	}
	if err := signal(s.current, syscall.SIGQUIT); err != nil {
		return err
	}
	<-s.current.done // the postmaster itself kills stragglers after 5 s
	return fmt.Errorf("shut PostgreSQL down: %w", ctx.Err())
}

// Kill ends the postmaster at once with SIGKILL, as a crash would, and returns
// when it is gone. Backends may outlive it shortly. Restart or Stop comes next.
func (s *Server) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := signal(s.current, syscall.SIGKILL); err != nil {
		return err
	}
	<-s.current.done
	return nil
}

// Restart stops the server if it runs and starts it again on the same port,
// with recovery after a Kill. ctx bounds both.
func (s *Server) Restart(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.owner == nil {
		return fmt.Errorf("restart PostgreSQL: %w", os.ErrClosed)
	}
	if err := s.shutdown(ctx); err != nil {
		return err
	}
	lock, err := s.clearLeftovers(ctx)
	if err != nil {
		return err
	}
	defer lock.Close()
	next, err := s.launch(ctx, lock)
	if err != nil {
		return fmt.Errorf("restart PostgreSQL: %w", err)
	}
	s.current = next
	return nil
}

// signal sends sig unless the process has ended already.
func signal(r *running, sig os.Signal) error {
	if err := r.process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal PostgreSQL: %w", err)
	}
	return nil
}
