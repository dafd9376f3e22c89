package story

import (
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/client"
	simulator "github.com/gatehouse-project/gatehouse/simulator/aws"
)

// TestSeparateServices runs the main job over separate processes, and then
// takes them away one after the other in mid-run.
func TestSeparateServices(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	c := newCloud(t, 1)
	conn := d.integrations.connect(t, "Separate", c.configuration(nil))
	first := d.work(t, "first")

	require.Equal(t, "success", d.integrations.test(t, conn).Status)
	run := d.discovery.discover(t, conn)
	require.Equal(t, "succeeded", run.Outcome, "%+v", run)
	d.discovery.requireKnown(t, c, conn)
	faultless := reading{run, d.discovery.entities(t, conn)}
	requireOwnPathsOnly(t, d)
	requireLeastPrivilege(t, d)

	first = workerIsKilled(t, d, c, first, faultless)
	databaseRestarts(t, d, c, faultless)
	databaseCrashes(t, d, c, first, faultless)

	conn = d.integrations.connectInstead(t, "Broken contract", c.configuration(nil))
	require.Equal(t, "succeeded", d.discovery.discover(t, conn).Outcome)
	// Workers go first: one may have to hand a run back.
	first.stop(t)
	contractIsBroken(t, d, c, conn)
	for _, service := range []string{"integrations", "discovery", "workspaces"} {
		d.processes[service].stop(t)
	}
}

// requireOwnPathsOnly requires that a service answers for its own nouns alone.
func requireOwnPathsOnly(t *testing.T, d *deployment) {
	for path, home := range map[string]*plane{
		"/v1/connections": d.integrations, "/v1/integrations": d.integrations, "/v1/runs": d.discovery, "/v1/entities": d.discovery,
		"/v1/operations": d.discovery, "/v1/workspaces": d.workspaces, "/v1/api-keys": d.workspaces, "/v1/audit-events": d.workspaces,
	} {
		for name, service := range map[string]*plane{"integrations": d.integrations, "discovery": d.discovery, "workspaces": d.workspaces} {
			status, text := service.get(t, path)
			want := 404
			if service == home {
				want = 200
			}
			require.Equal(t, want, status, "%s of %s: %s", path, name, text)
		}
	}
	for _, service := range []*plane{d.integrations, d.discovery, d.workspaces} {
		for _, path := range []string{"/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"} {
			status, _ := service.get(t, path)
			require.Equal(t, 200, status, path)
		}
	}
}

// requireLeastPrivilege connects as each service and tries what others do.
func requireLeastPrivilege(t *testing.T, d *deployment) {
	const insufficientPrivilege = "42501" // PostgreSQL, appendix A
	for service, forbidden := range map[string][]string{
		"discovery":    {"select * from credentials", "delete from credentials", "select * from audit_events", "delete from runs", "update members set role = 'admin'"},
		"workspaces":   {"select * from credentials", "select * from connections", "select * from runs", "select * from entities", "delete from audit_events", "update audit_events set action = 'x'"},
		"integrations": {"select * from entities", "select * from audit_events", "update runs set status = 'queued'", "select run_id, input from runs", "insert into members default values"},
	} {
		for _, sql := range append(forbidden, "create table public.mine (n int)", "set role gatehouse_owner") {
			_, err := query(t.Context(), d.urls[service], sql)
			var refused *pgconn.PgError
			require.ErrorAs(t, err, &refused, "%s may: %s", service, sql)
			require.Equal(t, insufficientPrivilege, refused.Code, "%s: %s: %v", service, sql, err)
		}
	}
	// Row-level security: without a workspace there is no row, though there are some.
	require.NotEqual(t, "0", execute(t, d.database, "select count(*)::text from credentials"))
	require.Equal(t, "0", execute(t, d.urls["integrations"], "select count(*)::text from credentials"))
	require.NotEqual(t, "0", execute(t, d.database, "select count(*)::text from entities"))
	require.Equal(t, "0", execute(t, d.urls["discovery"], "select count(*)::text from entities"))
	attributes := execute(t, d.database, "select rolname::text from pg_roles where rolname like 'svc\\_%' and (rolsuper or rolcreaterole or rolcreatedb or rolbypassrls)")
	require.Empty(t, attributes)
}

// slowly makes every answer of the provider late, so that a run lasts.
func slowly(t *testing.T, c *cloud) {
	t.Helper()
	c.fail(t, simulator.Fault{Kind: simulator.FaultSlow, DelayMilliseconds: 60})
}

// underWay starts a run and waits until some of it is stored.
func underWay(t *testing.T, d *deployment, conn string) string {
	t.Helper()
	run := d.discovery.startRun(t, conn)
	eventually(t, run+" has stored a batch", func() bool {
		return batchesOf(t, d.database, run) >= 3
	})
	return run
}

func batchesOf(t *testing.T, database, run string) int {
	t.Helper()
	text := execute(t, database, "select coalesce(max(next_batch), 0)::text from run_ingest where run_id = $1", number(run))
	var n int
	decode(t, text, &n)
	return n
}

