package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Limits of every listener.
const (
	headerTimeout = 10 * time.Second
	// bodyTimeout covers a batch on a slow line, and a long poll's answer.
	bodyTimeout  = 2 * time.Minute
	writeTimeout = 3 * time.Minute
	idleTimeout  = 2 * time.Minute
	maxHeader    = 64 << 10
	// maxStreams is how many requests one HTTP/2 connection may have under way.
	maxStreams = 100
	// drainTime is how long requests may go on when the service stops.
	drainTime = 10 * time.Second
	// pollTime is how long of that long polls may.
	pollTime = 2 * time.Second
)

// newServer returns a server with the limits of every listener. An answer has as
// long as the longest that is waited for: the test of a connection.
func newServer(handler http.Handler, secure *tls.Config, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: handler, TLSConfig: secure, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ReadHeaderTimeout: headerTimeout, ReadTimeout: bodyTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
	}
}

// serveHTTP answers requests until ctx ends and then lets those under way end;
// long polls are cut short, so that they do not hold up the stop.
func serveHTTP(ctx context.Context, ln net.Listener, handler http.Handler, secure *tls.Config, log *slog.Logger) error {
	base, endPolls := context.WithCancel(context.WithoutCancel(ctx))
	defer endPolls()
	server := newServer(handler, secure, log)
	server.BaseContext = func(net.Listener) context.Context { return base }
	ended := make(chan error, 1)
	go func() {
		if secure != nil {
			ended <- server.ServeTLS(ln, "", "")
			return
		}
		ended <- server.Serve(ln)
	}()
	select {
	case err := <-ended:
		return fmt.Errorf("serve %s: %w", ln.Addr(), err)
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	polls := time.AfterFunc(pollTime, endPolls)
	defer polls.Stop()
	err := server.Shutdown(drain)
	if err != nil {
		err = errors.Join(err, server.Close())
	}
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
