package app

import (
	"context"

	"github.com/gatehouse-project/gatehouse/internal/postgres"
)

// Migrate brings a database to the newest schema and lets the service roles that
// have a password here log in. licenceKeys is a file with the keys that licences
// are checked with from now on; empty leaves them as they are.
func Migrate(ctx context.Context, adminURL string, passwords map[string]string, licenceKeys string) (err error) {
	defer func() { err = postgres.ExplainConnect(err) }()
	if err := postgres.Migrate(ctx, adminURL); err != nil {
		return err
	}
	if err := postgres.GrantLogins(ctx, adminURL, passwords); err != nil {
		return err
	}
	return trustLicenceKeys(ctx, adminURL, licenceKeys)
}
