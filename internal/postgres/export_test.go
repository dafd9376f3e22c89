package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/tern/v2/migrate"
)

// Gathered is how many admissions wait for one that is under way.
func (s *Runs) Gathered() (n int) {
	s.together.mu.Lock()
	defer s.together.mu.Unlock()
	for _, waiting := range s.together.waiting {
		n += len(waiting)
	}
	return n
}

// UndoMigrations takes back what Migrate has made, the newest first.
func UndoMigrations(ctx context.Context, databaseURL string) error {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	m, err := migrate.NewMigrator(ctx, conn, "public.schema_version")
	if err != nil {
		return err
	}
	if err := loadMigrations(m); err != nil {
		return err
	}
	return m.MigrateTo(ctx, 0)
}
