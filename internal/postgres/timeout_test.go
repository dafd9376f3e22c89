package postgres_test

import (
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Every connection of a service has them, whatever the URL says.
func TestConnectionsHaveLimitsOfTime(t *testing.T) {
	t.Parallel()
	db, err := postgres.Open(t.Context(), postgres.Config{URL: databases.New(t).URL("svc_integration"), Service: "test"})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	for setting, want := range map[string]string{
		"statement_timeout": "30s", "lock_timeout": "10s", "idle_in_transaction_session_timeout": "1min",
	} {
		var shown string
		require.NoError(t, db.Pool().QueryRow(t.Context(), "select current_setting($1)", setting).Scan(&shown))
		require.Equal(t, want, shown, setting)
	}
	require.Equal(t, 10*time.Second, db.Pool().Config().ConnConfig.ConnectTimeout)
}

func TestFullPoolIsNotWaitedForForEver(t *testing.T) {
	t.Parallel()
	db, err := postgres.Open(t.Context(), postgres.Config{
		URL: databases.New(t).URL("svc_integration"), Service: "test", MaxConns: 1, AcquireTimeout: 20 * time.Millisecond,
	})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	held, err := db.Pool().Acquire(t.Context())
	require.NoError(t, err)
	err = db.InWorkspace(t.Context(), 1, func(pgx.Tx) error { return nil })
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	require.ErrorContains(t, err, "all connections to it are in use; try again")
	_, err = postgres.NewWorkspaces(db).FindKey(t.Context(), 1, workspace.KeyHash{})
	require.Equal(t, fault.Unavailable, fault.KindOf(err), "%v", err)
	_, err = postgres.NewConnections(db).List(t.Context(), id.Scope{Workspace: 1}, connection.Filter{Limit: 1})
	require.Equal(t, fault.Unavailable, fault.KindOf(err), "%v", err)
	held.Release()
	begin := func() error { return db.InWorkspace(t.Context(), 1, func(pgx.Tx) error { return nil }) }
	require.Eventually(t, func() bool { return begin() == nil }, 10*time.Second, time.Millisecond)
}

// Somebody listens and never says a word.
func TestSilentServerIsGivenUp(t *testing.T) {
	t.Parallel()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, ln.Close()) })
	db, err := postgres.Open(t.Context(), postgres.Config{
		URL: "postgres://svc@" + ln.Addr().String() + "/x?sslmode=disable", Service: "test", AcquireTimeout: 20 * time.Millisecond,
	})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	err = db.InWorkspace(t.Context(), 1, func(pgx.Tx) error { return nil })
	require.Equal(t, fault.Unavailable, fault.KindOf(err), "%v", err)
}
