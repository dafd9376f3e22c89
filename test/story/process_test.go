package story

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience bounds everything a story waits for; nothing takes as long.
const patience = 3 * time.Minute

// output takes what a process prints and tells whoever waits for it.
type output struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{}
}

func newOutput() *output { return &output{changed: make(chan struct{})} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.changed)
	o.changed = make(chan struct{})
	return o.text.Write(p)
}

// now returns what was printed so far, and a channel that is closed at the next
// addition.
func (o *output) now() (string, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String(), o.changed
}

func (o *output) String() string {
	text, _ := o.now()
	return text
}

// process is a gatehouse command that runs beside the test.
type process struct {
	name  string
	cmd   *exec.Cmd
	out   *output
	ended chan struct{}
	err   error // once ended
}

// start runs a command until the test ends or stops it. The environment is the
// test's own without any settings of gatehouse or PostgreSQL, and env.
func start(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	return startProgram(t, gatehouse, env, args...)
}

func startProgram(t *testing.T, program string, env []string, args ...string) *process {
	t.Helper()
	p := &process{name: filepath.Base(program) + " " + strings.Join(args, " "), cmd: exec.Command(program, args...), out: newOutput(), ended: make(chan struct{})}
	p.cmd.Env = append(plainEnvironment(), env...)
	p.cmd.Dir = t.TempDir()
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	require.NoError(t, p.cmd.Start())
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.end(syscall.SIGTERM)
		if t.Failed() {
			t.Logf("%s printed:\n%s", p.name, tail(p.out.String()))
		}
	})
	return p
}

// plainEnvironment is the environment of the tests without what would change
// how gatehouse or PostgreSQL's programs behave.
func plainEnvironment() []string {
	var plain []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "GATEHOUSE_") && !strings.HasPrefix(variable, "PG") && !strings.HasPrefix(variable, "AWS_") {
			plain = append(plain, variable)
		}
	}
	return plain
}

const maxTail = 4 << 10

func tail(text string) string { return text[max(0, len(text)-maxTail):] }

// end sends a signal and waits for the end, which it forces when it does not
// come.
func (p *process) end(signal syscall.Signal) {
	select {
	case <-p.ended:
		return
	default:
	}
	// A process that has just ended needs no signal.
	_ = p.cmd.Process.Signal(signal)
	select {
	case <-p.ended:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// stop ends the process as an operator would and requires that it says it is well.
func (p *process) stop(t *testing.T) {
	t.Helper()
	p.end(syscall.SIGTERM)
	require.NoError(t, p.err, "%s:\n%s", p.name, tail(p.out.String()))
}

// kill ends the process as a crash would.
func (p *process) kill(t *testing.T) {
	t.Helper()
	p.end(syscall.SIGKILL)
	var exit *exec.ExitError
	require.ErrorAs(t, p.err, &exit, "%s had ended before", p.name)
}

// await waits until the process has printed something that fits the pattern and
// returns its first group.
func (p *process) await(t *testing.T, pattern string) string {
	t.Helper()
	want := regexp.MustCompile(pattern)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		text, changed := p.out.now()
		if found := want.FindStringSubmatch(text); found != nil {
			return found[1]
		}
		select {
		case <-changed:
		case <-p.ended:
			require.Failf(t, "the process ended early", "%s: %v\n%s", p.name, p.err, tail(p.out.String()))
		case <-ctx.Done():
			require.Failf(t, "the process did not print what it should", "%s: %s\n%s", p.name, pattern, tail(p.out.String()))
		}
	}
}

// printed is what a command that has ended printed.
type printed struct {
	stdout, stderr string
	status         int
}

// command runs a gatehouse command to its end.
func command(t *testing.T, env []string, args ...string) printed {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, gatehouse, args...)
	cmd.Env = append(plainEnvironment(), env...)
	cmd.Dir = t.TempDir()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	require.True(t, err == nil || errors.As(err, &exit), "gatehouse %v: %v", args, err)
	require.NoError(t, ctx.Err(), "gatehouse %v\n%s%s", args, stdout.String(), stderr.String())
	return printed{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// eventually asks until the answer is yes. It is for what nobody announces.
func eventually(t *testing.T, what string, yes func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		if yes() {
			tick.Stop()
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			require.Fail(t, "it never became true that "+what)
		}
	}
}
