package dataplane

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/auditlog"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
)

// Changes renames connections, with and without the audit event of it.
type Changes struct {
	db    *postgres.DB
	store *postgres.Connections
	logs  *postgres.AuditLogs
	// renamed are the connections, one for each client: of the same one, all
	// would wait for its row.
	renamed []connection.Connection
}

// sealEvery is shorter than in the product, so that each round has its share of
// sealing.
const sealEvery = 500 * time.Millisecond

// NewChanges makes a connection for each client and starts the sealer.
func (p *Plane) NewChanges(ctx context.Context, integration string, clients int) (*Changes, error) {
	if err := p.FillConnections(ctx, integration, clients); err != nil {
		return nil, err
	}
	db, err := p.open(ctx, postgres.RoleIntegrations)
	if err != nil {
		return nil, err
	}
	workspaces, err := p.open(ctx, postgres.RoleWorkspaces)
	if err != nil {
		return nil, err
	}
	c := &Changes{db: db, store: postgres.NewConnections(db), logs: postgres.NewAuditLogs(workspaces)}
	rows, err := p.Super.Query(ctx, "select connection_id from connections where integration_id = $1 and name like 'filled %'", integration)
	if err != nil {
		return nil, fmt.Errorf("find the connections: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[id.Connection])
	if err != nil {
		return nil, fmt.Errorf("find the connections: %w", err)
	}
	for _, one := range found {
		stored, err := c.store.Get(ctx, p.Caller.Scope, one)
		if err != nil {
			return nil, err
		}
		c.renamed = append(c.renamed, stored)
	}
	return c, p.startSealer(ctx, c.logs)
}

func (p *Plane) startSealer(ctx context.Context, logs *postgres.AuditLogs) error {
	seed := make([]byte, ed25519.SeedSize)
	_, _ = rand.Read(seed)
	signer, err := auditlog.NewSigner(p.Caller.Scope.Tenant, seed)
	if err != nil {
		return err
	}
	sealer := &auditlog.Sealer{
		Store: logs, Tenant: p.Caller.Scope.Tenant, Signer: signer, Every: sealEvery,
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	sealing, end := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- sealer.Run(sealing) }()
	p.stop = append(p.stop, func() error {
		end()
		return <-ended
	})
	return nil
}

// Audited renames as the product does and returns how many changes were made in
// a second.
func (c *Changes) Audited(ctx context.Context, length time.Duration) (float64, error) {
	return c.rate(ctx, length, func(ctx context.Context, u connection.Change) error {
		_, err := c.store.Update(ctx, u, audit.Event{
			Actor: audit.Member(1), Action: audit.ConnectionEdited, Outcome: audit.Succeeded, TargetType: "connection", TargetID: u.Connection.ID.String(),
			Payload: map[string]any{"name": u.Connection.Name, "changed": []string{"name"}},
		})
		return err
	})
}

// Bare is Audited with the store's own statements, but for the event's.
func (c *Changes) Bare(ctx context.Context, length time.Duration) (float64, error) {
	return c.rate(ctx, length, func(ctx context.Context, u connection.Change) error {
		n := u.Connection
		schedule, err := json.Marshal(n.Schedule)
		if err != nil {
			return err
		}
		return c.db.InWorkspace(ctx, n.Scope.Workspace, func(tx pgx.Tx) error {
			q := dbsqlc.New(tx)
			_, err := q.UpdateConnection(ctx, dbsqlc.UpdateConnectionParams{
				WorkspaceID: int64(n.Scope.Workspace), ConnectionID: int64(n.ID), Was: u.Was, Name: n.Name, Config: n.Config, Scope: n.ReadScope,
				Schedule: schedule, Metadata: n.Metadata, SecretFields: append([]string{}, n.SecretFields...),
				Lifecycle: string(n.Lifecycle), NextRunAt: n.NextRunAt, ConfigRefs: []byte("{}"),
			})
			if err != nil {
				return err
			}
			_, err = q.GetConnection(ctx, dbsqlc.GetConnectionParams{WorkspaceID: int64(n.Scope.Workspace), ConnectionID: int64(n.ID)})
			return err
		})
	})
}

// rate has each client change its own connection again and again.
func (c *Changes) rate(ctx context.Context, length time.Duration, change func(context.Context, connection.Change) error) (float64, error) {
	clients, ctx := errgroup.WithContext(ctx)
	var made atomic.Int64
	began := time.Now()
	for i := range c.renamed {
		clients.Go(func() error {
			mine := &c.renamed[i]
			for time.Since(began) < length {
				u := connection.Change{Connection: *mine, Was: mine.Version}
				u.Connection.Name = fmt.Sprintf("filled %d, renamed %d", i, mine.Version)
				if err := change(ctx, u); err != nil {
					return fmt.Errorf("rename %s: %w", mine.ID, err)
				}
				mine.Name, mine.Version = u.Connection.Name, mine.Version+1
				made.Add(1)
			}
			return nil
		})
	}
	err := clients.Wait()
	return float64(made.Load()) / time.Since(began).Seconds(), err
}

// Sealed waits until the sealer has sealed everything, so that what one round
// left is not the next one's.
func (c *Changes) Sealed(ctx context.Context) error {
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for {
		waiting, err := c.logs.SealableWorkspaces(ctx, 1)
		if err != nil || len(waiting) == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-look.C:
		}
	}
}
