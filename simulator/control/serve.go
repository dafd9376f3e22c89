package control

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

const (
	// shutdownGrace is how long requests may take to end after Serve was told to
	// stop.
	shutdownGrace     = 5 * time.Second
	readHeaderTimeout = 10 * time.Second
)

// Serve answers on listener until the context ends, then stops and closes the
// listener. It returns nil when stopped by the context; an error names the simulator
// by name.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler, name string) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: readHeaderTimeout}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve the %s simulator: %w", name, err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		// Somebody holds a request open; cut it off.
		if err := server.Close(); err != nil {
			return fmt.Errorf("stop the %s simulator: %w", name, err)
		}
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the %s simulator: %w", name, err)
	}
	return nil
}
