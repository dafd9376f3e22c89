package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// KeptKey is an API key that is kept in a file, readable by its owner alone.
type KeptKey struct {
	Key  secret.Secret
	File string
	// Made says that it was made by this start.
	Made bool
}

// tenantKeyFile is the name of the tenant administrator's key, beside the admin
// key's file. They are two because they are for two jobs: one works in a
// workspace, the other sees no data of any.
const tenantKeyFile = "tenant-admin.key"

// firstKeys sets an empty data plane up and returns the admin key of its first
// workspace, kept in keyFile, and a tenant administrator's, kept beside it. A data
// plane that was set up before gives the keys that the files hold, or a new one
// for a file that is gone.
func firstKeys(ctx context.Context, databaseURL, keyFile string) (admin, tenant KeptKey, err error) {
	db, err := postgres.Open(ctx, postgres.Config{URL: databaseURL, Service: "setup", MaxConns: 2})
	if err != nil {
		return admin, tenant, err
	}
	defer db.Close()
	store := postgres.NewWorkspaces(db)
	scope, first, err := workspace.Bootstrap(ctx, store, firstTenant, firstTenantName, firstWorkspaceName)
	if err != nil {
		return admin, tenant, fmt.Errorf("set up the data plane: %w", err)
	}
	admin, err = keepKey(ctx, store, keyFile, func() (secret.Secret, error) {
		if !first.IsZero() {
			return first, nil
		}
		return workspace.IssueAdminKey(ctx, store, scope, "admin key of this machine")
	})
	if err != nil {
		return admin, tenant, err
	}
	tenant, err = keepKey(ctx, store, filepath.Join(filepath.Dir(keyFile), tenantKeyFile), func() (secret.Secret, error) {
		return workspace.IssueTenantKey(ctx, store, "tenant administrator key of this machine")
	})
	return admin, tenant, err
}

// keepKey returns the key in the file, or one that is made and kept there.
func keepKey(ctx context.Context, store workspace.CallerFinder, file string, issue func() (secret.Secret, error)) (KeptKey, error) {
	key, err := readKey(ctx, store, file)
	if err != nil || !key.IsZero() {
		return KeptKey{Key: key, File: file}, err
	}
	if key, err = issue(); err != nil {
		return KeptKey{}, fmt.Errorf("make a key: %w", err)
	}
	return KeptKey{Key: key, File: file, Made: true}, writeKey(file, key)
}

// readKey returns the key in the file if it is still good, and else none.
func readKey(ctx context.Context, store workspace.CallerFinder, keyFile string) (secret.Secret, error) {
	text, err := os.ReadFile(keyFile)
	if errors.Is(err, fs.ErrNotExist) {
		return secret.Secret{}, nil
	}
	if err != nil {
		return secret.Secret{}, fmt.Errorf("read the key: %w", err)
	}
	key := strings.TrimSpace(string(text))
	_, err = workspace.Authenticate(ctx, store, workspace.Credentials{Token: key})
	if fault.KindOf(err) == fault.Unauthenticated {
		return secret.Secret{}, nil
	}
	if err != nil {
		return secret.Secret{}, fmt.Errorf("try the key of %s: %w", keyFile, err)
	}
	return secret.FromString(key), nil
}

// writeKey keeps the key for its owner alone, whatever the file was before.
func writeKey(keyFile string, key secret.Secret) error {
	if err := os.Remove(keyFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("replace the key: %w", err)
	}
	if err := os.WriteFile(keyFile, []byte(key.RevealString()+"\n"), 0o600); err != nil {
		return fmt.Errorf("write the key: %w", err)
	}
	return nil
}
