package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// identity is the user that a child of a root worker runs as.
type identity struct{ uid, gid int }

// nobody is the user and group that own nothing, by the kernel's own default.
const nobody = 65534

// way is one attempt at starting a child.
type way struct {
	apart    bool
	identity *identity
	// ours is where the step between says how far it came; theirs is its end.
	ours, theirs *os.File
}

func newWay(_ Spec, apart bool) (*way, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("make a pair of sockets: %w", err)
	}
	// With that it has deadlines.
	if err := unix.SetNonblock(pair[0], true); err != nil {
		return nil, fmt.Errorf("make a pair of sockets: %w", err)
	}
	w := &way{apart: apart, ours: os.NewFile(uintptr(pair[0]), "sandbox"), theirs: os.NewFile(uintptr(pair[1]), "sandbox")}
	if os.Geteuid() == 0 {
		w.identity = &identity{uid: nobody, gid: nobody}
	}
	return w, nil
}

// command is the step between, which becomes the program.
func (w *way) command(s Spec, p place) *exec.Cmd {
	// An instruction is of strings and numbers, which can always be encoded.
	told, _ := json.Marshal(instruction{Argv: s.Command.argv(p.program), Limits: s.Limits, Apart: w.apart, Listen: s.Listen})
	cmd := exec.Command("/proc/self/exe") //nolint:noctx // a child is ended by Kill, with all that it has started
	cmd.Args = []string{entryName, string(told)}
	cmd.ExtraFiles = []*os.File{w.theirs}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if w.identity != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(w.identity.uid), Gid: uint32(w.identity.gid)}
	}
	if w.apart {
		uid, gid := os.Geteuid(), os.Getegid()
		if w.identity != nil {
			uid, gid = w.identity.uid, w.identity.gid
		}
		cmd.SysProcAttr.Cloneflags = unix.CLONE_NEWUSER | unix.CLONE_NEWNET | unix.CLONE_NEWPID | unix.CLONE_NEWIPC
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}}
		cmd.SysProcAttr.GidMappingsEnableSetgroups = w.identity != nil
		// To bring the loopback up; the step between gives it away.
		cmd.SysProcAttr.AmbientCaps = []uintptr{unix.CAP_NET_ADMIN}
	}
	return cmd
}

// preparing bounds how long the step between may take.
const preparing = 20 * time.Second

// ready waits until the child is about to become the program and takes its listener.
func (w *way) ready(s Spec) (net.Listener, error) {
	_ = w.theirs.Close()
	raw, err := w.ours.SyscallConn()
	if err != nil {
		return nil, err
	}
	if err := w.ours.SetReadDeadline(time.Now().Add(preparing)); err != nil {
		return nil, err
	}
	message, rights := make([]byte, 4<<10), make([]byte, unix.CmsgSpace(4))
	var n, oob int
	var received error
	if err := raw.Read(func(fd uintptr) bool {
		n, oob, _, _, received = unix.Recvmsg(int(fd), message, rights, unix.MSG_CMSG_CLOEXEC)
		return !errors.Is(received, unix.EAGAIN)
	}); err != nil {
		return nil, fmt.Errorf("the program was not started in time: %w", err)
	}
	if received != nil {
		return nil, received
	}
	var said report
	if n == 0 || json.Unmarshal(message[:n], &said) != nil {
		return nil, errors.New("the program could not be started: the step before it ended without a word")
	}
	if said.Error != "" {
		if said.Isolation {
			return nil, fmt.Errorf("%w: %s", ErrNotIsolated, said.Error)
		}
		return nil, errors.New(said.Error)
	}
	if !s.Listen {
		return nil, nil
	}
	return listenerOf(rights[:oob])
}

// listenerOf makes a listener of the descriptor in a control message.
func listenerOf(rights []byte) (net.Listener, error) {
	messages, err := unix.ParseSocketControlMessage(rights)
	if err != nil || len(messages) != 1 {
		return nil, errors.New("the program's listener did not come")
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return nil, errors.New("the program's listener did not come")
	}
	file := os.NewFile(uintptr(fds[0]), "listener")
	defer file.Close()
	return net.FileListener(file)
}

func (w *way) isolation() Isolation { return Isolation{Network: w.apart, Processes: w.apart} }

func (w *way) close() { closeAll(w.ours, w.theirs) }

// explain turns what the kernel says into what is missing.
func (w *way) explain(err error, c Command) error {
	refused := errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EUSERS)
	switch {
	case errors.Is(err, ErrNotIsolated):
		return err
	case w.apart && refused:
		return fmt.Errorf("%w: the kernel refuses user namespaces (%w); allow them to this process, or run it where they are", ErrNotIsolated, err)
	}
	return fmt.Errorf("start %s: %w", c.Program, err)
}
