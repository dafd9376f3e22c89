package dataplane

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// processor is the processor time that this process has taken.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0 // fails for wrong arguments only
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// tick is the unit of proc(5)'s processor times on Linux.
const tick = 10 * time.Millisecond

// Processor is the processor time that the worker has taken so far.
func (w *Worker) Processor() (time.Duration, error) {
	s, err := readStat(w.process.Process.Pid)
	return s.own, err
}

// DatabaseProcessor is the processor time that the server has taken so far, in
// all its processes.
func (p *Plane) DatabaseProcessor(ctx context.Context) (time.Duration, error) {
	var backend int
	if err := p.Super.QueryRow(ctx, "select pg_backend_pid()").Scan(&backend); err != nil {
		return 0, fmt.Errorf("find the server's process: %w", err)
	}
	s, err := readStat(backend)
	if err != nil {
		return 0, err
	}
	server := s.parent
	if s, err = readStat(server); err != nil {
		return 0, err
	}
	all := s.own + s.reaped
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, fmt.Errorf("list the processes: %w", err)
	}
	for _, path := range processes {
		pid, err := strconv.Atoi(filepath.Base(path))
		if err != nil {
			continue
		}
		// One that has ended meanwhile is counted with its parent next time.
		if s, err := readStat(pid); err == nil && s.parent == server {
			all += s.own
		}
	}
	return all, nil
}

// stat is what proc(5) tells of a process: its parent, its own processor time and
// that of children that have ended.
type stat struct {
	parent      int
	own, reaped time.Duration
}

func readStat(pid int) (s stat, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return s, fmt.Errorf("read a process's state: %w", err)
	}
	// The second field is a name in parentheses; the fourth is the parent, and the
	// 14th to 17th are user and system time, its own and that of its children.
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 15 {
		return s, errors.New("a process's times are not told")
	}
	if s.parent, err = strconv.Atoi(fields[1]); err != nil {
		return s, fmt.Errorf("read a process's state: %w", err)
	}
	var ticks [4]int64
	for i := range ticks {
		if ticks[i], err = strconv.ParseInt(fields[11+i], 10, 64); err != nil {
			return s, fmt.Errorf("read a process's times: %w", err)
		}
	}
	s.own, s.reaped = time.Duration(ticks[0]+ticks[1])*tick, time.Duration(ticks[2]+ticks[3])*tick
	return s, nil
}
