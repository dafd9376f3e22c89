package app

import (
	"context"
	"log/slog"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"

	apiaccess "github.com/gatehouse-project/gatehouse/internal/api/access"
	apichange "github.com/gatehouse-project/gatehouse/internal/api/change"
	apientity "github.com/gatehouse-project/gatehouse/internal/api/entity"
	apiexport "github.com/gatehouse-project/gatehouse/internal/api/export"
	"github.com/gatehouse-project/gatehouse/internal/api/health"
	apiidentity "github.com/gatehouse-project/gatehouse/internal/api/identity"
	apinotification "github.com/gatehouse-project/gatehouse/internal/api/notification"
	apionboarding "github.com/gatehouse-project/gatehouse/internal/api/onboarding"
	apioperation "github.com/gatehouse-project/gatehouse/internal/api/operation"
	apirun "github.com/gatehouse-project/gatehouse/internal/api/run"
	apithrottling "github.com/gatehouse-project/gatehouse/internal/api/throttling"
	apiworker "github.com/gatehouse-project/gatehouse/internal/api/worker"
	"github.com/gatehouse-project/gatehouse/internal/budget"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/identity"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/job"
	"github.com/gatehouse-project/gatehouse/internal/notification"
	"github.com/gatehouse-project/gatehouse/internal/onboarding"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

// discoveryConfig is what the discovery service needs.
type discoveryConfig struct {
	databaseURL string
	// workerToken is what workers claim with.
	workerToken secret.Secret
	catalog     *integration.Catalog
	// keepRuns is how long runs are kept once they have ended; zero for ever.
	keepRuns time.Duration
	// keepHistory is how far back questions can go; zero for ever.
	keepHistory time.Duration
	exports     ExportLimits
	// metrics takes those of runs; nil takes none.
	metrics prometheus.Registerer
	log     *slog.Logger
}

// discoveryConns bounds the pool: requests, two publishes and the job engine.
const discoveryConns = 24

// newDiscovery makes the discovery service: the gate, runs, leases, the graph
// and its questions, and the jobs behind them.
func newDiscovery(ctx context.Context, c discoveryConfig) (*service, error) {
	db, err := postgres.Open(ctx, postgres.Config{URL: c.databaseURL, Service: "discovery", MaxConns: discoveryConns})
	if err != nil {
		return nil, err
	}
	s, err := discoveryOn(ctx, db, c)
	if err != nil {
		db.Close()
		return nil, err
	}
	return s, nil
}

func discoveryOn(ctx context.Context, db *postgres.DB, c discoveryConfig) (*service, error) {
	callers := postgres.NewWorkspaces(db)
	tenant, err := tenantOf(ctx, db)
	if err != nil {
		return nil, err
	}
	queue, err := job.NewQueue(db.Pool())
	if err != nil {
		return nil, err
	}
	runs := postgres.NewRuns(db, tenant, c.catalog, postgres.Jobs{Publish: queue.PublishTx, Ended: queue.EndedTx})
	store := postgres.NewGraph(db, runs)
	gate := &run.Gate{Connections: postgres.NewConnections(db), Catalog: c.catalog, Store: runs, Licence: postgres.NewLicences(db)}
	listener := postgres.NewListener(db, c.log)
	inboxes := postgres.NewNotifications(db)
	batches, err := workerapi.NewDecoder()
	if err != nil {
		return nil, err
	}
	sessions := postgres.NewOnboarding(db, tenant)
	onboards := &onboarding.Service{
		Store: sessions, Connections: gate.Connections, Catalog: c.catalog, Keeper: &onboarding.Keeper{Store: sessions, Gate: gate},
	}
	exports, maker, err := newExports(db, tenant, queue, c.exports)
	if err != nil {
		return nil, err
	}
	metrics, err := newRunMetrics(runs, c.log, c.metrics)
	if err != nil {
		return nil, err
	}
	engine, err := job.NewEngine(job.Config{
		Pool: db.Pool(), Publisher: &graph.Publisher{Store: store},
		Keeper:    &run.Keeper{Store: runs, Gate: gate, Publish: queue.Publish, Swept: func(n int) { metrics.swept.Add(float64(n)) }},
		Retention: &run.Retention{Store: runs, Keep: c.keepRuns}, History: &graph.History{Store: store, Keep: c.keepHistory}, Logger: c.log,
		Ended: []job.EndedSubscriber{
			{Name: "its initiator", Tell: inboxes.TellInitiator},
			{Name: "onboarding", Tell: onboards.Keeper.RunEnded},
			{Name: "webhooks", Tell: postgres.NewWebhookEvents(db).TellRun},
			{Name: "the metrics", Tell: metrics.countEnded, Once: true},
		},
		Forget:     []func(context.Context) error{inboxes.Forget, sessions.Forget, postgres.NewBudgets(db).Forget},
		Onboarding: onboards.Keeper,
		Exports:    maker,
	})
	if err != nil {
		return nil, err
	}
	return &service{
		mount: func(a huma.API) {
			apioperation.Mount(a, gate)
			apirun.Mount(a, &run.Service{Store: runs, Changed: listener})
			apionboarding.Mount(a, onboards)
			questions := &graph.Questions{Store: db, Deciders: c.catalog}
			apientity.Mount(a, questions)
			apiidentity.Mount(a, &identity.Service{Store: postgres.NewIdentities(db)})
			budgets := &budget.Service{Store: postgres.NewBudgets(db), Catalog: c.catalog}
			apithrottling.Mount(a, budgets)
			apiaccess.Mount(a, questions)
			apiexport.Mount(a, exports)
			apichange.Mount(a, questions)
			apinotification.Mount(a, &notification.Service{Store: inboxes})
			apiworker.MountDiscovery(a, apiworker.Discovery{
				Leases: &run.Leases{Store: runs, Ready: listener}, Ingest: &graph.Ingest{Store: store, Catalog: c.catalog}, Batches: batches, Token: c.workerToken,
				Budgets: budgets,
			})
		},
		checks:     []health.Check{{Name: "discovery database", Run: db.Ping}},
		background: []func(context.Context) error{listener.Run, runEngine(engine)},
		close:      db.Close,
		callers:    callers, denials: callers,
	}, nil
}

// engineStopTime is how long jobs may go on when the service stops; what is cut
// off is done again by the next process.
const engineStopTime = 5 * time.Second

func runEngine(engine *job.Engine) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := engine.Start(ctx); err != nil {
			return err
		}
		<-ctx.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), engineStopTime)
		defer cancel()
		return engine.Stop(stop)
	}
}
