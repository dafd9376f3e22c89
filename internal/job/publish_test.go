package job_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// A process takes a job and dies, or the answer that gave it the job is lost. The
// sweeper, who sees that nobody publishes, does not wait until the engine gives
// such a job up, which takes an hour.
func TestPublishingIsQueuedAgainBesideAJobThatNobodyWorksOn(t *testing.T) {
	t.Parallel()
	q, pool, super := newQueue(t)
	require.NoError(t, pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error { return q.PublishTx(t.Context(), tx, ref(1)) }))
	require.NoError(t, q.Publish(t.Context(), ref(1)))
	require.Equal(t, 1, jobs(t, super), "it waits already")

	_, err := super.Exec(t.Context(), `update river.river_job set state = 'running', attempt = 1, attempted_at = now(), attempted_by = '{gone}'`)
	require.NoError(t, err)
	require.NoError(t, q.Publish(t.Context(), ref(1)))
	require.Equal(t, 2, jobs(t, super))
	var waiting int
	require.NoError(t, super.QueryRow(t.Context(), `select count(*) from river.river_job where kind = 'publish' and state = 'available'`).Scan(&waiting))
	require.Equal(t, 1, waiting)
}
