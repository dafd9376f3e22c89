//go:build unix

package verify

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// providerPatience is how long an own provider may take to its first line, in which it
// may have to be compiled.
const providerPatience = 3 * time.Minute

// startProvider starts an own provider and returns its address, and what ends it.
func (s *Settings) startProvider(ctx context.Context, stderr io.Writer) (address string, end func(), err error) {
	if len(s.Provider) == 0 {
		return "", func() {}, nil
	}
	cmd := exec.Command(s.Provider[0], s.Provider[1:]...) //nolint:gosec,noctx // it is the caller's own program, and is ended with all that it has started
	cmd.Dir, cmd.Stderr = s.folder, stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	read, write, err := os.Pipe()
	if err != nil {
		return "", nil, fmt.Errorf("start the provider: %w", err)
	}
	cmd.Stdout = write
	err = cmd.Start()
	_ = write.Close()
	if err != nil {
		_ = read.Close()
		return "", nil, fmt.Errorf("start the provider %s: %w", s.Provider[0], err)
	}
	end = func() {
		// A group that has ended needs no end.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		_ = read.Close()
	}
	_ = read.SetReadDeadline(time.Now().Add(providerPatience)) // a pipe has deadlines
	stop := context.AfterFunc(ctx, func() { _ = read.SetReadDeadline(time.Now()) })
	defer stop()
	line, err := bufio.NewReader(read).ReadString('\n')
	if err != nil {
		end()
		return "", nil, errors.Join(ctx.Err(), fmt.Errorf("the provider %s printed no address: %w", strings.Join(s.Provider, " "), err))
	}
	return strings.TrimSpace(line), end, nil
}
