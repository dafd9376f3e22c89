package cli

import (
	"errors"
	"fmt"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestATakenAddressNamesTheFlag(t *testing.T) {
	t.Parallel()
	var lc net.ListenConfig
	first, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer first.Close()
	_, err = lc.Listen(t.Context(), "tcp", first.Addr().String())
	require.ErrorContains(t, listening(fmt.Errorf("listen: %w", err)), "choose another address with --listen")

	other := errors.New("other")
	require.Equal(t, other, listening(other))
	require.NoError(t, listening(nil))
}
