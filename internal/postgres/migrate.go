package postgres

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/tern/v2/migrate"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed migrations/*.sql
var migrations embed.FS

// riverSchema is where the job engine keeps its tables.
const riverSchema = "river"

// Migrate brings a database to the newest schema. It connects as a role that
// owns the database and may create roles, or as a superuser; any other role is
// refused with what it lacks. It holds an advisory lock while it works, and does
// nothing when the schema is current.
func Migrate(ctx context.Context, databaseURL string) error {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return fmt.Errorf("connect to migrate: %w", err)
	}
	defer conn.Close(ctx)
	m, err := migrate.NewMigrator(ctx, conn, "public.schema_version")
	if err != nil {
		return fmt.Errorf("prepare migrations: %w", explainDenied(err))
	}
	if err := loadMigrations(m); err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	if err := m.Migrate(ctx); err != nil {
		return fmt.Errorf("migrate: %w", explainDenied(err))
	}
	return migrateRiver(ctx, databaseURL)
}

// downSeparator stands in a migration before what undoes it; it is tern's.
const downSeparator = "---- create above / drop below ----"

// loadMigrations reads the migrations in order of their names. Their numbers are
// an order and may have gaps, so that changes made side by side keep theirs.
func loadMigrations(m *migrate.Migrator) error {
	files, err := migrations.ReadDir("migrations")
	if err != nil {
		return err
	}
	for _, f := range files {
		text, err := migrations.ReadFile("migrations/" + f.Name())
		if err != nil {
			return err
		}
		up, down, _ := strings.Cut(string(text), downSeparator)
		m.AppendMigration(f.Name(), strings.TrimSpace(up), strings.TrimSpace(down))
	}
	return nil
}

// codeDenied is PostgreSQL's for a role that lacks a privilege.
const codeDenied = "42501"

// explainDenied says what a role needs that PostgreSQL does not let migrate; its
// own words name the one object that it refused first.
func explainDenied(err error) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || pg.Code != codeDenied {
		return err
	}
	return fmt.Errorf("the role that migrates must own the database and have CREATEROLE, or be a superuser: %w", err)
}

// migrateRiver brings the job engine's own tables to its newest version and
// grants them to the service that works on jobs.
func migrateRiver(ctx context.Context, databaseURL string) error {
	pool, err := pgxpool.New(ctx, databaseURL)
	if err != nil {
		return fmt.Errorf("connect to migrate jobs: %w", err)
	}
	defer pool.Close()
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Schema: riverSchema})
	if err != nil {
		return fmt.Errorf("prepare job migrations: %w", err)
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate jobs: %w", err)
	}
	_, err = pool.Exec(ctx, `grant select, insert, update, delete on all tables in schema river to svc_discovery;
		grant usage, select on all sequences in schema river to svc_discovery;
		grant execute on all functions in schema river to svc_discovery`)
	if err != nil {
		return fmt.Errorf("grant jobs: %w", err)
	}
	return nil
}

// SchemaFingerprint tells two versions of the schema apart. A template database
// is reused only for the fingerprint it was made with.
func SchemaFingerprint() string {
	h := sha256.New()
	entries, err := migrations.ReadDir("migrations")
	if err != nil {
		return ""
	}
	for _, e := range entries {
		text, err := migrations.ReadFile("migrations/" + e.Name())
		if err != nil {
			return ""
		}
		fmt.Fprintf(h, "%s %d\n", e.Name(), len(text))
		h.Write(text)
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}
