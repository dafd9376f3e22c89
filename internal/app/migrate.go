package app

import (
	"context"

	"github.com/gatehouse-project/gatehouse/internal/postgres"
)

// Migrate brings a database to the newest schema and lets the service roles that
// have a password here log in.
func Migrate(ctx context.Context, adminURL string, passwords map[string]string) error {
	if err := postgres.Migrate(ctx, adminURL); err != nil {
		return err
	}
	return postgres.GrantLogins(ctx, adminURL, passwords)
}
