package postgres_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// poolSize is small, so that every pooled connection is used by one workspace
// after the other.
const poolSize = 3

// work is a transaction that is open: it does what it is told until it is told
// nothing more, or until something fails.
type work struct {
	workspace id.Workspace
	tell      chan func(ctx context.Context, tx pgx.Tx) error
	told      chan struct{}
	ended     chan error
	cancel    context.CancelFunc
}

func beginWork(rt *rapid.T, db *postgres.DB, w id.Workspace) *work {
	ctx, cancel := context.WithCancel(context.Background())
	o := &work{w, make(chan func(context.Context, pgx.Tx) error), make(chan struct{}), make(chan error, 1), cancel}
	begun := make(chan struct{})
	go func() {
		o.ended <- db.InWorkspace(ctx, w, func(tx pgx.Tx) error {
			close(begun)
			for do := range o.tell {
				err := do(ctx, tx)
				o.told <- struct{}{}
				if err != nil {
					return err
				}
			}
			return nil
		})
	}()
	select {
	case <-begun:
	case err := <-o.ended:
		cancel()
		rt.Fatalf("begin: %v", err)
	}
	return o
}

// do has the transaction do something and waits until it is done.
func (o *work) do(f func(ctx context.Context, tx pgx.Tx) error) {
	o.tell <- f
	<-o.told
}

// seen lists the workspaces whose rows are in sight, and the setting.
func seen(ctx context.Context, q interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
},
) (workspaces []int64, setting string, err error) {
	err = q.QueryRow(ctx, `select coalesce(array_agg(distinct workspace_id), '{}'), coalesce(current_setting('gatehouse.workspace_id', true), '') from connections`).
		Scan(&workspaces, &setting)
	return workspaces, setting, err
}

// However transactions of different workspaces follow one another on the pooled
// connections, and however each of them ends, none sees what is another's, and
// no connection shows anything outside of a transaction.
func TestNoPooledConnectionCarriesAWorkspaceOver(t *testing.T) {
	t.Parallel()
	base := databases.New(t)
	d := openDiscovery(t, base.URL("svc_discovery"), base.SuperuserPool())
	scopes := []id.Scope{d.newScope(t), d.newScope(t), d.newScope(t)}
	for _, s := range scopes {
		d.connect(t, s)
	}
	db, err := postgres.Open(t.Context(), postgres.Config{URL: base.URL("svc_discovery"), Service: "test", MaxConns: poolSize})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	runs := postgres.NewRuns(db, 1, d.catalog, d.queue.jobs())
	rapid.Check(t, func(rt *rapid.T) {
		var open []*work
		end := func(o *work, last func(ctx context.Context, tx pgx.Tx) error) {
			if last != nil {
				o.do(last)
			}
			close(o.tell)
			<-o.ended
			o.cancel()
			open = slices.DeleteFunc(open, func(other *work) bool { return other == o })
		}
		defer func() {
			for _, o := range slices.Clone(open) {
				end(o, nil)
			}
		}()
		for range rapid.IntRange(1, 20).Draw(rt, "steps") {
			steps := []string{"look", "commit", "fail", "broken statement", "ignored failure", "cancel", "cut off"}
			if len(open) < poolSize {
				steps = append(steps, "begin", "begin", "begin", "outside", "claim")
			}
			step := rapid.SampledFrom(steps).Draw(rt, "step")
			switch step {
			case "begin":
				open = append(open, beginWork(rt, db, rapid.SampledFrom(scopes).Draw(rt, "scope").Workspace))
				continue
			case "outside":
				requireOutside(rt, db.Pool())
				continue
			case "claim": // enters the workspace in the middle of a transaction
				a := admission(rapid.SampledFrom(scopes).Draw(rt, "scope"), 0)
				a.DedupeKey, a.ScopeKey = "", ""
				_, err := runs.Admit(t.Context(), a, accepted())
				require.NoError(rt, err)
				_, ok, err := runs.Claim(t.Context(), run.ClaimRequest{Queues: operation.Queues(), Worker: "w"})
				require.NoError(rt, err)
				require.True(rt, ok)
				continue
			}
			if len(open) == 0 {
				continue
			}
			o := rapid.SampledFrom(open).Draw(rt, "transaction")
			var workspaces []int64
			var setting string
			o.do(func(ctx context.Context, tx pgx.Tx) (err error) {
				workspaces, setting, err = seen(ctx, tx)
				return err
			})
			require.Equal(rt, []int64{int64(o.workspace)}, workspaces)
			require.Equal(rt, setting, o.workspace.String()[len("w_"):])
			divide := func(ctx context.Context, tx pgx.Tx) error {
				_, err := tx.Exec(ctx, "select 1 / 0")
				return err
			}
			switch step {
			case "commit":
				end(o, nil)
			case "fail":
				end(o, func(context.Context, pgx.Tx) error { return errors.New("changed its mind") })
			case "broken statement":
				end(o, divide)
			case "ignored failure":
				end(o, func(ctx context.Context, tx pgx.Tx) error { _ = divide(ctx, tx); return nil })
			case "cancel":
				end(o, func(ctx context.Context, tx pgx.Tx) error {
					o.cancel()
					_, err := tx.Exec(ctx, "select 1")
					return err
				})
			case "cut off":
				end(o, func(ctx context.Context, tx pgx.Tx) error {
					_, err := d.super.Exec(ctx, "select pg_terminate_backend($1)", tx.Conn().PgConn().PID())
					return err
				})
			}
		}
		for _, o := range slices.Clone(open) {
			end(o, nil)
		}
		// All of them at once, so that each is looked at.
		var all []*pgxpool.Conn
		for range poolSize {
			conn, err := db.Pool().Acquire(t.Context())
			require.NoError(rt, err)
			defer conn.Release()
			all = append(all, conn)
		}
		for _, conn := range all {
			requireOutside(rt, conn)
		}
	})
}

// requireOutside checks that nothing is in sight where no workspace is set.
func requireOutside(rt *rapid.T, q interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
},
) {
	rt.Helper()
	workspaces, setting, err := seen(rt.Context(), q)
	require.NoError(rt, err)
	require.Empty(rt, workspaces)
	require.Empty(rt, setting)
}
