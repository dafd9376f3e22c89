package dataplane

import (
	"errors"
	"fmt"
	"os"
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
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", w.process.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("read the worker's processor time: %w", err)
	}
	// The second field is a name in parentheses; user and system time are the
	// 14th and 15th.
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, errors.New("the worker's processor time is not told")
	}
	var ticks int64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read the worker's processor time: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * tick, nil
}
