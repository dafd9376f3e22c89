package fault

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a program that is kept running: when it ends, it is started again.
type process struct {
	name, program string
	env, args     []string
	log           *os.File

	mu sync.Mutex
	// cmd is the present incarnation; nil while there is none.
	cmd *exec.Cmd
	// ending says that the present incarnation is meant to end; down is how long
	// there is to be none then.
	ending bool
	down   time.Duration
	// byItself counts incarnations that ended without having been told to.
	byItself int
	stop     chan struct{}
	stopped  chan struct{}
}

// restartAfter is the pause before a process that ended by itself is started
// again, as a supervisor does.
const restartAfter = 500 * time.Millisecond

// keep starts a program and keeps it running until close. What it prints goes to
// a file of its name.
func keep(dir, name, program string, env []string, args ...string) (*process, error) {
	log, err := os.Create(filepath.Join(dir, name+".log"))
	if err != nil {
		return nil, fmt.Errorf("make the log of %s: %w", name, err)
	}
	p := &process{name: name, program: program, env: append(plainEnvironment(), env...), args: args, log: log, stop: make(chan struct{}), stopped: make(chan struct{})}
	first, err := p.launch()
	if err != nil {
		return nil, err
	}
	go p.supervise(first)
	return p, nil
}

// plainEnvironment is this process's without what would change how gatehouse or
// PostgreSQL's programs behave.
func plainEnvironment() []string {
	var plain []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "GATEHOUSE_") && !strings.HasPrefix(variable, "PG") && !strings.HasPrefix(variable, "AWS_") {
			plain = append(plain, variable)
		}
	}
	return plain
}

func (p *process) launch() (*exec.Cmd, error) {
	cmd := exec.CommandContext(context.Background(), p.program, p.args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = p.env, p.log, p.log
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cmd, p.ending, p.down = cmd, false, restartAfter
	return cmd, nil
}

func (p *process) supervise(cmd *exec.Cmd) {
	defer close(p.stopped)
	for {
		_ = cmd.Wait() // how it ended is in its log
		p.mu.Lock()
		p.cmd = nil
		if !p.ending {
			p.byItself++
		}
		pause := p.down
		p.mu.Unlock()
		for {
			select {
			case <-p.stop:
			case <-time.After(pause):
			}
			if p.closing() {
				return
			}
			next, err := p.launch()
			if err == nil {
				cmd = next
				break
			}
			fmt.Fprintln(p.log, err)
		}
	}
}

func (p *process) closing() bool {
	select {
	case <-p.stop:
		return true
	default:
		return false
	}
}

// end sends a signal that ends the process, which comes back after the given time.
func (p *process) end(signal syscall.Signal, down time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		p.ending, p.down = true, down
		_ = p.cmd.Process.Signal(signal) // it may just have ended
	}
}

// signal sends one that does not end the process.
func (p *process) signal(signal syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		_ = p.cmd.Process.Signal(signal) // it may just have ended
	}
}

// endedByItself is how often that happened so far.
func (p *process) endedByItself() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.byItself
}

// closeTime is how long a process may take to end when the suite is over.
const closeTime = 30 * time.Second

// close ends the process for good.
func (p *process) close() {
	close(p.stop)
	p.signal(syscall.SIGCONT)
	p.end(syscall.SIGTERM, 0)
	select {
	case <-p.stopped:
	case <-time.After(closeTime):
		p.end(syscall.SIGKILL, 0)
		<-p.stopped
	}
	p.log.Close()
}
