package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
)

// DataPlane is what this database knows of itself as a whole.
type DataPlane struct {
	db *DB
}

// NewDataPlane returns the store on a pool.
func NewDataPlane(db *DB) *DataPlane { return &DataPlane{db: db} }

// LocalKeyCheck returns the check value of the local key that credentials were
// first sealed with; nil before there was one. Before the data plane has been
// set up the error is Unavailable.
func (p *DataPlane) LocalKeyCheck(ctx context.Context) ([]byte, error) {
	row, err := dbsqlc.New(p.db.pool).GetDataPlane(ctx)
	if err != nil {
		return nil, beforeSetup(err)
	}
	return row.LocalKeyCheck, nil
}

// SetLocalKeyCheck stores a check value unless there is one, and returns the one
// that is stored now.
func (p *DataPlane) SetLocalKeyCheck(ctx context.Context, value []byte) ([]byte, error) {
	stored, err := dbsqlc.New(p.db.pool).SetLocalKeyCheck(ctx, value)
	if err != nil {
		return nil, beforeSetup(err)
	}
	return stored, nil
}

func beforeSetup(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return fault.Wrap(fault.Unavailable, err, "the data plane has not been set up yet; the workspaces service does that when it starts")
	}
	return translate(fmt.Errorf("read the data plane: %w", err))
}

// Tenant returns the tenant this data plane belongs to. Before the data plane
// has been set up the error is Unavailable.
func (p *DataPlane) Tenant(ctx context.Context) (id.Tenant, error) {
	row, err := dbsqlc.New(p.db.pool).GetDataPlane(ctx)
	if err != nil {
		return 0, beforeSetup(err)
	}
	return id.Tenant(row.TenantID), nil
}
