package app

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// drip is a client that sends a part of a request and then nothing. Its reads
// end when a deadline is set, as if that had come: nobody waits for it.
type drip struct {
	net.Conn
	mu       sync.Mutex
	sent     string
	deadline time.Time
	set      chan struct{}
	closed   chan struct{}
	once     sync.Once
}

func newDrip(sent string) *drip {
	return &drip{sent: sent, set: make(chan struct{}, 100), closed: make(chan struct{})}
}

func (d *drip) Read(p []byte) (int, error) {
	d.mu.Lock()
	n := copy(p, d.sent)
	d.sent = d.sent[n:]
	bounded := !d.deadline.IsZero()
	d.mu.Unlock()
	switch {
	case n > 0:
		return n, nil
	case bounded:
		return 0, os.ErrDeadlineExceeded
	}
	// Without a deadline it would be waited for for ever.
	select {
	case <-d.set:
		return 0, os.ErrDeadlineExceeded
	case <-d.closed:
		return 0, io.EOF
	}
}

func (d *drip) SetReadDeadline(t time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.deadline = t
	if !t.IsZero() {
		d.set <- struct{}{}
	}
	return nil
}

func (d *drip) Close() error {
	d.once.Do(func() { close(d.closed) })
	return nil
}

func (d *drip) SetDeadline(t time.Time) error  { return d.SetReadDeadline(t) }
func (*drip) SetWriteDeadline(time.Time) error { return nil }
func (*drip) Write(p []byte) (int, error)      { return len(p), nil }
func (*drip) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (*drip) RemoteAddr() net.Addr             { return &net.TCPAddr{} }

// handOver is a listener whose connections are handed to it.
type handOver struct {
	conns chan net.Conn
	done  chan struct{}
}

func (h handOver) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.done:
		return nil, net.ErrClosed
	}
}

func (handOver) Addr() net.Addr { return &net.TCPAddr{} }
func (handOver) Close() error   { return nil }

// Clients that are slow with the header, with the body or with a next request
// are cut off.
func TestSlowClientsAreCutOff(t *testing.T) {
	t.Parallel()
	for name, sent := range map[string]string{
		"nothing":         "",
		"half a header":   "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
		"half a body":     "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf",
		"no next request": "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, err := io.Copy(io.Discard, r.Body)
				if err != nil {
					w.WriteHeader(http.StatusRequestTimeout)
				}
			}), nil, slog.New(slog.DiscardHandler))
			ln := handOver{conns: make(chan net.Conn, 1), done: make(chan struct{})}
			served := make(chan error, 1)
			go func() { served <- server.Serve(ln) }()
			client := newDrip(sent)
			ln.conns <- client
			select {
			case <-client.closed:
			case <-t.Context().Done():
				t.Error("the connection is still open")
			}
			close(ln.done)
			require.ErrorIs(t, <-served, net.ErrClosed)
		})
	}
}

func TestServerHasEveryLimit(t *testing.T) {
	t.Parallel()
	s := newServer(http.NotFoundHandler(), nil, slog.New(slog.DiscardHandler))
	require.Equal(t, 10*time.Second, s.ReadHeaderTimeout)
	require.Positive(t, s.ReadTimeout)
	require.Positive(t, s.IdleTimeout)
	require.Greater(t, s.WriteTimeout, testAtMost, "a test of a connection is answered while it is waited for")
	require.Equal(t, 64<<10, s.MaxHeaderBytes)
	require.Positive(t, s.HTTP2.MaxConcurrentStreams)
}

func TestLargeHeaderIsRefused(t *testing.T) {
	t.Parallel()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- serveHTTP(ctx, ln, http.NotFoundHandler(), nil, slog.New(slog.DiscardHandler)) }()
	defer func() {
		stop()
		require.NoError(t, <-served)
	}()
	for size, want := range map[int]int{1 << 10: http.StatusNotFound, 80 << 10: http.StatusRequestHeaderFieldsTooLarge} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+ln.Addr().String(), nil)
		require.NoError(t, err)
		r.Header.Set("X-Large", strings.Repeat("a", size))
		r.Close = true
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, want, res.StatusCode)
	}
}
