package dataplane

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// Starts asks for discoveries, by as many clients as there are connections to the
// database.
type Starts struct {
	plane       *Plane
	gate        *run.Gate
	store       *postgres.Runs
	integration integration.ID
	clients     int
	// free are the connections on which nothing is under way.
	free []id.Connection
	next atomic.Int64
}

// NewStarts makes so many connections to start on in one round, and clients.
func (p *Plane) NewStarts(ctx context.Context, i string, clients, connections int) (*Starts, error) {
	if err := p.FillConnections(ctx, i, connections); err != nil {
		return nil, err
	}
	// The generated estate has no credentials, so that nothing is missing.
	rows, err := p.Super.Query(ctx, "select connection_id from connections where integration_id = $1 and name like 'filled %' order by connection_id", i)
	if err != nil {
		return nil, fmt.Errorf("find the connections: %w", err)
	}
	free, err := pgx.CollectRows(rows, pgx.RowTo[id.Connection])
	if err != nil {
		return nil, fmt.Errorf("find the connections: %w", err)
	}
	db, err := postgres.Open(ctx, postgres.Config{URL: p.DatabaseURL(postgres.RoleDiscovery), Service: "bench starts", MaxConns: clients + 1})
	if err != nil {
		return nil, err
	}
	p.dbs = append(p.dbs, db)
	store := postgres.NewRuns(db, p.Caller.Scope.Tenant, p.Gate.Catalog, p.jobs)
	return &Starts{
		plane: p, store: store, integration: integration.ID(i), clients: clients, free: free,
		gate: &run.Gate{Connections: postgres.NewConnections(db), Catalog: p.Gate.Catalog, Store: store, Licence: postgres.NewLicences(db)},
	}, nil
}

// errUsedUp means that a round was faster than there are connections.
var errUsedUp = errors.New("all connections of the round are in use; make more")

// Admitted has the store decide and returns how many starts were accepted in a
// second.
func (s *Starts) Admitted(ctx context.Context, length time.Duration) (float64, error) {
	op, err := operation.Get(operation.DiscoveryRun)
	if err != nil {
		return 0, err
	}
	return s.rate(ctx, length, func(ctx context.Context, c id.Connection) (run.StartStatus, error) {
		admitted, err := s.store.Admit(ctx, run.Admission{
			Scope: s.plane.Caller.Scope, Operation: op, Integration: s.integration, Connection: c, Input: []byte("{}"),
			Context: []byte(`{"module": "discovery", "provider": "generated"}`), Initiator: run.ByUser, InitiatedBy: s.plane.Caller.Member,
			DedupeKey: op.DedupeKey(c, operation.Input{}), ScopeKey: fmt.Sprintf("connection:%d", int64(c)),
		}, audit.Event{
			Actor: s.plane.Caller.Actor(), Action: audit.RunAccepted, Outcome: audit.Succeeded, TargetType: "run",
			Payload: map[string]any{"operation_type": string(op.Type), "connection_id": c.String()},
		})
		return admitted.Status, err
	})
}

// Started is Admitted for whole starts: with the connection and the licence read,
// and every prerequisite looked at.
func (s *Starts) Started(ctx context.Context, length time.Duration) (float64, error) {
	return s.rate(ctx, length, func(ctx context.Context, c id.Connection) (run.StartStatus, error) {
		result, err := s.gate.Start(ctx, s.plane.Caller, run.StartRequest{Operation: operation.DiscoveryRun, Connection: c})
		return result.Status, err
	})
}

func (s *Starts) rate(ctx context.Context, length time.Duration, start func(context.Context, id.Connection) (run.StartStatus, error)) (float64, error) {
	s.next.Store(0)
	clients, ctx := errgroup.WithContext(ctx)
	began := time.Now()
	for range s.clients {
		clients.Go(func() error {
			for time.Since(began) < length {
				i := s.next.Add(1) - 1
				if i >= int64(len(s.free)) {
					return errUsedUp
				}
				status, err := start(ctx, s.free[i])
				if err == nil && status != run.Accepted {
					err = fmt.Errorf("it was %s", status)
				}
				if err != nil {
					return fmt.Errorf("start on %s: %w", s.free[i], err)
				}
			}
			return nil
		})
	}
	err := clients.Wait()
	took := time.Since(began)
	if err != nil {
		return 0, err
	}
	return float64(s.next.Load()) / took.Seconds(), s.end(ctx)
}

// end frees the connections for the next round.
func (s *Starts) end(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	_, err := s.plane.Super.Exec(ctx, "update runs set status = 'completed', outcome = 'cancelled', completed_at = now() where status <> 'completed'")
	if err != nil {
		return fmt.Errorf("end the runs of a round: %w", err)
	}
	_, err = s.plane.Super.Exec(ctx, "vacuum analyze runs, audit_events")
	return err
}

// Duplicates starts what is under way already, one after the other, and returns
// how long each answer took.
func (s *Starts) Duplicates(ctx context.Context, n int) (took []time.Duration, err error) {
	req := run.StartRequest{Operation: operation.DiscoveryRun, Connection: s.free[0]}
	for i := range n + 1 {
		began := time.Now()
		result, err := s.gate.Start(ctx, s.plane.Caller, req)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			continue // the one that the others are duplicates of
		}
		if result.Status != run.Deduped {
			return nil, fmt.Errorf("a duplicate start was %s", result.Status)
		}
		took = append(took, time.Since(began))
	}
	return took, s.end(ctx)
}

// Inserts has pgbench insert single rows into a table of their own, as many clients
// side by side, with prepared statements as the product has, and returns how many
// in a second. ok is false where there is no pgbench.
func (p *Plane) Inserts(ctx context.Context, dir string, clients int, length time.Duration) (rate float64, ok bool, err error) {
	program, ok := p.server.Program("pgbench")
	if !ok {
		return 0, false, nil
	}
	if _, err := p.Super.Exec(ctx, "create table if not exists pgbench_rows (id bigint generated always as identity primary key, n bigint not null)"); err != nil {
		return 0, true, fmt.Errorf("make a table for pgbench: %w", err)
	}
	script := filepath.Join(dir, "insert.sql")
	if err := os.WriteFile(script, []byte("insert into pgbench_rows (n) values (:client_id);\n"), 0o600); err != nil {
		return 0, true, fmt.Errorf("write pgbench's script: %w", err)
	}
	address, err := url.Parse(p.server.SuperuserURL(databaseName))
	if err != nil {
		return 0, true, fmt.Errorf("read the database URL: %w", err)
	}
	password, _ := address.User.Password()
	//nolint:gosec // the program lies beside the server's
	cmd := exec.CommandContext(ctx, program, "--no-vacuum", "--protocol=prepared", "--client="+strconv.Itoa(clients), "--jobs=2",
		"--time="+strconv.Itoa(int(length.Seconds())), "--file="+script)
	cmd.Env = append(os.Environ(), "PGHOST="+address.Hostname(), "PGPORT="+address.Port(), "PGUSER="+address.User.Username(), "PGPASSWORD="+password, "PGDATABASE="+databaseName)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, true, fmt.Errorf("run pgbench: %w: %s", err, out)
	}
	found := regexp.MustCompile(`(?m)^tps = ([0-9.]+)`).FindSubmatch(out)
	if found == nil {
		return 0, true, fmt.Errorf("pgbench said no tps: %s", out)
	}
	rate, err = strconv.ParseFloat(string(found[1]), 64)
	return rate, true, err
}
