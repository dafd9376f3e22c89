package pgserver

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// descriptorPaths tells whether /proc/self/fd names a process's open files,
// which reaches a directory without walking the directories above it.
const descriptorPaths = runtime.GOOS == "linux"

// child is a program of the server's about to be run under its account.
//
// An unprivileged account often cannot walk to the data directory (below /root,
// say). The child therefore inherits open descriptors of what it needs and
// names them by /proc/self/fd, so that nothing has to move elsewhere and no
// directory has to be opened up.
type child struct {
	cmd *exec.Cmd
	acc account
}

// newChild prepares program. lock is inherited and stays locked until the last
// process that the child leaves behind has ended.
func newChild(program string, acc account, lock, log *os.File) *child {
	cmd := exec.Command(program) //nolint:noctx // the server outlives the context of its start
	// A working directory that every account can enter.
	cmd.Dir = "/"
	cmd.Env = []string{"LC_ALL=C", "PATH=/usr/bin:/bin", "TZ=UTC"}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{lock}
	// A session of its own: Ctrl-C at the terminal is for Gatehouse, which
	// stops the server last.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: acc.credential()}
	return &child{cmd: cmd, acc: acc}
}

// pathOf returns the name under which the child reaches the open file. The file
// must stay open until the child has started.
func (c *child) pathOf(file *os.File) string {
	if !c.acc.switched || !descriptorPaths {
		return file.Name()
	}
	c.cmd.ExtraFiles = append(c.cmd.ExtraFiles, file)
	// Inherited files are numbered after stdin, stdout and stderr.
	return fmt.Sprintf("/proc/self/fd/%d", 2+len(c.cmd.ExtraFiles))
}

// running is a started child.
type running struct {
	process *os.Process
	// done is closed when the child has ended and been reaped.
	done chan struct{}
	// err is how it ended; read it after done.
	err error
}

// start runs the child. onParentDeath is the signal it gets when this process
// dies, where the system can do that.
func (c *child) start(onParentDeath syscall.Signal) (*running, error) {
	signalOnParentDeath(c.cmd.SysProcAttr, onParentDeath)
	r := &running{done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel sends that signal when the thread that started the child
		// ends, so this thread must last as long as the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := c.cmd.Start(); err != nil {
			started <- fmt.Errorf("run %s: %w", c.cmd.Path, err)
			return
		}
		r.process = c.cmd.Process
		started <- nil
		r.err = c.cmd.Wait()
		close(r.done)
	}()
	return r, <-started
}

// ended tells whether the child is gone.
func (r *running) ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}
