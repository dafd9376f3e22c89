package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
)

// Connections keeps connections and their credentials. The discovery service
// may only find connections with it; credentials are the integrations service's.
type Connections struct {
	db *DB
}

var _ connection.Store = (*Connections)(nil)

// NewConnections returns the store on a pool.
func NewConnections(db *DB) *Connections { return &Connections{db: db} }

// NextID draws the id of a connection about to be created.
func (s *Connections) NextID(ctx context.Context) (id.Connection, error) {
	drawn, err := s.db.plain().DrawConnectionID(ctx)
	if err != nil {
		return 0, translate(fmt.Errorf("draw a connection id: %w", err))
	}
	return id.Connection(drawn), nil
}

// Get returns a connection.
func (s *Connections) Get(ctx context.Context, scope id.Scope, c id.Connection) (connection.Connection, error) {
	return getConnection(ctx, s.db.read(scope.Workspace), scope.Workspace, c)
}

// maxDefaults bounds how many default connections of a target are returned; a
// deployment has fewer integrations.
const maxDefaults = 100

// Defaults returns the default connections of a target.
func (s *Connections) Defaults(ctx context.Context, scope id.Scope, t id.Target) ([]connection.Connection, error) {
	if t == 0 { // to the query, zero means any
		return nil, nil
	}
	return findConnections(ctx, s.db.read(scope.Workspace), dbsqlc.FindConnectionsParams{
		WorkspaceID: int64(scope.Workspace), TargetID: int64(t), DefaultsOnly: true, Most: maxDefaults,
	})
}

// List returns a page of connections in order of id.
func (s *Connections) List(ctx context.Context, scope id.Scope, f connection.Filter) (page connection.Page, err error) {
	q := s.db.read(scope.Workspace)
	find, count := findFiltered, countFiltered
	if (f == connection.Filter{After: f.After, Limit: f.Limit}) {
		find, count = listAll, countAll
	}
	// Side by side, because both may take long.
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() (err error) {
		page.Connections, err = find(ctx, q, scope, f)
		return err
	})
	both.Go(func() (err error) {
		page.Total, err = count(ctx, q, scope, f)
		return err
	})
	err = both.Wait()
	return page, err
}

func listAll(ctx context.Context, q *dbsqlc.Queries, scope id.Scope, f connection.Filter) ([]connection.Connection, error) {
	rows, err := q.ListConnections(ctx, dbsqlc.ListConnectionsParams{WorkspaceID: int64(scope.Workspace), After: int64(f.After), Most: int32(f.Limit)})
	if err != nil {
		return nil, fmt.Errorf("list connections: %w", err)
	}
	found := make([]connection.Connection, len(rows))
	for i, r := range rows {
		if found[i], err = connectionFromRow(dbsqlc.FindConnectionsRow(r)); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func countAll(ctx context.Context, q *dbsqlc.Queries, scope id.Scope, _ connection.Filter) (int64, error) {
	total, err := q.GetConnectionCount(ctx, int64(scope.Workspace))
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read how many connections there are: %w", err)
	}
	return total, nil
}

func findFiltered(ctx context.Context, q *dbsqlc.Queries, scope id.Scope, f connection.Filter) ([]connection.Connection, error) {
	return findConnections(ctx, q, dbsqlc.FindConnectionsParams{
		WorkspaceID: int64(scope.Workspace), IntegrationID: string(f.Integration), TargetID: int64(f.Target), Status: string(f.Status),
		Lifecycle: string(f.Lifecycle), NamePrefix: f.NamePrefix, DefaultsOnly: f.DefaultsOnly, PausedOnly: f.PausedOnly, After: int64(f.After), Most: int32(f.Limit),
	})
}

func countFiltered(ctx context.Context, q *dbsqlc.Queries, scope id.Scope, f connection.Filter) (int64, error) {
	total, err := q.CountConnections(ctx, dbsqlc.CountConnectionsParams{
		WorkspaceID: int64(scope.Workspace), IntegrationID: string(f.Integration), TargetID: int64(f.Target), Status: string(f.Status),
		Lifecycle: string(f.Lifecycle), NamePrefix: f.NamePrefix, DefaultsOnly: f.DefaultsOnly, PausedOnly: f.PausedOnly,
	})
	if err != nil {
		return 0, fmt.Errorf("count connections: %w", err)
	}
	return total, nil
}
