package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
)

// Integrations keeps a copy of the catalog for foreign keys and for whoever
// reads the database. The catalog itself is in the binary.
type Integrations struct {
	db *DB
}

// NewIntegrations returns the store on a pool.
func NewIntegrations(db *DB) *Integrations { return &Integrations{db: db} }

// SyncCatalog writes what has changed in the catalog. Entries that are gone from
// it stay, because connections refer to them. It needs the integrations
// service's role.
func (s *Integrations) SyncCatalog(ctx context.Context, c *integration.Catalog) error {
	err := pgx.BeginFunc(ctx, s.db.pool, func(tx pgx.Tx) error {
		q := dbsqlc.New(tx)
		// In order of id, so that services that start at once do not deadlock.
		for _, entry := range c.List() {
			row, err := integrationRow(entry)
			if err != nil {
				return fmt.Errorf("encode integration %s: %w", entry.ID(), err)
			}
			if err := q.UpsertIntegration(ctx, row); err != nil {
				return fmt.Errorf("store integration %s: %w", entry.ID(), err)
			}
		}
		return nil
	})
	return translate(err)
}

func integrationRow(entry *integration.Integration) (dbsqlc.UpsertIntegrationParams, error) {
	row := dbsqlc.UpsertIntegrationParams{
		IntegrationID: entry.IntegrationID, Name: entry.Name, ConnectorID: entry.ConnectorID, ConnectorVersion: entry.Version,
		ConnectorType: entry.ConnectorType, ProviderSystem: entry.ProviderSystem, SupportsTest: entry.SupportsTest,
	}
	for _, column := range []struct {
		into  *json.RawMessage
		value any
	}{
		{&row.RequiredPermissions, entry.RequiredPermissions()},
		{&row.EmitsEntities, entry.EmitsEntities()},
		{&row.EmitsRelationships, entry.EmitsRelationships()},
		{&row.LimitsBlindSpots, entry.LimitsBlindSpots},
		{&row.Manifest, entry.Manifest},
	} {
		raw, err := json.Marshal(column.value)
		if err != nil {
			return row, err
		}
		*column.into = raw
	}
	return row, nil
}
