package pgtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"

	"github.com/jackc/pgx/v5"
)

// templateLock is the advisory lock under which templates are built. One for
// all fingerprints, because migrations make roles and those belong to the whole
// server. The number is arbitrary.
const templateLock = 0x6761746568 // "gateh"

// templateName depends on the migrations, so that an older checkout's template
// on the same server is never mistaken for this one's.
func (k *Kit) templateName() string {
	sum := sha256.Sum256([]byte(k.Fingerprint))
	return "gatehouse_template_" + hex.EncodeToString(sum[:8])
}

// ensureTemplate builds the template unless a test binary has done so already.
func (k *Kit) ensureTemplate(ctx context.Context, base *url.URL) error {
	admin, err := pgx.Connect(ctx, base.String())
	if err != nil {
		return fmt.Errorf("connect to the test server: %w", err)
	}
	defer admin.Close(ctx) // releases the lock
	if _, err := admin.Exec(ctx, "select pg_advisory_lock($1)", templateLock); err != nil {
		return fmt.Errorf("lock template building: %w", err)
	}
	name := k.templateName()
	var done bool
	// Only a finished template is marked as one; what a killed binary left is not.
	err = admin.QueryRow(ctx, "select exists (select from pg_database where datname = $1 and datistemplate)", name).Scan(&done)
	if err != nil {
		return fmt.Errorf("look for the template: %w", err)
	}
	if !done {
		if err := k.buildTemplate(ctx, admin, base, name); err != nil {
			return err
		}
	}
	return k.grantLogins(ctx, admin, base)
}

// grantLogins lets this kit's roles log in. The kit that built the template may
// have others.
func (k *Kit) grantLogins(ctx context.Context, admin *pgx.Conn, base *url.URL) error {
	for _, role := range k.Roles {
		// ALTER ROLE takes no parameters; the derived password needs no quoting.
		sql := "alter role " + pgx.Identifier{role}.Sanitize() + " login password '" + rolePassword(base, role) + "'"
		if _, err := admin.Exec(ctx, sql); err != nil {
			return fmt.Errorf("give role %s a password: %w", role, err)
		}
	}
	return nil
}

func (k *Kit) buildTemplate(ctx context.Context, admin *pgx.Conn, base *url.URL, name string) error {
	quoted := pgx.Identifier{name}.Sanitize()
	for _, sql := range []string{
		"drop database if exists " + quoted + " with (force)",
		"create database " + quoted + " template template0",
	} {
		if _, err := admin.Exec(ctx, sql); err != nil {
			return fmt.Errorf("make the template database: %w", err)
		}
	}
	if err := k.Migrate(ctx, withDatabase(base, name)); err != nil {
		return fmt.Errorf("migrate the template database: %w", err)
	}
	if _, err := admin.Exec(ctx, "alter database "+quoted+" is_template true allow_connections false"); err != nil {
		return fmt.Errorf("mark the template as finished: %w", err)
	}
	return nil
}

func withDatabase(base *url.URL, database string) string {
	u := *base
	u.Path = "/" + database
	return u.String()
}
