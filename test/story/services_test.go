package story

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/postgres/pgtest"
)

// deployment is Gatehouse as separate processes on a PostgreSQL server that the
// test controls.
type deployment struct {
	server   *pgtest.Server
	database string // its superuser's URL
	// urls of the services' own database roles.
	urls map[string]string
	// integrations, discovery and workspaces are seen with an admin's key.
	integrations, discovery, workspaces *plane
	tokenFile                           string
	processes                           map[string]*process
}

// roleOf is the database role of each service.
func roleOf() map[string]string {
	return map[string]string{"integrations": "svc_integration", "discovery": "svc_discovery", "workspaces": "svc_workspace"}
}

const stopTime = time.Minute

// deploy migrates a new database and starts the services, without a worker.
func deploy(t *testing.T) *deployment {
	t.Helper()
	server, err := pgtest.StartServer(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopTime)
		defer cancel()
		require.NoError(t, server.Close(ctx))
	})
	d := &deployment{server: server, database: server.SuperuserURL("gatehouse"), urls: map[string]string{}, processes: map[string]*process{}}
	execute(t, server.SuperuserURL("postgres"), "create database gatehouse")

	dir := t.TempDir()
	migrate := []string{"migrate"}
	environment := []string{"GATEHOUSE_ADMIN_DATABASE_URL=" + d.database}
	for service, role := range roleOf() {
		password := rand.Text()
		file := filepath.Join(dir, role+".password")
		require.NoError(t, os.WriteFile(file, []byte(password+"\n"), 0o600))
		migrate = append(migrate, "--password-file", role+"="+file)
		d.urls[service] = server.URL(role, password, "gatehouse")
	}
	for range 2 { // the second finds everything done
		got := command(t, environment, migrate...)
		require.Zero(t, got.status, got.stderr)
	}
	d.tokenFile = filepath.Join(dir, "worker.token")
	require.NoError(t, os.WriteFile(d.tokenFile, []byte(rand.Text()+rand.Text()+"\n"), 0o600))

	adminKey := filepath.Join(dir, "admin.key")
	workspaces := d.serve(t, "workspaces", "--admin-key-file", adminKey, "--audit-key-file", filepath.Join(dir, "audit.key"))
	discovery := d.serve(t, "discovery", "--token-file", d.tokenFile)
	integrations := d.serve(t, "integrations", "--key", "local:"+filepath.Join(dir, "local.key"), "--discovery-url", discovery)
	key, err := os.ReadFile(adminKey)
	require.NoError(t, err)
	admin := strings.TrimSpace(string(key))
	d.workspaces, d.discovery, d.integrations = newPlane(t, workspaces, admin), newPlane(t, discovery, admin), newPlane(t, integrations, admin)
	return d
}

// serve starts a service and returns its address. The database's URL is in the
// environment, where other processes do not see the password.
func (d *deployment) serve(t *testing.T, service string, flags ...string) string {
	t.Helper()
	p := start(t, []string{"GATEHOUSE_DATABASE_URL=" + d.urls[service]}, append([]string{"serve", service, "--listen", "127.0.0.1:0"}, flags...)...)
	d.processes[service] = p
	return "http://" + p.await(t, `msg=serving service=`+service+` address=([0-9.:]+)`)
}

// work starts a worker. It is given no database.
func (d *deployment) work(t *testing.T, name string, flags ...string) *process {
	t.Helper()
	return start(t, nil, append([]string{
		"worker", "--name", name, "--token-file", d.tokenFile,
		"--discovery-url", d.discovery.url, "--integrations-url", d.integrations.url, "--allow-private-networks", "--endpoint-hosts", "127.0.0.1,localhost",
	}, flags...)...)
}

// execute runs one statement and returns the first value of its first row, as
// text; empty when there is none.
func execute(t *testing.T, url, sql string, args ...any) string {
	t.Helper()
	value, err := query(t.Context(), url, sql, args...)
	require.NoError(t, err)
	return value
}

func query(ctx context.Context, url, sql string, args ...any) (string, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return "", err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	rows, err := conn.Query(ctx, sql, args...)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	value := ""
	if rows.Next() && len(rows.FieldDescriptions()) > 0 {
		if err := rows.Scan(&value); err != nil {
			return "", err
		}
	}
	rows.Close()
	return value, rows.Err()
}
