package fault

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/gatehouse-project/gatehouse/internal/client"
	"github.com/gatehouse-project/gatehouse/internal/pgserver"
	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/test/wire"
)

// deployment is Gatehouse as separate processes, with a wire between any two that
// talk to each other.
type deployment struct {
	config   Config
	disk     *disk
	server   *pgserver.Server
	super    *pgxpool.Pool
	recorder *recorder
	services map[string]*process
	workers  []*process
	// databases are the wires of the services to PostgreSQL.
	databases map[string]*wire.Wire
	// platforms are those of workers to the two services, and between these.
	platforms map[string]*wire.Wire
	// discovery is the discovery service over a wire, for whoever starts runs;
	// integrations has none between.
	discovery, integrations *client.Client
	// closers undo, the last one first.
	closers []func() error
}

// roles are the database roles of the services.
func roles() map[string]string {
	return map[string]string{"integrations": "svc_integration", "discovery": "svc_discovery", "workspaces": "svc_workspace"}
}

// Names of the wires in deployment.platforms.
const (
	workerToDiscovery       = "worker to discovery"
	workerToIntegrations    = "worker to integrations"
	integrationsToDiscovery = "integrations to discovery"
	operatorToDiscovery     = "operator to discovery"
)

func deploy(ctx context.Context, c Config) (d *deployment, err error) {
	d = &deployment{config: c, services: map[string]*process{}, databases: map[string]*wire.Wire{}, platforms: map[string]*wire.Wire{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	if err := d.startDatabase(ctx); err != nil {
		return d, err
	}
	passwords, err := d.migrate(ctx)
	if err != nil {
		return d, err
	}
	if err := d.record(ctx); err != nil {
		return d, err
	}
	if err := d.startServices(ctx, passwords); err != nil {
		return d, err
	}
	for i := range c.Workers {
		if err := d.startWorker(i); err != nil {
			return d, err
		}
	}
	return d, nil
}

func (d *deployment) undo(f func() error) { d.closers = append(d.closers, f) }

// close ends everything, workers first.
func (d *deployment) close() error {
	var failures error
	for i := len(d.closers) - 1; i >= 0; i-- {
		failures = errors.Join(failures, d.closers[i]())
	}
	d.closers = nil
	return failures
}

// startDatabase starts PostgreSQL, on a disk of its own if that is asked for and
// possible.
func (d *deployment) startDatabase(ctx context.Context) error {
	dir := filepath.Join(d.config.Dir, "postgres")
	settings := map[string]string{"max_connections": "200"}
	if d.config.Disk > 0 {
		disk, err := mountDisk(filepath.Join(d.config.Dir, "disk"), d.config.Disk)
		if err != nil {
			fmt.Fprintf(d.config.Out, "The disk is not filled up: %v.\n", err)
		} else {
			d.disk, dir = disk, filepath.Join(disk.dir, "postgres")
			settings["max_wal_size"], settings["min_wal_size"] = "128MB", "32MB"
			d.undo(disk.unmount)
		}
	}
	server, err := pgserver.Start(ctx, pgserver.Config{DataDir: dir, Settings: settings})
	if err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	d.server = server
	d.undo(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), closeTime)
		defer cancel()
		return server.Stop(ctx)
	})
	admin, err := pgxpool.New(ctx, server.SuperuserURL("postgres"))
	if err != nil {
		return err
	}
	defer admin.Close()
	if _, err := admin.Exec(ctx, "create database gatehouse"); err != nil {
		return fmt.Errorf("create the database: %w", err)
	}
	if d.super, err = pgxpool.New(ctx, server.SuperuserURL("gatehouse")); err != nil {
		return err
	}
	d.undo(func() error { d.super.Close(); return nil })
	return nil
}

// migrate makes schema and roles, and returns the passwords of these.
func (d *deployment) migrate(ctx context.Context) (map[string]string, error) {
	passwords, args := map[string]string{}, []string{"migrate"}
	for _, role := range roles() {
		passwords[role] = rand.Text()
		file := filepath.Join(d.config.Dir, role+".password")
		if err := os.WriteFile(file, []byte(passwords[role]+"\n"), 0o600); err != nil {
			return nil, err
		}
		args = append(args, "--password-file", role+"="+file)
	}
	cmd := exec.CommandContext(ctx, d.config.Gatehouse, args...)
	cmd.Env = append(plainEnvironment(), "GATEHOUSE_ADMIN_DATABASE_URL="+d.server.SuperuserURL("gatehouse"))
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("migrate: %w\n%s", err, out)
	}
	return passwords, nil
}

