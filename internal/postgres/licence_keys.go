package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/licence"
)

// TrustLicenceKeys makes these the keys that licences are checked with, in place
// of those that were. It connects as the role that migrates. Keys that would
// leave the licence in force without one are refused: install a licence that is
// signed with a new key first, while both are trusted.
func TrustLicenceKeys(ctx context.Context, adminURL string, keys []licence.PublicKey) error {
	conn, err := pgx.Connect(ctx, adminURL)
	if err != nil {
		return fmt.Errorf("connect to store licence keys: %w", err)
	}
	defer conn.Close(ctx)
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "set local role gatehouse_owner"); err != nil {
			return fmt.Errorf("store licence keys: %w", explainDenied(err))
		}
		// Nobody installs a licence between the check and the change.
		if _, err := tx.Exec(ctx, "lock table licences in share mode"); err != nil {
			return fmt.Errorf("store licence keys: %w", err)
		}
		var inForce string
		err := tx.QueryRow(ctx, "select coalesce((select document from licences order by installation_id desc limit 1), '')").Scan(&inForce)
		if err != nil {
			return fmt.Errorf("read the licence in force: %w", err)
		}
		if inForce != "" {
			if _, err := licence.Open(inForce, keys); err != nil {
				return fmt.Errorf("these keys do not fit the licence in force; trust the old key and the new one, install a licence signed with the new one, and then leave the old one out: %w", err)
			}
		}
		if _, err := tx.Exec(ctx, "delete from licence_keys where not verifier = any ($1::text[])", keys); err != nil {
			return fmt.Errorf("remove licence keys: %w", err)
		}
		_, err = tx.Exec(ctx, "insert into licence_keys (verifier) select distinct unnest($1::text[]) on conflict do nothing", keys)
		if err != nil {
			return fmt.Errorf("store licence keys: %w", err)
		}
		return nil
	})
}
