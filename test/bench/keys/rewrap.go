package keys

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/gatehouse-project/gatehouse/internal/seal"
)

// Estate is a data plane with many credentials.
type Estate struct {
	// Super looks behind row-level security.
	Super *pgxpool.Pool
	// Workspace is where the connections are; Tenant whose it is.
	Tenant, Workspace int64
	Credentials       int
}

// Fill stores connections with credentials under a key.
func (e *Estate) Fill(ctx context.Context, key *seal.Local) error {
	_, err := e.Super.Exec(ctx, "insert into encryption_keys (wrapper, key_id, check_value) values ($1, $2, $3)", key.Name(), key.KeyID(), key.CheckValue())
	if err != nil {
		return fmt.Errorf("register the key: %w", err)
	}
	_, err = e.Super.Exec(ctx, `
		insert into connections (connection_id, tenant_id, workspace_id, integration_id, connector_id, connector_version, name, config, scope, schedule, credential_type)
		select n, $1, $2, (select min(integration_id) from integrations), 'bench', '1', 'connection ' || n, '{}', '{}', '{"type": "manual"}', 'access_key'
		from generate_series(1, $3::bigint) n`, e.Tenant, e.Workspace, e.Credentials)
	if err != nil {
		return fmt.Errorf("store connections: %w", err)
	}
	sealer := seal.NewSealer(key)
	columns := []string{"workspace_id", "connection_id", "version", "type", "algorithm", "wrapper", "kms_key_id", "wrapped_key", "nonce", "ciphertext", "schema_version"}
	_, err = e.Super.CopyFrom(ctx, pgx.Identifier{"credentials"}, columns, pgx.CopyFromSlice(e.Credentials, func(i int) ([]any, error) {
		n := int64(i + 1)
		s, err := sealer.Seal(ctx, e.binding(n), "1", fmt.Appendf(nil, "secret of %d", n))
		return []any{e.Workspace, n, int64(1), "access_key", s.Algorithm, s.Wrapper, s.KeyID, s.WrappedKey, s.Nonce, s.Ciphertext, s.SchemaVersion}, err
	}))
	if err != nil {
		return fmt.Errorf("store credentials: %w", err)
	}
	return nil
}

func (e *Estate) binding(n int64) seal.Binding {
	return seal.Binding{Purpose: "connection.credential", Tenant: e.Tenant, Workspace: e.Workspace, Connection: n, Version: 1}
}

// Rewrapped is what a rewrap with kills came to.
type Rewrapped struct {
	Kills int
	Took  time.Duration
}

// RewrapKilled runs the command until it ends by itself, and kills each run
// after that long.
func RewrapKilled(ctx context.Context, command func(ctx context.Context) *exec.Cmd, every time.Duration) (Rewrapped, error) {
	var r Rewrapped
	began := time.Now()
	for {
		child := command(ctx)
		child.Stderr = nil
		if err := child.Start(); err != nil {
			return r, fmt.Errorf("start a rewrap: %w", err)
		}
		kill := time.AfterFunc(every, func() { _ = child.Process.Kill() })
		err := child.Wait()
		inTime := kill.Stop()
		switch {
		case err == nil:
			r.Took = time.Since(began)
			return r, nil
		case ctx.Err() != nil:
			return r, ctx.Err()
		case inTime:
			return r, fmt.Errorf("a rewrap failed: %w", err)
		}
		r.Kills++
	}
}

// Unreadable opens every credential and counts those that do not open to what
// was stored, and those that are not under the key.
func (e *Estate) Unreadable(ctx context.Context, under seal.Key, wrappers ...seal.KeyWrapper) (unreadable, elsewhere int, err error) {
	opener, err := seal.NewOpener(wrappers...)
	if err != nil {
		return 0, 0, err
	}
	rows, err := e.Super.Query(ctx, "select connection_id, algorithm, wrapper, kms_key_id, wrapped_key, nonce, ciphertext, schema_version from credentials")
	if err != nil {
		return 0, 0, fmt.Errorf("read credentials: %w", err)
	}
	var n int64
	var s seal.Sealed
	found := 0
	_, err = pgx.ForEachRow(rows, []any{&n, &s.Algorithm, &s.Wrapper, &s.KeyID, &s.WrappedKey, &s.Nonce, &s.Ciphertext, &s.SchemaVersion}, func() error {
		found++
		if (seal.Key{Wrapper: s.Wrapper, ID: s.KeyID}) != under {
			elsewhere++
		}
		plain, err := opener.Open(ctx, e.binding(n), s)
		if err != nil || string(plain) != fmt.Sprintf("secret of %d", n) {
			unreadable++
		}
		return nil
	})
	if err == nil && found != e.Credentials {
		err = fmt.Errorf("there are %d credentials, %d were stored", found, e.Credentials)
	}
	return unreadable, elsewhere, err
}

// NewLocal makes a local key in a file.
func NewLocal(path string) (*seal.Local, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return seal.CreateLocal(path)
}
