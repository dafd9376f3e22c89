package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/keyring"
	"github.com/gatehouse-project/gatehouse/internal/pgserver"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/seal"
	"github.com/gatehouse-project/gatehouse/internal/seal/keyspec"
)

// operator is who acts in `gatehouse keys`: whoever has the database URL of the
// integrations service.
const operator = "gatehouse keys"

// KeysConfig says on which data plane to look after keys.
type KeysConfig struct {
	// DatabaseURL connects as svc_integration.
	DatabaseURL string
	Keys        KeySettings
}

// keysConns is how many connections a command needs: a rewrap reads and writes
// in turn, and a key inside the database is asked by several at once.
const keysConns = 8

// withKeys opens database and keys for the time of fn.
func withKeys(ctx context.Context, c KeysConfig, fn func(db *postgres.DB, k *keys) error) (err error) {
	defer func() { err = postgres.ExplainConnect(err) }()
	db, err := postgres.Open(ctx, postgres.Config{URL: c.DatabaseURL, Service: "keys", MaxConns: keysConns})
	if err != nil {
		return err
	}
	defer db.Close()
	k, err := openKeys(ctx, db, c.Keys)
	if err != nil {
		return err
	}
	return fn(db, k)
}

// ListKeys returns the keys of a data plane and how they stand.
func ListKeys(ctx context.Context, c KeysConfig) (standings []keyring.Standing, err error) {
	err = withKeys(ctx, c, func(db *postgres.DB, k *keys) error {
		var current keyring.Key
		if k.current != nil {
			current = nameOf(k.current)
		}
		standings, err = keyring.List(ctx, postgres.NewKeyring(db), current, k.opens)
		return err
	})
	return standings, err
}

// CheckedKey is a key that a process is set up with, and whether it works.
type CheckedKey struct {
	keyring.Key
	// Current says that credentials are written under it.
	Current bool
	// Err is what is wrong with it; nil when it wraps and unwraps.
	Err error
}

// CheckKeys has each key of the settings wrap and unwrap a random data key.
func CheckKeys(ctx context.Context, c KeysConfig) (checked []CheckedKey, err error) {
	err = withKeys(ctx, c, func(_ *postgres.DB, k *keys) error {
		for _, wrapper := range k.all {
			checked = append(checked, CheckedKey{Key: nameOf(wrapper), Current: wrapper == k.current, Err: seal.Check(ctx, wrapper)})
		}
		return nil
	})
	return checked, err
}

// RewrapKeys moves all credentials of a data plane under the key to write with.
// progress is called after each step with how many were moved, of how many.
func RewrapKeys(ctx context.Context, c KeysConfig, progress func(moved, all int64)) (result keyring.Result, err error) {
	err = withKeys(ctx, c, func(db *postgres.DB, k *keys) error {
		by := audit.System(operator)
		before, err := postgres.NewKeyring(db).Keys(ctx)
		if err != nil {
			return err
		}
		if err := k.use(ctx, db, by); err != nil {
			return err
		}
		// Found out before the first credential is touched.
		if err := seal.Check(ctx, k.current); err != nil {
			return fmt.Errorf("the key to move credentials to does not work: %w", err)
		}
		// First, because they are among those that are counted as left.
		secrets, err := rewrapWebhooks(ctx, db, k, by)
		if err != nil {
			return fmt.Errorf("move the secrets of webhooks: %w", err)
		}
		result, err = (&keyring.Rewrapper{
			Store: postgres.NewKeyring(db), Cipher: &rewrapper{opener: k.opener, to: k.current}, Current: nameOf(k.current), By: by,
		}).Run(ctx, func(p keyring.Progress) { progress(p.Moved, p.All) })
		result.New = !slices.ContainsFunc(before, func(r keyring.Registered) bool { return r.Key == nameOf(k.current) })
		result.Moved += secrets.Moved
		result.Unreadable += secrets.Unreadable
		return err
	})
	return result, err
}

// RetireKey removes a key that no credential is under.
func RetireKey(ctx context.Context, databaseURL, wrapper, keyID string) error {
	return withKeys(ctx, KeysConfig{DatabaseURL: databaseURL}, func(db *postgres.DB, _ *keys) error {
		return keyring.Retire(ctx, postgres.NewKeyring(db), keyring.Key{Wrapper: wrapper, ID: keyID}, audit.System(operator))
	})
}

// LocalPlane is the data plane that `gatehouse dev` keeps in a data directory: the
// database, as svc_integration, and the key that it protects credentials with
// unless it was told another; empty where there is none. Unavailable while no dev
// runs there.
func LocalPlane(dataDir string) (databaseURL, key string, err error) {
	password, err := os.ReadFile(filepath.Join(dataDir, "secrets", postgres.RoleIntegrations))
	if errors.Is(err, fs.ErrNotExist) {
		return "", "", fault.New(fault.NotFound, "%s is not the data directory of a gatehouse dev", dataDir)
	}
	if err != nil {
		return "", "", fmt.Errorf("read the password of the database: %w", err)
	}
	databaseURL, err = pgserver.RunningURL(filepath.Join(dataDir, "postgres"), postgres.RoleIntegrations, strings.TrimSpace(string(password)), databaseName)
	if errors.Is(err, pgserver.ErrNotRunning) {
		return "", "", fault.New(fault.Unavailable, "no gatehouse dev runs in %s; start it, or name its database with --database-url", dataDir)
	}
	if err != nil {
		return "", "", err
	}
	local := localKey(dataDir)
	if _, err := os.Stat(local); err == nil {
		key = keyspec.Local + ":" + local
	}
	return databaseURL, key, nil
}

// localKey is where dev keeps its key.
func localKey(dataDir string) string { return filepath.Join(dataDir, "secrets", "local.key") }

// CreateKey makes a local key in a new file and returns its id.
func CreateKey(path string) (keyID string, err error) {
	local, err := seal.CreateLocal(path)
	if err != nil {
		return "", err
	}
	return local.KeyID(), nil
}
