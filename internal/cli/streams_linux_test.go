package cli

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// pseudoTerminal returns a terminal that nobody types at.
func pseudoTerminal(t *testing.T) *os.File {
	t.Helper()
	far, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = far.Close() })
	fd := int(far.Fd())
	require.NoError(t, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0))
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	require.NoError(t, err)
	near, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	return near
}

func echoes(t require.TestingT, terminal *os.File) bool {
	state, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	require.NoError(t, err)
	return state.Lflag&unix.ECHO != 0
}

func TestAnInterruptEndsWhatIsAsked(t *testing.T) {
	t.Parallel()
	for name, hidden := range map[string]bool{"shown": false, "hidden": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(context.Background())
			defer cancel(nil)
			terminal := pseudoTerminal(t)
			null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
			require.NoError(t, err)
			ask := &prompt{ctx: ctx, in: terminal, out: null, lines: bufio.NewReader(terminal)}
			defer ask.done()
			require.True(t, echoes(t, terminal))

			ended := make(chan error, 1)
			go func() {
				_, err := ask.Ask("? ", hidden)
				ended <- err
			}()
			if hidden {
				require.Eventually(t, func() bool { return !echoes(t, terminal) }, 10*time.Second, time.Millisecond)
			}
			cancel(&interrupted{signal: syscall.SIGINT})
			err = <-ended
			require.Equal(t, exitInterrupted, report(ctx, os.Stderr, nil, err))
			require.True(t, echoes(t, terminal), "what is typed at the shell is to be seen")
		})
	}
}
