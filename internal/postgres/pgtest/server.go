package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gatehouse-project/gatehouse/internal/pgserver"
)

// memoryDir is Linux's file system in memory. A database is some three hundred
// files: cloning one takes 22 ms there, and 550 ms on a virtual disk on which
// each new file costs a millisecond (measured, PostgreSQL 15).
const memoryDir = "/dev/shm"

// memoryNeeded is the free space from which on memoryDir is used. Containers
// often have only 64 MiB there.
const memoryNeeded = 2 << 30

// dirPrefix begins the name of every server's directory.
const dirPrefix = "gatehouse-pgtest-"

// sweepAge is how old a directory must be before it can count as abandoned: a
// new one is for a moment without its owner's lock.
const sweepAge = time.Minute

// Server is a PostgreSQL server for one run of tests, in a directory of its own.
type Server struct {
	*pgserver.Server
	dir string
}

// StartServer starts a server fit for many parallel tests, in memory where there
// is room, otherwise in the system's directory for temporary files. A TMPDIR in
// the environment decides by itself.
func StartServer(ctx context.Context) (*Server, error) {
	parent := parentDir()
	sweep(ctx, parent)
	dir, err := os.MkdirTemp(parent, dirPrefix)
	if err != nil {
		return nil, fmt.Errorf("make the test server's directory: %w", err)
	}
	server, err := pgserver.Start(ctx, pgserver.Config{
		DataDir: dir,
		Settings: map[string]string{
			// Several test binaries run at once, each with several pools.
			"max_connections": "400",
			// Its files may be memory.
			"max_wal_size": "512MB",
			"min_wal_size": "64MB",
		},
	})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &Server{Server: server, dir: dir}, nil
}

// Close stops the server and removes its directory.
func (s *Server) Close(ctx context.Context) error {
	return errors.Join(s.Stop(ctx), os.RemoveAll(s.dir))
}

// sweep removes what runs that were killed have left, which may be memory. It
// leaves servers of live runs and of other accounts alone, and what it fails to
// remove for the next run.
func sweep(ctx context.Context, parent string) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), dirPrefix) {
			continue
		}
		if info, err := entry.Info(); err == nil && time.Since(info.ModTime()) > sweepAge {
			_ = pgserver.Remove(ctx, filepath.Join(parent, entry.Name())) // see above
		}
	}
}

// parentDir returns where the server's directory goes.
func parentDir() string {
	if os.Getenv("TMPDIR") != "" {
		return os.TempDir()
	}
	var stat unix.Statfs_t
	if err := unix.Statfs(memoryDir, &stat); err != nil {
		return os.TempDir()
	}
	if stat.Bavail*uint64(stat.Bsize) < memoryNeeded {
		return os.TempDir()
	}
	return memoryDir
}