// startServices starts each service with a wire to its database.
func (d *deployment) startServices(ctx context.Context, passwords map[string]string) error {
	addresses := map[string]string{}
	for service := range roles() {
		address, err := freeAddress(ctx)
		if err != nil {
			return err
		}
		addresses[service] = address
	}
	recorder, err := newRecorder("http://" + addresses["discovery"])
	if err != nil {
		return err
	}
	d.recorder = recorder
	d.undo(func() error { recorder.server.Close(); return nil })
	for name, target := range map[string]string{
		workerToDiscovery: strings.TrimPrefix(recorder.server.URL, "http://"), workerToIntegrations: addresses["integrations"],
		integrationsToDiscovery: addresses["discovery"], operatorToDiscovery: addresses["discovery"],
	} {
		w, err := wire.New(ctx, target)
		if err != nil {
			return err
		}
		d.platforms[name] = w
		d.undo(w.Close)
	}
	token := filepath.Join(d.config.Dir, "worker.token")
	if err := os.WriteFile(token, []byte(rand.Text()+rand.Text()+"\n"), 0o600); err != nil {
		return err
	}
	adminKey := filepath.Join(d.config.Dir, "admin.key")
	for _, s := range []struct {
		name string
		args []string
	}{
		{"workspaces", []string{"--admin-key-file", adminKey, "--audit-key-file", filepath.Join(d.config.Dir, "audit.key")}},
		{"discovery", []string{"--token-file", token}},
		{"integrations", []string{"--key", "local:" + filepath.Join(d.config.Dir, "local.key"), "--discovery-url", "http://" + d.platforms[integrationsToDiscovery].Address()}},
	} {
		if err := d.startService(ctx, s.name, addresses[s.name], passwords[roles()[s.name]], s.args); err != nil {
			return err
		}
	}
	key, err := os.ReadFile(adminKey)
	if err != nil {
		return fmt.Errorf("read the admin key: %w", err)
	}
	admin := secret.FromString(strings.TrimSpace(string(key)))
	if d.discovery, err = client.New("http://"+d.platforms[operatorToDiscovery].Address(), admin, "fault"); err != nil {
		return err
	}
	d.integrations, err = client.New("http://"+addresses["integrations"], admin, "fault")
	return err
}

func (d *deployment) startService(ctx context.Context, name, address, password string, args []string) error {
	direct, err := url.Parse(d.server.URL(roles()[name], password, "gatehouse"))
	if err != nil {
		return err
	}
	w, err := wire.NewDatabase(ctx, direct.Host)
	if err != nil {
		return err
	}
	d.databases[name] = w
	d.undo(w.Close)
	direct.Host = w.Address()
	p, err := keep(d.config.Dir, name, d.config.Gatehouse, []string{"GATEHOUSE_DATABASE_URL=" + direct.String()},
		append([]string{"serve", name, "--listen", address}, args...)...)
	if err != nil {
		return err
	}
	d.services[name] = p
	d.undo(func() error { p.close(); return nil })
	return awaitReady(ctx, "http://"+address+"/readyz")
}

// startWorker starts one more. It is given no database.
func (d *deployment) startWorker(i int) error {
	name := fmt.Sprintf("worker-%d", i+1)
	p, err := keep(d.config.Dir, name, d.config.Gatehouse, nil, "worker", "--name", name, "--token-file", filepath.Join(d.config.Dir, "worker.token"),
		"--discovery-url", "http://"+d.platforms[workerToDiscovery].Address(), "--integrations-url", "http://"+d.platforms[workerToIntegrations].Address(),
		"--allow-private-networks", "--endpoint-hosts", "127.0.0.1,localhost")
	if err != nil {
		return err
	}
	d.workers = append(d.workers, p)
	d.undo(func() error { p.close(); return nil })
	return nil
}

// processes are all that are kept running.
func (d *deployment) processes() []*process {
	all := append([]*process(nil), d.workers...)
	for _, p := range d.services {
		all = append(all, p)
	}
	return all
}

// wires are all there are.
func (d *deployment) wires() []*wire.Wire {
	var all []*wire.Wire
	for _, w := range d.platforms {
		all = append(all, w)
	}
	for _, w := range d.databases {
		all = append(all, w)
	}
	return all
}

// freeAddress is one that a service can listen on, over its restarts, too.
func freeAddress(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// startTime is how long a service may take to be ready.
const startTime = time.Minute

func awaitReady(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	return until(ctx, address+" answers", func() bool {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
		if err != nil {
			return false
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return false
		}
		return res.Body.Close() == nil && res.StatusCode == http.StatusOK
	})
}

// until asks every now and then until the answer is yes.
func until(ctx context.Context, what string, yes func() bool) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !yes() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("it did not become true that %s: %w", what, ctx.Err())
		}
	}
	return nil
}
