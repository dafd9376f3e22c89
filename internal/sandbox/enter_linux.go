package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// entryName is what the step between is called by, in place of its path.
const entryName = "gatehouse-connector-entry"

// instruction says what the step between prepares and becomes.
type instruction struct {
	Argv   []string `json:"argv"`
	Limits Limits   `json:"limits"`
	Apart  bool     `json:"apart"`
	Listen bool     `json:"listen"`
}

// report says how far the step between came. With no error it is about to become the
// program.
type report struct {
	Error string `json:"error,omitempty"`
	// Isolation says that the error is of keeping the program apart.
	Isolation bool `json:"isolation,omitempty"`
}

// reportTo is the descriptor that the report goes to.
const reportTo = 3

// Enter becomes the program of a child, if this process was started for that, and
// then never returns. A program that uses the package calls it first in main.
func Enter() {
	if len(os.Args) != 2 || os.Args[0] != entryName {
		return
	}
	// What is given away below belongs to the thread, and so to what it becomes.
	runtime.LockOSThread()
	unix.CloseOnExec(reportTo)
	isolation, err := become(os.Args[1])
	tell(report{Error: err.Error(), Isolation: isolation}, nil)
	os.Exit(1)
}

// become prepares and executes. It returns only with an error, and whether that is of
// keeping the program apart.
func become(told string) (isolation bool, err error) {
	var in instruction
	if err := json.Unmarshal([]byte(told), &in); err != nil || len(in.Argv) == 0 {
		return false, fmt.Errorf("the instruction cannot be read")
	}
	var listener *os.File
	if in.Apart {
		if err := raiseLoopback(); err != nil {
			return true, fmt.Errorf("the loopback of the program's own network cannot be brought up (%w); allow user namespaces to this process with their privileges", err)
		}
	}
	if in.Listen {
		if listener, err = listen(); err != nil {
			return false, fmt.Errorf("listen at the loopback: %w", err)
		}
	}
	if err := setLimits(in.Limits, in.Apart); err != nil {
		return false, err
	}
	if err := giveUpPrivileges(); err != nil {
		return false, err
	}
	if _, err := os.Stat(in.Argv[0]); err != nil {
		return false, fmt.Errorf("the program cannot be reached by the user that it runs as: %w", err)
	}
	// Everything beyond the standard streams is closed as the program begins.
	// Before Linux 5.9 there is no such call; what Go opens is closed in any case.
	if err := unix.CloseRange(reportTo, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC); err != nil && !errors.Is(err, unix.ENOSYS) {
		return false, fmt.Errorf("close descriptors: %w", err)
	}
	tell(report{}, listener)
	err = execute(in.Argv)
	fmt.Fprintf(os.Stderr, "%s cannot be executed: %v\n", in.Argv[0], err)
	os.Exit(126)
	return false, nil
}

// execute becomes the program. Its copy was just written, and for a moment another
// process that is being started may still have the descriptor that wrote it.
func execute(argv []string) error {
	const tries, pause = 200, 10 * time.Millisecond
	var err error
	for range tries {
		if err = unix.Exec(argv[0], argv, []string{}); !errors.Is(err, unix.ETXTBSY) {
			return err
		}
		time.Sleep(pause)
	}
	return err
}

// raiseLoopback brings the loopback of a new network namespace up.
func raiseLoopback() error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(socket) }()
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(socket, unix.SIOCGIFFLAGS, request); err != nil {
		return err
	}
	request.SetUint16(request.Uint16() | unix.IFF_UP)
	return unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request)
}

// listen makes a listener, which stays in this network wherever it is handed.
func listen() (*os.File, error) {
	listener, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	defer func() { _ = listener.Close() }()
	return listener.File()
}

func setLimits(l Limits, apart bool) error {
	seconds := uint64(max(1, l.CPU/time.Second))
	limits := map[int]uint64{
		unix.RLIMIT_CPU: seconds, unix.RLIMIT_DATA: l.Memory, unix.RLIMIT_NOFILE: l.Files, unix.RLIMIT_FSIZE: l.FileBytes,
		// A dump of memory would hold secrets.
		unix.RLIMIT_CORE: 0,
	}
	if apart {
		// Elsewhere it would count the user's other processes, too.
		limits[unix.RLIMIT_NPROC] = l.Processes
	}
	for what, most := range limits {
		var now unix.Rlimit
		if err := unix.Getrlimit(what, &now); err != nil {
			return fmt.Errorf("read a limit: %w", err)
		}
		most = min(most, now.Max)
		if err := unix.Setrlimit(what, &unix.Rlimit{Cur: most, Max: most}); err != nil {
			return fmt.Errorf("set a limit: %w", err)
		}
	}
	return nil
}

// giveUpPrivileges leaves this thread without any, for good.
func giveUpPrivileges() error {
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return fmt.Errorf("give up privileges: %w", err)
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	if err := unix.Capset(&header, &none[0]); err != nil {
		return fmt.Errorf("give up privileges: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up privileges: %w", err)
	}
	return nil
}

// tell reports. When nobody listens, the child is about to be ended.
func tell(r report, listener *os.File) {
	text, err := json.Marshal(r)
	if err != nil {
		return
	}
	var rights []byte
	if listener != nil {
		rights = unix.UnixRights(int(listener.Fd()))
	}
	_ = unix.Sendmsg(reportTo, text, rights, nil, 0)
}
