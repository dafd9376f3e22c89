package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/gatehouse-project/gatehouse/internal/postgres/pgtest"
)

// exitFailed is the exit code when the command could not be run at all, as
// env(1) has it.
const exitFailed = 125

func main() {
	code, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "testserver:", err)
	}
	os.Exit(code)
}

func run(args []string) (code int, err error) {
	if len(args) == 0 {
		return exitFailed, errors.New("no command given; usage: testserver COMMAND [ARGUMENT ...]")
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	if os.Getenv(pgtest.EnvURL) != "" {
		return runCommand(args, os.Environ(), signals)
	}
	server, err := pgtest.StartServer(context.Background())
	if err != nil {
		return exitFailed, err
	}
	defer func() { err = errors.Join(err, server.Close(context.Background())) }()
	return runCommand(args, append(os.Environ(), pgtest.EnvURL+"="+server.SuperuserURL("postgres")), signals)
}

// runCommand runs the command in a process group of its own, so that a signal
// reaches the test binaries below `go test` too, and once.
func runCommand(args, environment []string, signals <-chan os.Signal) (int, error) {
	cmd := exec.Command(args[0], args[1:]...) //nolint:noctx // it ends by itself or by a signal passed on
	cmd.Env = environment
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return exitFailed, fmt.Errorf("run the command: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case received := <-signals:
			sig, ok := received.(syscall.Signal)
			if !ok {
				continue
			}
			if err := syscall.Kill(-cmd.Process.Pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
				return exitFailed, fmt.Errorf("pass on %v: %w", sig, err)
			}
		case err := <-ended:
			return exitCode(err)
		}
	}
}

// exitCode is the command's own, or 128 and the signal's number, as a shell has it.
func exitCode(err error) (int, error) {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, nil
	case !errors.As(err, &exit):
		return exitFailed, fmt.Errorf("wait for the command: %w", err)
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return exit.ExitCode(), nil
}
