package wire_test

import (
	"context"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/postgres/pgtest"
	"github.com/gatehouse-project/gatehouse/test/wire"
)

var databases = pgtest.Kit{Migrate: func(context.Context, string) error { return nil }, Fingerprint: "nothing"}

func TestMain(m *testing.M) { os.Exit(databases.Run(m)) }

// through returns a wire to a database with one table, and the URL over it.
func through(t *testing.T) (w *wire.Wire, over string, direct *pgx.Conn) {
	t.Helper()
	base := databases.NewEmpty(t)
	u, err := url.Parse(base.SuperuserURL())
	require.NoError(t, err)
	w, err = wire.NewDatabase(t.Context(), u.Host)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	u.Host = w.Address()
	direct, err = pgx.Connect(t.Context(), base.SuperuserURL())
	require.NoError(t, err)
	t.Cleanup(func() { _ = direct.Close(context.Background()) })
	_, err = direct.Exec(t.Context(), `create table notes (n int)`)
	require.NoError(t, err)
	return w, u.String(), direct
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func count(t *testing.T, conn *pgx.Conn) (n int) {
	t.Helper()
	require.NoError(t, conn.QueryRow(t.Context(), `select count(*) from notes`).Scan(&n))
	return n
}

// The caller sees a failure in both cases; what became of the transaction differs.
func TestCommitIsLostBeforeOrAfterItTakesEffect(t *testing.T) {
	t.Parallel()
	simple := func(ctx context.Context, tx pgx.Tx) error { return tx.Commit(ctx) }
	batched := func(ctx context.Context, tx pgx.Tx) error {
		var b pgx.Batch
		b.Queue(`insert into notes values ($1)`, 2)
		b.Queue(`commit`)
		return tx.Conn().SendBatch(ctx, &b).Close()
	}
	for name, commit := range map[string]func(context.Context, pgx.Tx) error{"simple": simple, "batched": batched} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, over, direct := through(t)
			for _, f := range []wire.CommitFault{wire.CommitPasses, wire.CommitNeverArrives, wire.CommitUnanswered} {
				before := count(t, direct)
				tx, err := connect(t, over).Begin(t.Context())
				require.NoError(t, err)
				_, err = tx.Exec(t.Context(), `insert into notes values (1)`)
				require.NoError(t, err)
				w.SpoilCommit(f)
				err = commit(t.Context(), tx)
				require.Equal(t, f == wire.CommitPasses, err == nil, "%v", err)
				require.Equal(t, f != wire.CommitNeverArrives, count(t, direct) > before)
			}
			_, commits := w.Lost()
			require.Equal(t, 2, commits)
		})
	}
}

func TestCutAndPartedAndLost(t *testing.T) {
	t.Parallel()
	w, over, _ := through(t)
	conn := connect(t, over)
	require.Equal(t, 1, w.Cut())
	require.Error(t, conn.Ping(t.Context()))
	w.Part()
	_, err := pgx.Connect(t.Context(), over)
	require.Error(t, err)
	w.Repair()
	conn = connect(t, over)
	w.LoseAnswers(1)
	require.Error(t, conn.Ping(t.Context()))
	require.NoError(t, connect(t, over).Ping(t.Context()))
	answers, _ := w.Lost()
	require.Equal(t, 1, answers)
}

func TestStalledWireIsSilentUntilItIsRepaired(t *testing.T) {
	t.Parallel()
	w, over, _ := through(t)
	conn, other := connect(t, over), connect(t, over)
	w.Stall()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, conn.Ping(ctx), context.DeadlineExceeded)
	answered := make(chan error, 1)
	go func() { answered <- other.Ping(t.Context()) }()
	w.Repair()
	require.NoError(t, <-answered)
}
