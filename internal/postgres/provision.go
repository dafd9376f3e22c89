package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// The roles that services log in as.
const (
	RoleIntegrations = "svc_integration"
	RoleDiscovery    = "svc_discovery"
	RoleWorkspaces   = "svc_workspace"
)

// ServiceRoles lists the roles that services log in as.
func ServiceRoles() []string { return []string{RoleIntegrations, RoleDiscovery, RoleWorkspaces} }

// codeDuplicateDatabase is PostgreSQL's for a database that exists.
const codeDuplicateDatabase = "42P04"

// EnsureDatabase creates a database unless it exists.
func EnsureDatabase(ctx context.Context, adminURL, name string) error {
	conn, err := pgx.Connect(ctx, adminURL)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "create database "+pgx.Identifier{name}.Sanitize())
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == codeDuplicateDatabase {
		return nil
	}
	return err
}

// GrantLogins lets service roles log in with these passwords. The migrations
// make the roles; the provisioner of a data plane gives them passwords.
func GrantLogins(ctx context.Context, adminURL string, passwords map[string]string) error {
	conn, err := pgx.Connect(ctx, adminURL)
	if err != nil {
		return fmt.Errorf("connect to grant logins: %w", err)
	}
	defer conn.Close(ctx)
	for role, password := range passwords {
		// ALTER ROLE takes no parameters; format quotes both.
		var statement string
		err := conn.QueryRow(ctx, "select format('alter role %I login password %L', $1::text, $2::text)", role, password).Scan(&statement)
		if err == nil {
			_, err = conn.Exec(ctx, statement)
		}
		if err != nil {
			return fmt.Errorf("let %s log in: %w", role, withoutStatement(err))
		}
	}
	return nil
}

// withoutStatement keeps a password out of an error that quotes its statement.
func withoutStatement(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return fmt.Errorf("%s (SQLSTATE %s)", pg.Message, pg.Code)
	}
	return errors.New("the connection failed")
}
