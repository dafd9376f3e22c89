package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/licence"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Licences keeps the tenant's licences. Every service may ask how the one in
// force stands; the workspaces service alone may install one.
type Licences struct {
	db *DB
}

var _ licence.Store = (*Licences)(nil)

// NewLicences returns the store on a pool.
func NewLicences(db *DB) *Licences { return &Licences{db: db} }

// Standing checks the licence in force.
func (s *Licences) Standing(ctx context.Context) (licence.Standing, error) {
	r, err := licenceRecord(ctx, s.db.pool)
	if err != nil {
		return licence.Standing{}, err
	}
	return r.Standing(), nil
}

// Install puts a licence in force, if the one that is leaves room for it.
func (s *Licences) Install(ctx context.Context, c workspace.Caller, document string, event func(licence.Licence) audit.Event) (standing licence.Standing, err error) {
	err = s.db.InWorkspace(ctx, c.Scope.Workspace, func(tx pgx.Tx) error {
		// Alone: what is compared with must be what is in force.
		if _, err := licensedUse(ctx, tx, true); err != nil {
			return err
		}
		r, err := licenceRecord(ctx, tx)
		if err != nil {
			return err
		}
		accepted, err := r.Accept(document)
		if err != nil {
			return err
		}
		err = dbsqlc.New(tx).InsertLicence(ctx, dbsqlc.InsertLicenceParams{Document: document, InstalledBy: c.Member.String()})
		if err != nil {
			return fmt.Errorf("store a licence: %w", err)
		}
		if err := record(ctx, tx, c.Scope, event(accepted)); err != nil {
			return err
		}
		if r, err = licenceRecord(ctx, tx); err != nil {
			return err
		}
		standing = r.Standing()
		return nil
	})
	return standing, err
}

// Use counts across workspaces.
func (s *Licences) Use(ctx context.Context) (licence.Use, error) {
	use, err := licensedUse(ctx, s.db.pool, false)
	return use, translate(err)
}

// licenceRecord reads what is stored about the licence, and the time.
func licenceRecord(ctx context.Context, q dbsqlc.DBTX) (licence.Record, error) {
	row, err := dbsqlc.New(q).GetLicenceRecord(ctx)
	if err != nil {
		return licence.Record{}, translate(fmt.Errorf("read the licence: %w", err))
	}
	r := licence.Record{
		Tenant: id.Tenant(row.TenantID), Document: row.Document, InstalledBy: row.InstalledBy, InstalledAt: row.InstalledAt, Now: row.CheckedAt,
	}
	for _, k := range row.Keys {
		r.Keys = append(r.Keys, licence.PublicKey(k))
	}
	return r, nil
}

// licensedUse counts what licences limit. Alone, others that count alone wait
// until the transaction has ended.
func licensedUse(ctx context.Context, q dbsqlc.DBTX, alone bool) (use licence.Use, err error) {
	err = q.QueryRow(ctx, "select workspaces, connections from licensed_use($1)", alone).Scan(&use.Workspaces, &use.Connections)
	if err != nil {
		return use, fmt.Errorf("count what the licence limits: %w", err)
	}
	return use, nil
}

// admitConnection has the licence decide, in the transaction that makes a
// connection, whether it may be.
func admitConnection(ctx context.Context, tx pgx.Tx, i integration.ID) error {
	return admitByLicence(ctx, tx, func(s licence.Standing) *int64 { return s.Limits().Connections },
		func(s licence.Standing, use licence.Use) error { return s.AdmitConnection(i, use.Connections) })
}

// admitWorkspace has the licence decide, in the transaction that makes or opens a
// workspace, whether there may be another one.
func admitWorkspace(ctx context.Context, tx pgx.Tx) error {
	return admitByLicence(ctx, tx, func(s licence.Standing) *int64 { return s.Limits().Workspaces },
		func(s licence.Standing, use licence.Use) error { return s.AdmitWorkspace(use.Workspaces) })
}

// admitByLicence counts only where there is a limit, because whoever counts
// makes all others wait.
func admitByLicence(ctx context.Context, tx pgx.Tx, limit func(licence.Standing) *int64, admit func(licence.Standing, licence.Use) error) error {
	r, err := licenceRecord(ctx, tx)
	if err != nil {
		return err
	}
	standing := r.Standing()
	var use licence.Use
	if limit(standing) != nil {
		if use, err = licensedUse(ctx, tx, true); err != nil {
			return err
		}
	}
	return admit(standing, use)
}
