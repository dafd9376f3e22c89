package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/seal/keyspec"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// DevConfig says how to run everything in one process.
type DevConfig struct {
	// DataDir holds everything that outlives the process: the embedded
	// database, the keys, the first admin key.
	DataDir string
	// Listen is the address to serve on.
	Listen string
	// DatabaseURL of an existing database, as a role that may create roles;
	// empty for the embedded server.
	DatabaseURL string
	// Keys name the keys that protect credentials; with none to write with, it is
	// a local one in the data directory.
	Keys KeySettings
	// AllowRefs is what connections may refer to outside of Gatehouse.
	AllowRefs []string
	// AllowPrivate lets connectors reach private and loopback addresses.
	AllowPrivate bool
	// EndpointHosts may be called beside the providers' own; "*" stands for any.
	EndpointHosts []string
	// Connectors are those beside the built-in ones.
	Connectors ConnectorSettings
	// LicenceKeys is a file with the keys that licences are checked with; empty
	// leaves them as they are.
	LicenceKeys string
	// Limits bound how often requests may come.
	Limits Limits
	// KeepRuns is how long runs are kept once they have ended; zero for ever.
	KeepRuns time.Duration
	// KeepHistory is how far back questions can go; zero for ever.
	KeepHistory time.Duration
	// Exports bounds exports.
	Exports ExportLimits
	// SignIn lets people sign in; API keys work in any case.
	SignIn  SignInConfig
	Version string
	Logger  *slog.Logger
}

// addressFile is in the data directory, while the process runs, for commands that
// are started beside it.
const addressFile = "address"

// Running is what a process that runs everything tells once it is ready.
type Running struct {
	// URL of the API.
	URL string
	// Admin is the key of the first workspace, Tenant a tenant administrator's.
	Admin, Tenant KeptKey
}

// Dev runs every service and its workers in one process until ctx ends. ready is
// called once requests are answered; when it returns an error, everything stops.
func Dev(ctx context.Context, c DevConfig, ready func(ctx context.Context, r Running) error) (err error) {
	if err := os.MkdirAll(c.DataDir, 0o755); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	// Bound first: a taken port is found before a database is started.
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", c.Listen, err)
	}
	db, err := openDatabase(ctx, c)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	defer func() { err = errors.Join(err, stopWithin(db.stop)) }()
	r := Running{URL: "http://" + ln.Addr().String()}
	if r.Admin, r.Tenant, err = firstKeys(ctx, db.urls[postgres.RoleWorkspaces], filepath.Join(c.DataDir, "admin.key")); err != nil {
		return errors.Join(err, ln.Close())
	}
	address := filepath.Join(c.DataDir, addressFile)
	if err := os.WriteFile(address, []byte(r.URL+"\n"), 0o644); err != nil { //nolint:gosec // an address is for everybody
		return errors.Join(fmt.Errorf("say where it serves: %w", err), ln.Close())
	}
	defer func() { err = errors.Join(err, os.Remove(address)) }()
	token, err := keptSecret(filepath.Join(c.DataDir, "secrets", "worker.token"))
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	h, err := newDevHost(ctx, c, db, r.URL, secret.FromString(token))
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	return runDev(ctx, c, h, ln, r, secret.FromString(token), db.keep, ready)
}

// keys returns the settings with what was left open filled in.
func (c DevConfig) keys() KeySettings {
	k := c.Keys
	if k.Write == "" {
		k.Write = keyspec.Local + ":" + localKey(c.DataDir)
	}
	return k
}

// newDevHost mounts all services on one listener.
func newDevHost(ctx context.Context, c DevConfig, db *database, url string, token secret.Secret) (*host, error) {
	catalog, err := newCatalog(c.Connectors)
	if err != nil {
		return nil, err
	}
	limits, err := c.Limits.parse()
	if err != nil {
		return nil, err
	}
	h := &host{version: c.Version, log: c.Logger, metrics: newMetrics(), limits: limits}
	for _, make := range []func() (*service, error){
		func() (*service, error) {
			return newIntegrations(ctx, integrationsConfig{
				databaseURL: db.urls[postgres.RoleIntegrations], keys: c.keys(), allowRefs: c.AllowRefs,
				discoveryURL: url, allowPrivate: c.AllowPrivate, metrics: h.metrics, catalog: catalog, log: c.Logger,
			})
		},
		func() (*service, error) {
			return newDiscovery(ctx, discoveryConfig{
				databaseURL: db.urls[postgres.RoleDiscovery], workerToken: token, catalog: catalog, keepRuns: c.KeepRuns, keepHistory: c.KeepHistory, exports: c.Exports, metrics: h.metrics, log: c.Logger,
			})
		},
		func() (*service, error) {
			return newWorkspaces(ctx, workspacesConfig{
				databaseURL: db.urls[postgres.RoleWorkspaces], auditKeyFile: filepath.Join(c.DataDir, "secrets", "audit.key"),
				signIn: c.SignIn, metrics: h.metrics, log: c.Logger,
			})
		},
	} {
		s, err := make()
		if err != nil {
			for _, made := range h.services {
				made.close()
			}
			return nil, err
		}
		h.services = append(h.services, s)
	}
	last := h.services[len(h.services)-1]
	h.callers, h.denials = last.callers, last.denials
	return h, nil
}

// runDev serves, works and waits. Workers stop before the services that they
// report to.
func runDev(ctx context.Context, c DevConfig, h *host, ln net.Listener, r Running, token secret.Secret,
	keepDatabase func(context.Context) error, ready func(context.Context, Running) error,
) error {
	serving, stopServing := context.WithCancel(context.WithoutCancel(ctx))
	defer stopServing()
	started := make(chan struct{})
	served := make(chan error, 1)
	go func() { served <- h.serve(serving, ln, func() { close(started) }) }()
	select {
	case err := <-served:
		return err
	case <-started:
	}

	var g group
	if err := addDevWorkers(&g, c, r.URL, token, h.metrics); err != nil {
		stopServing()
		return errors.Join(err, <-served)
	}
	working, stopWorking := context.WithCancel(ctx)
	defer stopWorking()
	g.add(keepDatabase)
	g.add(func(ctx context.Context) error { return ready(ctx, r) })
	stopped := make(chan error, 1)
	go func() { stopped <- g.run(working) }()
	select {
	case err := <-served:
		stopWorking()
		return errors.Join(err, <-stopped)
	case err := <-stopped:
		stopServing()
		return errors.Join(err, <-served)
	}
}

// discoveryWorkers is how many discoveries run side by side in one process.
const discoveryWorkers = 2

// devWorkers names the workers of one process and the queue of each: every queue
// has one, so that none waits behind another, and discoveries have some.
func devWorkers() map[string]operation.Queue {
	names := map[string]operation.Queue{}
	for _, queue := range operation.Queues() {
		names["dev-"+string(queue)] = queue
	}
	for i := range discoveryWorkers - 1 {
		names[fmt.Sprintf("dev-%s-%d", operation.DiscoveryQueue, i+2)] = operation.DiscoveryQueue
	}
	return names
}

// addDevWorkers adds the workers.
func addDevWorkers(g *group, c DevConfig, url string, token secret.Secret, metrics prometheus.Registerer) error {
	for name, queue := range devWorkers() {
		w, err := newWorker(workerConfig{
			name: name, discoveryURL: url, integrationsURL: url, token: token, queues: []string{string(queue)},
			allowPrivate: c.AllowPrivate, endpointHosts: c.EndpointHosts, connectors: c.Connectors, metrics: metrics, log: c.Logger,
		})
		if err != nil {
			return err
		}
		g.add(w.Run)
	}
	return nil
}
