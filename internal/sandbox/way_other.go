//go:build unix && !linux

package sandbox

import (
	"fmt"
	"net"
	"os/exec"
	"syscall"
)

// identity is the user that a child runs as; here always this process's.
type identity struct{ gid int }

// way is one attempt at starting a child.
type way struct {
	identity *identity
	listener net.Listener
}

// Enter does nothing: on this system the program is started without a step between.
func Enter() {}

func newWay(s Spec, apart bool) (*way, error) {
	if apart {
		return nil, fmt.Errorf("%w: that takes Linux", ErrNotIsolated)
	}
	w := &way{}
	if s.Listen {
		var err error
		if w.listener, err = net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
			return nil, fmt.Errorf("listen at the loopback: %w", err)
		}
	}
	return w, nil
}

func (w *way) command(s Spec, p place) *exec.Cmd {
	argv := s.Command.argv(p.program)
	cmd := exec.Command(argv[0], argv[1:]...) //nolint:noctx // a child is ended by Kill, with all that it has started
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

func (w *way) ready(Spec) (net.Listener, error) {
	listener := w.listener
	w.listener = nil
	return listener, nil
}

func (w *way) isolation() Isolation { return Isolation{} }

func (w *way) close() {
	if w.listener != nil {
		_ = w.listener.Close()
	}
}

func (w *way) explain(err error, c Command) error {
	return fmt.Errorf("start %s: %w", c.Program, err)
}
