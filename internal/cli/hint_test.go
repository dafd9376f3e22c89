package cli

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTroubleWithTLSComesWithTheWayOut(t *testing.T) {
	t.Parallel()
	key := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(key, []byte("gk_1_test"), 0o600))
	unknown := httptest.NewUnstartedServer(http.NotFoundHandler())
	unknown.Config.ErrorLog = log.New(io.Discard, "", 0) // it tells of the failed handshake
	unknown.StartTLS()
	t.Cleanup(unknown.Close)
	code, said := status(t, Services{}, "members list", "--url", unknown.URL, "--key-file", key)
	require.Equal(t, exitUnavailable, code, said)
	require.Contains(t, said, "certificate signed by unknown authority; if an authority of your own issued the certificate, name its certificate by SSL_CERT_FILE=")

	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	code, said = status(t, Services{}, "members list", "--url", "https"+plain.URL[len("http"):], "--key-file", key)
	require.Equal(t, exitUnavailable, code, said)
	require.Contains(t, said, "HTTP response to HTTPS client; is its address http:// instead of https://?")
}

func TestHelpIsAskedForInAnyWay(t *testing.T) {
	t.Parallel()
	_, want := status(t, Services{}, "connections create --help")
	code, got := status(t, Services{}, "help connections create")
	require.Equal(t, exitOK, code)
	require.Equal(t, want, got)
	_, want = status(t, Services{}, "--help")
	code, got = status(t, Services{}, "help")
	require.Equal(t, exitOK, code)
	require.Equal(t, want, got)
}
