package app

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// certificate is a service's certificate and key. It is read again when its files
// change, so that a renewal needs no restart. A nil one is no certificate.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu   sync.Mutex
	pair *tls.Certificate
	seen [2]version
}

// version tells two states of a file apart.
type version struct {
	changed time.Time
	size    int64
}

// openCertificate reads certificate chain and key, PEM. Without files it returns
// nil.
func openCertificate(certFile, keyFile string, log *slog.Logger) (*certificate, error) {
	if certFile == "" && keyFile == "" {
		return nil, nil
	}
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log}
	if err := c.load(); err != nil {
		return nil, err
	}
	return c, nil
}

// config returns the TLS settings of a listener: TLS 1.2 or newer, and HTTP/2.
func (c *certificate) config() *tls.Config {
	if c == nil {
		return nil
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current(), nil },
	}
}

// current returns the certificate, read again if a file has changed. Files that
// cannot be used leave the former in place: half of a renewal may be written.
func (c *certificate) current() *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.versions() == c.seen {
		return c.pair
	}
	c.reload()
	return c.pair
}

// reload replaces the certificate if its files can be used.
func (c *certificate) reload() {
	if err := c.load(); err != nil {
		c.log.Error("the TLS certificate has changed and cannot be used; the former one stays", slog.Any("error", err))
		return
	}
	c.log.Info("the TLS certificate was read again", slog.Time("valid_until", c.pair.Leaf.NotAfter))
}

// load reads the files. What it has seen counts also if they cannot be used, so
// that they are tried, and complained about, once for each change.
func (c *certificate) load() error {
	c.seen = c.versions()
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("load the TLS certificate: %w", err)
	}
	c.pair = &pair
	return nil
}

// versions looks at the files. One that is not there has the zero version.
func (c *certificate) versions() (found [2]version) {
	for i, path := range []string{c.certFile, c.keyFile} {
		if info, err := os.Stat(path); err == nil {
			found[i] = version{changed: info.ModTime(), size: info.Size()}
		}
	}
	return found
}

// reloadOnHangup reads the files again at SIGHUP, as those who renew certificates
// expect, until ctx ends or the returned function is called.
func (c *certificate) reloadOnHangup(ctx context.Context) (stop func()) {
	if c == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-hangups:
				c.mu.Lock()
				c.reload()
				c.mu.Unlock()
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() {
		signal.Stop(hangups)
		cancel()
		<-done
	}
}
