package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// What goes round every few seconds reads what is under way, however much has ended.
func TestRoundsReadNothingOfRunsThatHaveEnded(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	const ended = 100_000
	c := d.connect(t, d.scope)
	d.exec(t, `insert into runs (workspace_id, connection_id, operation_type, queue, status, outcome, initiator, completed_at, attempt)
		select $1, $2, 'discovery.run', 'discovery', 'completed', 'succeeded', 'schedule', now() - n * interval '1 minute', 1 from generate_series(1, $3::int) n`,
		d.scope.Workspace, c, ended)
	for range 20 {
		d.start(t, d.scope, d.connect(t, d.scope))
	}
	d.exec(t, `update runs set deadline_at = now() - interval '1 minute' where status <> 'completed' and run_id % 2 = 0`)
	d.exec(t, `vacuum analyze runs`)
	for name, sql := range map[string]string{
		"sweep":          `select * from sweepable_runs(3, 200)`,
		"archived":       `select * from runs_of_archived_workspaces(200)`,
		"figures":        `select * from run_figures()`,
		"old workspaces": `select * from workspaces_with_old_runs(interval '400 days')`,
		"staging":        `select * from abandoned_staging(200)`,
		"onboarding":     `select * from onboarding_to_advance(200)`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tx, err := d.super.BeginTx(t.Context(), pgx.TxOptions{})
			require.NoError(t, err)
			defer func() { require.NoError(t, tx.Rollback(t.Context())) }()
			read := func() (n int) {
				require.NoError(t, tx.QueryRow(t.Context(), `select seq_tup_read + coalesce(idx_tup_fetch, 0) from pg_stat_xact_user_tables where relname = 'runs'`).Scan(&n))
				return n
			}
			before := read()
			_, err = tx.Exec(t.Context(), sql)
			require.NoError(t, err)
			require.Less(t, read()-before, ended/100)
		})
	}
}
