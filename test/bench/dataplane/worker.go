package dataplane

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// Worker is a worker process of this plane.
type Worker struct {
	process *exec.Cmd
}

// StartWorker starts the program at a path as this plane's worker. It writes a
// profile of its processor time to a file, unless that is empty.
func (p *Plane) StartWorker(ctx context.Context, program, profile string) (*Worker, error) {
	c := exec.CommandContext(ctx, program, "-url", p.URL, "-profile", profile)
	c.Env = append(os.Environ(), "BENCHWORKER_TOKEN="+p.Token.RevealString())
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("start the worker: %w", err)
	}
	return &Worker{process: c}, nil
}

// PeakMemory is the most memory the worker has had in use, in bytes.
func (w *Worker) PeakMemory() (int64, error) { return PeakMemory(w.process.Process.Pid) }

// PeakMemory is the most memory a process has had in use, in bytes: VmHWM of
// proc(5), which Linux alone has.
func PeakMemory(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("read a process's memory: %w", err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kib * 1024, err
		}
	}
	return 0, errors.New("a process's memory is not told")
}

// Kill ends the process as a crash would.
func (w *Worker) Kill() error {
	if err := w.process.Process.Kill(); err != nil {
		return fmt.Errorf("kill the worker: %w", err)
	}
	// That it was killed is how it ended.
	_ = w.process.Wait()
	return nil
}

// Stop ends the process.
func (w *Worker) Stop() error {
	if err := w.process.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop the worker: %w", err)
	}
	if err := w.process.Wait(); err != nil {
		return fmt.Errorf("stop the worker: %w", err)
	}
	return nil
}
