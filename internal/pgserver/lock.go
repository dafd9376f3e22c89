package pgserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// pollInterval is how often conditions outside this process are looked at:
// locks of other processes and PostgreSQL's pid file give no signal.
const pollInterval = 10 * time.Millisecond

// errLocked says that another open file holds the lock.
var errLocked = errors.New("locked")

// tryLock opens and locks the file, or returns errLocked. The kernel drops the
// lock when the last copy of the file is closed, however its holder died.
func tryLock(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		file.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errLocked
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return file, nil
}

// waitLock waits until the lock is free, or ctx ends.
func waitLock(ctx context.Context, path string) (*os.File, error) {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		file, err := tryLock(path)
		if !errors.Is(err, errLocked) {
			return file, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for the processes that hold %s: %w", path, ctx.Err())
		case <-ticker.C:
		}
	}
}

// lockOwner takes the directory for this process, and leaves its pid in the
// lock file for whoever is refused.
func (d directory) lockOwner() (*os.File, error) {
	file, err := tryLock(d.path(ownerLockName))
	if errors.Is(err, errLocked) {
		return nil, &InUseError{DataDir: string(d), PID: readPID(d.path(ownerLockName))}
	}
	if err != nil {
		return nil, err
	}
	if err := writePID(file); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

func writePID(file *os.File) error {
	if err := file.Truncate(0); err != nil {
		return fmt.Errorf("write %s: %w", file.Name(), err)
	}
	if _, err := file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0); err != nil {
		return fmt.Errorf("write %s: %w", file.Name(), err)
	}
	return nil
}

// readPID returns the number in the file's first line, 0 when there is none.
func readPID(path string) int {
	file, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, 4096))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(content), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil {
		return 0
	}
	return pid
}
