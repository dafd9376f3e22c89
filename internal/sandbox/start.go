package sandbox

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// Isolation says how far a child is kept apart.
type Isolation struct {
	// Network says that the child reaches its loopback and nothing else.
	Network bool
	// Processes says that the child sees no others, and that all of its own end
	// with it.
	Processes bool
	// Reason says why something of it is missing, in a sentence.
	Reason string
}

// Full reports whether nothing is missing.
func (i Isolation) Full() bool { return i.Network && i.Processes }

// ErrNotIsolated means that the system does not let the program be kept apart.
var ErrNotIsolated = errors.New("this system does not let a program be kept from the network and from other processes")

// Spec is what a child is started with.
type Spec struct {
	Command Command
	Limits  Limits
	// Isolated refuses to start a child that cannot be kept apart.
	Isolated bool
	// Listen asks for a listener at the child's loopback.
	Listen bool
}

// Child is a program that runs. It has to be ended.
type Child struct {
	// Stdin, Stdout and Stderr are this side's ends; all three have deadlines.
	Stdin, Stdout, Stderr *os.File
	// Listener is at an address of the loopback that the child reaches; nil when it
	// was not asked for. Without isolation everybody on the machine reaches it.
	Listener  net.Listener
	Isolation Isolation

	cmd   *exec.Cmd
	place place
	done  chan struct{}
	end   sync.Once
	state *os.ProcessState
}

// Start starts a child. The error says what is missing and the way out;
// [ErrNotIsolated] and [*HashError] are among them, and then nothing was started.
func Start(s Spec) (*Child, error) {
	if err := s.Limits.Validate(); err != nil {
		return nil, err
	}
	c, err := start(s, true)
	if !errors.Is(err, ErrNotIsolated) || s.Isolated {
		return c, err
	}
	reason := err.Error()
	if c, err = start(s, false); err != nil {
		return nil, err
	}
	c.Isolation.Reason = reason
	return c, nil
}

// start starts a child, kept apart or not.
func start(s Spec, apart bool) (started *Child, err error) {
	c, running := &Child{done: make(chan struct{})}, false
	defer func() {
		if started == nil && !running {
			err = errors.Join(err, c.place.remove())
			closeAll(c.Stdin, c.Stdout, c.Stderr)
		}
	}()
	way, err := newWay(s, apart)
	if err != nil {
		return nil, err
	}
	defer way.close()
	if c.place, err = newPlace(s.Command, way.identity); err != nil {
		return nil, err
	}
	cmd := way.command(s, c.place)
	cmd.Dir = c.place.directory
	cmd.Env = []string{}
	theirs, err := c.pipes(cmd)
	if err != nil {
		return nil, err
	}
	defer closeAll(theirs...)
	c.cmd = cmd // before somebody waits for its end
	if err := begin(cmd, c.ended); err != nil {
		return nil, way.explain(err, s.Command)
	}
	running = true
	if c.Listener, err = way.ready(s); err != nil {
		c.Kill()
		return nil, way.explain(err, s.Command)
	}
	c.Isolation = way.isolation()
	return c, nil
}

// pipes makes the standard streams and returns the child's ends.
func (c *Child) pipes(cmd *exec.Cmd) (theirs []*os.File, err error) {
	in, stdin, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe: %w", err)
	}
	c.Stdin = stdin
	theirs = append(theirs, in)
	for _, own := range []**os.File{&c.Stdout, &c.Stderr} {
		ours, out, err := os.Pipe()
		if err != nil {
			closeAll(theirs...)
			return nil, fmt.Errorf("make a pipe: %w", err)
		}
		*own = ours
		theirs = append(theirs, out)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = theirs[0], theirs[1], theirs[2]
	return theirs, nil
}

// begin starts a process from a thread that lives as long as it: a process that is to
// end with its parent ends with the thread that started it.
func begin(cmd *exec.Cmd, ended func()) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is in its state
			ended()
		}
	}()
	return <-started
}

// lingering is how long the streams of a child that has ended are still read, which
// processes that it left behind may hold open.
const lingering = time.Second

func (c *Child) ended() {
	c.state = c.cmd.ProcessState
	c.killGroup()
	until := time.Now().Add(lingering)
	// Streams that are closed already need no end.
	_, _ = c.Stdout.SetReadDeadline(until), c.Stderr.SetReadDeadline(until)
	close(c.done)
}

func (c *Child) killGroup() {
	// There may be nobody left in it.
	_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL)
}

// Done is closed when the program has ended.
func (c *Child) Done() <-chan struct{} { return c.done }

// Exit says how the program ended, as the end of a sentence, once it has.
func (c *Child) Exit(l Limits) string {
	<-c.done
	status, ok := c.state.Sys().(syscall.WaitStatus)
	used := c.state.UserTime() + c.state.SystemTime()
	switch {
	case ok && status.Signaled() && used >= l.CPU-time.Second/2:
		return fmt.Sprintf("it used up its %s of processor time", l.CPU)
	case ok && status.Signaled():
		return fmt.Sprintf("it was ended by the signal %q", status.Signal())
	case c.state.Success():
		return "it ended by itself"
	}
	return fmt.Sprintf("it ended with the status %d", c.state.ExitCode())
}

// Kill ends the program and everything that it has started, at once, and lets go of
// what belongs to it. It is safe to call more than once.
func (c *Child) Kill() {
	c.end.Do(func() {
		// A process that has ended needs no end.
		_ = c.cmd.Process.Kill()
		c.killGroup()
		<-c.done
		closeAll(c.Stdin, c.Stdout, c.Stderr)
		if c.Listener != nil {
			_ = c.Listener.Close()
		}
		// What cannot be removed is a copy of a program, in a temporary directory.
		_ = c.place.remove()
	})
}

func closeAll(files ...*os.File) {
	for _, f := range files {
		if f != nil {
			_ = f.Close()
		}
	}
}
