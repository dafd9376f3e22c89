package app

import (
	"context"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/postgres/pgtest"
)

// arrive has the database be one that came here with a dump of another server.
func (b *auditBench) arrive(t *testing.T) {
	t.Helper()
	b.tamper(t, `update audit_log_arrivals set system_identifier = system_identifier - 1`)
}

// addFromElsewhere records events under numbers of transactions that this server
// has not reached.
func (b *auditBench) addFromElsewhere(t *testing.T, scope id.Scope, n int) {
	t.Helper()
	_, err := b.super.Exec(t.Context(), `insert into audit_events (tenant_id, workspace_id, actor_kind, actor_id, action, outcome, target_type, target_id, transaction)
		select 1, $1, 'system', 'test', 'connection_edited', 'succeeded', 'connection', 'conn_1', (3000000000 + i)::text::xid8 from generate_series(1, $2) i`, scope.Workspace, n)
	require.NoError(t, err)
}

// A database that is restored before anything was sealed has batch after batch of
// events from elsewhere, also once it has a checkpoint.
func TestALogThatHasNotBegunMovesToAnotherServer(t *testing.T) {
	t.Parallel()
	b := newAuditBench(t)
	b.addFromElsewhere(t, b.a, 2500)
	require.NoError(t, b.logs.RecordEvent(t.Context(), b.a, anEvent()))
	require.GreaterOrEqual(t, b.seal(t), 2501)
	require.Contains(t, b.requireVerifies(t), "0 events wait")
	require.NoError(t, b.logs.RecordEvent(t.Context(), b.a, anEvent()))
	require.Equal(t, 1, b.seal(t))
	require.Contains(t, b.requireVerifies(t), "0 events wait")
}

// What this server records after a restore is sealed, although its transactions
// have lower numbers than those that the last checkpoint tells of; and a log in
// which nothing was missing is compared once and not at every look.
func TestARestoredLogIsComparedOnceAndGoesOn(t *testing.T) {
	t.Parallel()
	b := newAuditBench(t)
	b.record(t, b.a, 5)
	require.NoError(t, b.logs.RecordEvent(t.Context(), b.a, anEvent()))
	sealer := b.newSealer(t)
	sealer.Store = countedFurther{b.logs, b.a.Workspace}
	b.settle(t)
	n, err := sealer.Seal(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, n)
	b.arrive(t)
	waiting, err := b.logs.SealableWorkspaces(t.Context(), 10)
	require.NoError(t, err)
	require.NotEmpty(t, waiting)
	require.Zero(t, b.seal(t), "nothing was missing")
	waiting, err = b.logs.SealableWorkspaces(t.Context(), 10)
	require.NoError(t, err)
	require.Empty(t, waiting)
	for range 2 {
		require.NoError(t, b.logs.RecordEvent(t.Context(), b.a, anEvent()))
		require.Equal(t, 1, b.seal(t))
		require.Contains(t, b.requireVerifies(t), "0 events wait")
	}
}

// A real dump, loaded into a real other server as the operations manual says: the
// sealer goes on there with what was recorded before and after.
func TestALogIsRestoredOnAnotherServer(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"pg_dump", "pg_dumpall", "pg_restore", "psql"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("needs %s: %v", program, err)
		}
	}
	b := newAuditBench(t)
	b.record(t, b.a, 5)
	for range 3 {
		require.NoError(t, b.logs.RecordEvent(t.Context(), b.a, anEvent()))
	}
	other := restore(t, b.database.SuperuserURL())
	db, err := postgres.Open(t.Context(), postgres.Config{URL: other, Service: "test", MaxConns: 4})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	moved := *b
	moved.logs = postgres.NewAuditLogs(db)
	moved.super, err = pgxpool.New(t.Context(), other)
	require.NoError(t, err)
	t.Cleanup(moved.super.Close)
	require.Equal(t, 3, moved.seal(t), "recorded there, sealed here")
	for range 2 {
		require.NoError(t, moved.logs.RecordEvent(t.Context(), b.a, anEvent()))
		require.Equal(t, 1, moved.seal(t), "recorded and sealed here")
	}
	var events, entries int
	require.NoError(t, moved.super.QueryRow(t.Context(), `select count(*), count(l.entry) from audit_events e left join audit_log_entries l using (workspace_id, event_id)`).Scan(&events, &entries))
	require.Equal(t, events, entries)
	require.Equal(t, 3, b.seal(t), "and the original goes on as well")
	b.requireVerifies(t)
}

// restore dumps a database, loads it into a server of its own, and returns the
// URL of its superuser there.
func restore(t *testing.T, from string) string {
	t.Helper()
	server, err := pgtest.StartServer(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close(context.WithoutCancel(t.Context()))) })
	run := func(name string, args ...string) string {
		out, err := exec.CommandContext(t.Context(), name, args...).Output() // #nosec G204 -- programs and addresses of this test
		require.NoError(t, err, "%s %s", name, out)
		return string(out)
	}
	dump, roles := filepath.Join(t.TempDir(), "dump"), filepath.Join(t.TempDir(), "roles.sql")
	run("pg_dump", "--format=custom", "--no-unlogged-table-data", "--file", dump, from)
	run("pg_dumpall", "--roles-only", "--no-role-passwords", "--file", roles, "--dbname", from)
	// Roles that are there already, such as postgres, are reported and stay.
	run("psql", "--quiet", "--file", roles, server.SuperuserURL("postgres"))
	run("psql", "--quiet", "--command", "create database gatehouse", server.SuperuserURL("postgres"))
	run("pg_restore", "--exit-on-error", "--dbname", server.SuperuserURL("gatehouse"), dump)
	return server.SuperuserURL("gatehouse")
}
