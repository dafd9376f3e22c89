package api_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func (b *bench) post(t *testing.T, body string) (*http.Response, string) {
	t.Helper()
	return b.do(t, http.MethodPost, "/things/conn_1", body, "Authorization", "Bearer "+b.key, "Content-Type", "application/json")
}

func TestDeeplyNestedBodyIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, func() error { return nil })
	for _, open := range []string{"[", `{"a":`} {
		res, text := b.post(t, `{"secret":"abc","number":`+strings.Repeat(open, 100_000))
		require.Equal(t, http.StatusBadRequest, res.StatusCode, text)
		require.Contains(t, text, "is nested more than 64 levels deep")
		require.Contains(t, text, `"location":"body"`)
		require.Contains(t, text, `"status":400`)
	}
	res, text := b.post(t, `{"secret":"[[[[["}`)
	require.Equal(t, http.StatusOK, res.StatusCode, text)
	require.NotContains(t, b.log.String(), "level=ERROR")
}

func TestOversizedBodyIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, func() error { return nil })
	res, text := b.post(t, `{"secret":"`+strings.Repeat("a", 1<<20)+`"}`)
	require.Equal(t, http.StatusRequestEntityTooLarge, res.StatusCode, text)
}

// What breaks off is the sender's doing and no fault of the server.
func TestBrokenBodyIsTheClientsMistake(t *testing.T) {
	t.Parallel()
	b := setup(t, func() error { return nil })
	for name, body := range map[string]string{
		"no chunk":       "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
		"half a chunk":   "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"a\"",
		"half of length": "Content-Length: 50\r\n\r\n{\"secret\"",
	} {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(b.url, "http://"))
		require.NoError(t, err)
		_, err = fmt.Fprintf(conn, "POST /things/conn_1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer %s\r\n%s", b.key, body)
		require.NoError(t, err)
		require.NoError(t, conn.(*net.TCPConn).CloseWrite())
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err, name)
		text, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.NoError(t, conn.Close())
		require.Equal(t, http.StatusBadRequest, res.StatusCode, "%s: %s", name, text)
		require.Contains(t, string(text), "broke off before its end")
	}
	require.NotContains(t, b.log.String(), "level=ERROR")
}

func TestLongAddressIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, func() error { return nil })
	res, text := b.do(t, http.MethodPost, "/things/conn_1?cursor="+strings.Repeat("a", 17<<10), "{}")
	require.Equal(t, http.StatusRequestURITooLong, res.StatusCode)
	require.Contains(t, text, "longer than 16384 bytes")
	require.Equal(t, "application/problem+json", res.Header.Get("Content-Type"))
}
