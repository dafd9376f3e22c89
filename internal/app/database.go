package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/pgserver"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
)

// databaseName is the embedded server's one database.
const databaseName = "gatehouse"

// database is a migrated database and how each service connects to it.
type database struct {
	// urls by service role.
	urls map[string]string
	stop func(ctx context.Context) error
	// keep returns when the database cannot be had any more, or ctx has ended.
	keep func(ctx context.Context) error
}

// openDatabase migrates an existing database when adminURL is given, and else
// one on a server of its own below the data directory.
func openDatabase(ctx context.Context, c DevConfig) (*database, error) {
	dataDir, adminURL := c.DataDir, c.DatabaseURL
	d := &database{urls: map[string]string{}, stop: func(context.Context) error { return nil }, keep: untilEnd}
	if adminURL == "" {
		server, err := pgserver.Start(ctx, pgserver.Config{DataDir: filepath.Join(dataDir, "postgres"), Logger: c.Logger, Durable: true})
		if err != nil {
			return nil, fmt.Errorf("start PostgreSQL: %w", err)
		}
		d.stop, d.keep = server.Stop, server.Keep
		if adminURL, err = ensureDatabase(ctx, server); err != nil {
			return nil, errors.Join(err, stopWithin(d.stop))
		}
	}
	passwords, err := servicePasswords(dataDir)
	if err != nil {
		return nil, errors.Join(err, stopWithin(d.stop))
	}
	if err := Migrate(ctx, adminURL, passwords, c.LicenceKeys); err != nil {
		return nil, errors.Join(err, stopWithin(d.stop))
	}
	for role, password := range passwords {
		if d.urls[role], err = asRole(adminURL, role, password); err != nil {
			return nil, errors.Join(err, stopWithin(d.stop))
		}
	}
	return d, nil
}

// untilEnd keeps a database that others look after.
func untilEnd(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// stopTime bounds how long the embedded server may take to stop.
const stopTime = 30 * time.Second

// stopWithin stops something although the context that it was started with may
// have ended.
func stopWithin(stop func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	return stop(ctx)
}

func ensureDatabase(ctx context.Context, server *pgserver.Server) (adminURL string, err error) {
	if err := postgres.EnsureDatabase(ctx, server.SuperuserURL("postgres"), databaseName); err != nil {
		return "", fmt.Errorf("create the database: %w", err)
	}
	return server.SuperuserURL(databaseName), nil
}

// servicePasswords returns the services' database passwords, made once and kept
// in the data directory for their owner alone.
func servicePasswords(dataDir string) (map[string]string, error) {
	passwords := map[string]string{}
	for _, role := range postgres.ServiceRoles() {
		password, err := keptSecret(filepath.Join(dataDir, "secrets", role))
		if err != nil {
			return nil, err
		}
		passwords[role] = password
	}
	return passwords, nil
}

// keptSecret reads a secret from a file, or makes one of 256 bits and keeps it.
func keptSecret(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err == nil && len(strings.TrimSpace(string(text))) > 0 {
		return strings.TrimSpace(string(text)), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read a kept secret: %w", err)
	}
	random := make([]byte, 32)
	rand.Read(random) // never fails: crypto/rand ends the process instead
	made := hex.EncodeToString(random)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("keep a secret: %w", err)
	}
	if err := os.WriteFile(path, []byte(made+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("keep a secret: %w", err)
	}
	return made, nil
}

// asRole is the same database for another role.
func asRole(databaseURL, role, password string) (string, error) {
	u, err := url.Parse(databaseURL)
	if err != nil || u.Scheme == "" {
		return "", errors.New("--database-url must be a URL such as postgres://admin@localhost:5432/gatehouse")
	}
	u.User = url.UserPassword(role, password)
	q := u.Query()
	q.Del("user")
	q.Del("password")
	u.RawQuery = q.Encode()
	return u.String(), nil
}