// endLease ends the lease of a run whose worker does nothing for it any more. It
// would end by itself, three heartbeats after the last one.
func endLease(t *testing.T, database, run string) {
	t.Helper()
	const end = "update runs set lease_until = clock_timestamp() - interval '1 second' where run_id = $1 and status = 'running' returning run_id::text"
	require.Equal(t, run, "run_"+execute(t, database, end, number(run)))
}

// number is the row's id behind a public one.
func number(id string) int64 {
	n := int64(0)
	for _, digit := range id[strings.LastIndexByte(id, '_')+1:] {
		n = 10*n + int64(digit-'0')
	}
	return n
}

// workerIsKilled kills a worker in mid-run. Another one goes on after the last
// stored page, and the result is that of a run without faults.
func workerIsKilled(t *testing.T, d *deployment, c *cloud, worker *process, faultless reading) *process {
	conn := d.integrations.connectInstead(t, "Killed worker", c.configuration(nil))
	slowly(t, c)
	run := underWay(t, d, conn)
	worker.kill(t)
	stored := batchesOf(t, d.database, run)
	before, err := d.discovery.api.Run(t.Context(), run, 0)
	require.NoError(t, err)
	require.Equal(t, "running", before.Value.Status)
	require.Empty(t, d.discovery.entities(t, conn), "nothing is seen of an unfinished run")

	endLease(t, d.database, run)
	next := d.work(t, "second")
	ended := d.discovery.finished(t, run)
	require.Equal(t, "succeeded", ended.Outcome, "%+v", ended)
	require.Equal(t, 2, ended.Attempt)
	require.Contains(t, next.out.String(), "next_batch="+strconv.Itoa(stored), "it goes on where the other one was")
	faultless.requireSame(t, reading{ended, d.discovery.entities(t, conn)})
	c.ClearFaults()
	d.discovery.requireUnchanged(t, conn)
	d.discovery.requireKnown(t, c, conn)
	return next
}

// reading is a first run of a connection and what the graph then holds of it.
type reading struct {
	run      client.Run
	entities map[string]client.Entity
}

// requireSame compares what two connections read of one provider: every record
// was counted once, and every entity is as it was.
func (want reading) requireSame(t *testing.T, got reading) {
	t.Helper()
	require.Equal(t, want.run.SummaryCounts, got.run.SummaryCounts)
	require.Len(t, got.entities, len(want.entities))
	for key, entity := range want.entities {
		require.Contains(t, got.entities, key)
		require.JSONEq(t, string(entity.Attributes), string(got.entities[key].Attributes), key)
		require.Equal(t, entity.Name, got.entities[key].Name)
		require.Equal(t, entity.Type, got.entities[key].Type)
	}
}

// databaseRestarts restarts PostgreSQL in mid-run as an operator does. The run
// goes on where it was.
func databaseRestarts(t *testing.T, d *deployment, c *cloud, faultless reading) {
	conn := d.integrations.connectInstead(t, "Database restarts", c.configuration(nil))
	slowly(t, c)
	run := underWay(t, d, conn)
	require.NoError(t, d.server.Restart(t.Context()))
	c.ClearFaults()
	ended := d.discovery.finished(t, run)
	require.Equal(t, "succeeded", ended.Outcome, "%+v", ended)
	require.Equal(t, 1, ended.Attempt)
	faultless.requireSame(t, reading{ended, d.discovery.entities(t, conn)})
	d.discovery.requireKnown(t, c, conn)
}

// databaseCrashes kills PostgreSQL in mid-run and starts it again. Services and
// worker live through it, and the run ends well.
func databaseCrashes(t *testing.T, d *deployment, c *cloud, worker *process, faultless reading) {
	conn := d.integrations.connectInstead(t, "Database crashes", c.configuration(nil))
	slowly(t, c)
	run := underWay(t, d, conn)
	require.NoError(t, d.server.Kill())
	eventually(t, "there is no database", func() bool { // its backends may outlive it shortly
		status, _ := d.discovery.get(t, "/v1/runs/"+run)
		return status >= 500
	})
	status, _ := d.discovery.get(t, "/healthz")
	require.Equal(t, 200, status, "the process lives")
	require.NoError(t, d.server.Restart(t.Context()))
	// What was staged is lost with the crash, and the run has to start over.
	require.Zero(t, batchesOf(t, d.database, run))
	worker.await(t, "(the run is left to the platform)")
	endLease(t, d.database, run)

	ended := d.discovery.finished(t, run)
	require.Equal(t, "succeeded", ended.Outcome, "%+v", ended)
	require.Equal(t, 2, ended.Attempt)
	faultless.requireSame(t, reading{ended, d.discovery.entities(t, conn)})
	c.ClearFaults()
	d.discovery.requireUnchanged(t, conn)
	d.discovery.requireKnown(t, c, conn)
}
