package dataplane

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/budget"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/job"
	"github.com/gatehouse-project/gatehouse/internal/pgserver"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
	"github.com/gatehouse-project/gatehouse/test/bench/generator"
)

// databaseName is the one that the services use.
const databaseName = "gatehouse"

// logSteps is from how many milliseconds on the server logs a statement, so that
// the time of a publish can be told by step.
const logSteps = "4"

// Plane is a data plane at work.
type Plane struct {
	// URL of the listener and Token to claim with.
	URL   string
	Token secret.Secret
	// Caller is the admin of the one workspace.
	Caller      workspace.Caller
	Connections *connection.Service
	Gate        *run.Gate
	Runs        *run.Service
	Leases      *run.Leases
	Budgets     *budget.Service
	Ingest      *graph.Ingest
	Publisher   *graph.Publisher
	Questions   *graph.Questions
	// Super looks behind row-level security.
	Super *pgxpool.Pool

	server *pgserver.Server
	dbs    []*postgres.DB
	jobs   postgres.Jobs
	stop   []func() error
}

// Start sets a data plane up below a directory.
func Start(ctx context.Context, dir string) (p *Plane, err error) {
	debug.SetGCPercent(400) // as in a service; its memory limit would count the benchmark's own rows
	p = &Plane{Token: secret.FromString(rand.Text() + rand.Text())}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
			p = nil
		}
	}()
	p.server, err = pgserver.Start(ctx, pgserver.Config{
		DataDir: filepath.Join(dir, "postgres"), Durable: true, Settings: map[string]string{"log_min_duration_statement": logSteps},
	})
	if err != nil {
		return p, fmt.Errorf("start PostgreSQL: %w", err)
	}
	if err := p.migrate(ctx); err != nil {
		return p, err
	}
	return p, p.compose(ctx)
}

func (p *Plane) migrate(ctx context.Context) error {
	if err := postgres.EnsureDatabase(ctx, p.server.SuperuserURL("postgres"), databaseName); err != nil {
		return fmt.Errorf("create the database: %w", err)
	}
	admin := p.server.SuperuserURL(databaseName)
	if err := postgres.Migrate(ctx, admin); err != nil {
		return err
	}
	passwords := map[string]string{}
	for _, role := range postgres.ServiceRoles() {
		passwords[role] = p.Token.RevealString()
	}
	if err := postgres.GrantLogins(ctx, admin, passwords); err != nil {
		return err
	}
	super, err := pgxpool.New(ctx, admin)
	if err != nil {
		return fmt.Errorf("open the superuser's pool: %w", err)
	}
	p.Super = super
	return nil
}

// DatabaseURL is how a service of a role connects.
func (p *Plane) DatabaseURL(role string) string {
	return p.server.URL(role, p.Token.RevealString(), databaseName)
}

func (p *Plane) open(ctx context.Context, role string) (*postgres.DB, error) {
	db, err := postgres.Open(ctx, postgres.Config{URL: p.server.URL(role, p.Token.RevealString(), databaseName), Service: "bench", MaxConns: 16})
	if err == nil {
		p.dbs = append(p.dbs, db)
	}
	return db, err
}

// compose makes stores and services and begins to serve.
func (p *Plane) compose(ctx context.Context) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	discovery, err := p.open(ctx, postgres.RoleDiscovery)
	if err != nil {
		return err
	}
	integrations, err := p.open(ctx, postgres.RoleIntegrations)
	if err != nil {
		return err
	}
	workspaces, err := p.open(ctx, postgres.RoleWorkspaces)
	if err != nil {
		return err
	}
	catalog, err := integration.NewCatalog([]connector.Connector{generator.Connector{}})
	if err != nil {
		return err
	}
	if err := postgres.NewIntegrations(integrations).SyncCatalog(ctx, catalog); err != nil {
		return fmt.Errorf("store the catalog: %w", err)
	}
	if err := p.bootstrap(ctx, postgres.NewWorkspaces(workspaces)); err != nil {
		return err
	}
	queue, err := job.NewQueue(discovery.Pool())
	if err != nil {
		return err
	}
	p.jobs = postgres.Jobs{Publish: queue.PublishTx, Ended: queue.EndedTx}
	runs := postgres.NewRuns(discovery, p.Caller.Scope.Tenant, catalog, p.jobs)
	store := postgres.NewGraph(discovery, runs)
	listener := postgres.NewListener(discovery, log)
	p.Connections = &connection.Service{Store: postgres.NewConnections(integrations), Catalog: catalog}
	p.Gate = &run.Gate{Connections: postgres.NewConnections(discovery), Catalog: catalog, Store: runs, Licence: postgres.NewLicences(discovery)}
	p.Runs = &run.Service{Store: runs, Changed: listener}
	p.Leases = &run.Leases{Store: runs, Ready: listener}
	p.Ingest = &graph.Ingest{Store: store, Catalog: catalog}
	p.Budgets = &budget.Service{Store: postgres.NewBudgets(discovery), Catalog: catalog}
	p.Publisher = &graph.Publisher{Store: store}
	p.Questions = &graph.Questions{Store: discovery}
	engine, err := job.NewEngine(job.Config{
		Pool: discovery.Pool(), Publisher: p.Publisher, Keeper: &run.Keeper{Store: runs, Gate: p.Gate, Publish: queue.Publish}, Logger: log,
	})
	if err != nil {
		return err
	}
	return p.serve(ctx, log, listener, engine)
}

func (p *Plane) bootstrap(ctx context.Context, store workspace.Store) error {
	_, key, err := workspace.Bootstrap(ctx, store, 1, "Bench", "Bench")
	if err != nil {
		return fmt.Errorf("set up the data plane: %w", err)
	}
	finder, ok := store.(workspace.CallerFinder)
	if !ok {
		return errors.New("the store of workspaces finds no keys")
	}
	p.Caller, err = workspace.Authenticate(ctx, finder, workspace.Credentials{Token: key.RevealString()})
	return err
}

// stopTime bounds how long the parts may take to stop.
const stopTime = 30 * time.Second

// Close stops everything.
func (p *Plane) Close() error {
	var errs []error
	for i := len(p.stop) - 1; i >= 0; i-- {
		errs = append(errs, p.stop[i]())
	}
	for _, db := range p.dbs {
		db.Close()
	}
	if p.Super != nil {
		p.Super.Close()
	}
	if p.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), stopTime)
		defer cancel()
		errs = append(errs, p.server.Stop(ctx))
	}
	return errors.Join(errs...)
}

// serverLog opens the server's log at its present end.
func (p *Plane) serverLog() (*os.File, error) {
	f, err := os.Open(p.server.LogPath())
	if err != nil {
		return nil, fmt.Errorf("read the server's log: %w", err)
	}
	if _, err := f.Seek(0, io.SeekEnd); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
