package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// DataPlane is what this database knows of itself as a whole.
type DataPlane struct {
	db *DB
}

// NewDataPlane returns the store on a pool.
func NewDataPlane(db *DB) *DataPlane { return &DataPlane{db: db} }

func beforeSetup(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return fault.Wrap(fault.Unavailable, err, "the data plane has not been set up yet; the workspaces service does that when it starts")
	}
	return translate(fmt.Errorf("read the data plane: %w", err))
}

// Tenant returns the tenant this data plane belongs to. Before the data plane
// has been set up the error is Unavailable.
func (p *DataPlane) Tenant(ctx context.Context) (id.Tenant, error) {
	row, err := p.db.plain().GetDataPlane(ctx)
	if err != nil {
		return 0, beforeSetup(err)
	}
	return id.Tenant(row.TenantID), nil
}
