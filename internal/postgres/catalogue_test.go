package postgres_test

import (
	"context"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/postgres/pgtest"
)

// workspaceTables are the tables of the data plane, partitions included, that
// hold what belongs to a workspace.
const workspaceTables = `
	select c.oid, c.relname, c.relrowsecurity, c.relforcerowsecurity, pg_get_userbyid(c.relowner) as owner
	from pg_class c
	where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
		and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'workspace_id' and not a.attisdropped)`

// services are the roles that services log in as.
const services = `('svc_integration', 'svc_discovery', 'svc_workspace')`

// catalogueRule is what holds for the whole catalogue.
type catalogueRule struct {
	rule string
	// breaches asks for the names of what breaks the rule.
	breaches string
	// breach breaks it, so that a rule which finds nothing is found out.
	breach string
}

func catalogueRules() []catalogueRule { return slices.Concat(isolationRules(), privilegeRules()) }

// find returns what breaks the rule.
func (r catalogueRule) find(t *testing.T, q interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
},
) []string {
	t.Helper()
	rows, err := q.Query(t.Context(), r.breaches)
	require.NoError(t, err, r.rule)
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err, r.rule)
	return found
}

// The rules are asked of a data plane that holds a graph, because partitions are
// made as connections are discovered.
func TestCatalogueKeepsTheRules(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	d.discover(t, d.scope, d.connect(t, d.scope), whole("alpha", "", accounts("a", "b"), assumes("a", "b")))
	require.Greater(t, d.number(t, `select count(*) from (`+workspaceTables+`) w`), 15, "the rules look at something")
	for _, r := range catalogueRules() {
		require.Empty(t, r.find(t, d.super), r.rule)
	}
	for table := range tablesOfNoWorkspace() {
		require.Equal(t, 1, d.number(t, `select count(*) from pg_class where relnamespace = 'public'::regnamespace and relname = '`+table+`'`), "%s is listed and gone", table)
	}
	for name := range actAsOwner() {
		require.Equal(t, 1, d.number(t, `select count(*) from pg_proc where prosecdef and proname = '`+name+`'`), "%s is listed and gone", name)
	}
}

// Each rule finds what breaks it. The breach is made and rolled back on a server
// of its own, because roles are shared with the databases of other tests.
func TestRulesFindWhatBreaksThem(t *testing.T) {
	t.Parallel()
	server, err := pgtest.StartServer(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close(context.WithoutCancel(t.Context()))) })
	const database = "rules"
	require.NoError(t, postgres.EnsureDatabase(t.Context(), server.SuperuserURL("postgres"), database))
	require.NoError(t, postgres.Migrate(t.Context(), server.SuperuserURL(database)))
	conn, err := pgx.Connect(t.Context(), server.SuperuserURL(database))
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close(context.WithoutCancel(t.Context())) })
	// A partition, as the first discovery of a connection makes it.
	_, err = conn.Exec(t.Context(), "create table entities_1 partition of entities for values in (1)")
	require.NoError(t, err)
	for _, r := range catalogueRules() {
		tx, err := conn.Begin(t.Context())
		require.NoError(t, err)
		before := r.find(t, tx)
		_, err = tx.Exec(t.Context(), r.breach)
		require.NoError(t, err, r.rule)
		require.Greater(t, len(r.find(t, tx)), len(before), r.rule)
		require.NoError(t, tx.Rollback(t.Context()))
	}
}
