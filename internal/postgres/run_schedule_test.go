package postgres_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// replica is what one discovery process keeps schedules with.
func (d *discovery) replica(tb testing.TB, db *postgres.DB) *run.Keeper {
	tb.Helper()
	catalog, err := integration.NewCatalog([]connector.Connector{graphConnector{}})
	require.NoError(tb, err)
	runs := postgres.NewRuns(db, 1, d.catalog, d.queue.jobs())
	return &run.Keeper{Store: runs, Gate: &run.Gate{
		Connections: postgres.NewConnections(db), Catalog: catalog, Store: runs, Licence: postgres.NewLicences(db),
	}}
}

// hunted is the store of a replica whose database connections are ended, among
// others', while it admits.
type hunted struct {
	run.AdmissionStore
	kill func()
}

func (h hunted) Admit(ctx context.Context, a run.Admission, e audit.Event) (run.Admitted, error) {
	var killing sync.WaitGroup
	defer killing.Wait()
	if rand.N(4) == 0 {
		killing.Go(h.kill)
	}
	return h.AdmissionStore.Admit(ctx, a, e)
}

// schedule gives every connection an hourly schedule that was missed three times.
func (d *discovery) schedule(tb testing.TB) {
	tb.Helper()
	d.exec(tb, `update connections set schedule = '{"type": "hourly", "minute": 0}', next_run_at = clock_timestamp() - interval '3 hours'`)
}

// Several processes that look at the same time, each of which is killed again and
// again, start each connection once for each time that it comes due.
func TestEachDueTimeIsStartedOnceByAnyNumberOfKeepers(t *testing.T) {
	t.Parallel()
	const connections, keepers, rounds = 60, 4, 4
	base := databases.New(t)
	d := openDiscovery(t, base.URL("svc_discovery"), base.SuperuserPool())
	scopes := []id.Scope{d.scope, d.newScope(t)}
	for i := range connections {
		d.connect(t, scopes[i%2])
	}
	var killed atomic.Int64
	replicas := make([]*run.Keeper, keepers)
	for i := range replicas {
		db, err := postgres.Open(t.Context(), postgres.Config{URL: base.URL("svc_discovery"), Service: "replica", MaxConns: 4})
		require.NoError(t, err)
		t.Cleanup(db.Close)
		replicas[i] = d.replica(t, db)
		replicas[i].Gate.Store = hunted{replicas[i].Gate.Store, func() {
			d.exec(t, `select pg_terminate_backend(pid) from pg_stat_activity
				where datname = current_database() and application_name = 'gatehouse replica' order by random() limit $1`, 1+rand.N(3))
			killed.Add(1)
		}}
	}
	for round := range rounds {
		d.exec(t, `update runs set status = 'completed', outcome = 'succeeded', completed_at = now() where status <> 'completed'`)
		d.schedule(t)
		var keeping sync.WaitGroup
		for _, k := range replicas {
			keeping.Go(func() {
				for d.number(t, "select count(*) from connections where next_run_at < now()") > 0 {
					_, _ = k.StartDue(t.Context()) // killed, or too late: the next look finds what is left
				}
			})
		}
		keeping.Wait()
		for _, count := range []string{
			"runs where initiator = 'schedule'", "audit_events where action = 'run_accepted' and actor_id = 'schedule'",
			fmt.Sprintf("(select connection_id from runs where initiator = 'schedule' group by 1 having count(*) = %d) c", round+1),
		} {
			want := connections * (round + 1)
			if count[0] == '(' {
				want = connections
			}
			require.Equal(t, want, d.number(t, "select count(*) from "+count), count)
		}
	}
	require.Positive(t, killed.Load())
	require.Zero(t, d.number(t, "select count(*) from connections where last_scheduled_at is null or next_run_at > now() + interval '2 hours'"))
}

// endScheduled has the schedule start the connection and ends the run so.
func (d *discovery) endScheduled(t *testing.T, k *run.Keeper, end run.Ending) {
	t.Helper()
	d.schedule(t)
	started, err := k.StartDue(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, started)
	h := d.claim(t)
	require.Equal(t, run.BySchedule, h.Run.Initiator)
	d.end(t, h, end)
}

func (d *discovery) end(t *testing.T, h *hold, end run.Ending) {
	t.Helper()
	if end.Outcome == run.Succeeded {
		h.send(t, "alpha", "", connector.Page{}, connector.Complete)
		require.Equal(t, run.Succeeded, h.publish(t).Outcome)
		return
	}
	end.By = audit.Worker("worker-1")
	_, err := d.runs.Fail(t.Context(), h.fence, end)
	require.NoError(t, err)
}

func (d *discovery) connection(t *testing.T, c id.Connection) connection.Connection {
	t.Helper()
	found, err := postgres.NewConnections(d.db).Get(t.Context(), d.scope, c)
	require.NoError(t, err)
	return found
}

func failedFor(why operation.Code) run.Ending { return run.Ending{Outcome: run.Failed, Reason: why} }

func TestScheduleIsPausedByTenFailuresInARow(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	k := d.replica(t, d.db)
	events := func(a audit.Action) int {
		return d.number(t, "select count(*) from audit_events where action = $1 and target_id = $2 and actor_id = 'schedule'", a, c.String())
	}
	nine := func() {
		for range connection.FailuresToPause - 1 {
			d.endScheduled(t, k, failedFor(operation.ProviderUnavailable))
		}
		require.Nil(t, d.connection(t, c).SchedulePause)
	}
	nine()
	d.endScheduled(t, k, run.Ending{Outcome: run.Cancelled, Reason: operation.Cancelled})
	require.Equal(t, 9, d.connection(t, c).ScheduleFailures, "a cancelled run is none")
	d.end(t, d.begin(t, d.scope, c), failedFor(operation.CredentialInvalid))
	require.Equal(t, 9, d.connection(t, c).ScheduleFailures, "and one that a person tries is not the schedule's")
	d.endScheduled(t, k, run.Ending{Outcome: run.Succeeded})
	require.Zero(t, d.connection(t, c).ScheduleFailures, "a success starts the row again")
	require.Zero(t, events(audit.ScheduleResumed), "there was no pause")
	nine()
	d.endScheduled(t, k, failedFor(operation.CredentialInvalid))
	paused := d.connection(t, c)
	require.NotNil(t, paused.SchedulePause)
	require.Equal(t, operation.CredentialInvalid, paused.SchedulePause.Reason)
	require.Equal(t, 10, paused.ScheduleFailures)
	require.Nil(t, paused.Due(false))
	require.Equal(t, 1, events(audit.SchedulePaused))

	d.schedule(t)
	started, err := k.StartDue(t.Context())
	require.NoError(t, err)
	require.Zero(t, started)
	page, err := postgres.NewConnections(d.db).List(t.Context(), d.scope, connection.Filter{PausedOnly: true, Limit: 10})
	require.NoError(t, err)
	require.Len(t, page.Connections, 1)
	require.EqualValues(t, 1, page.Total)

	// A person's run that succeeds shows that the cause is gone.
	d.end(t, d.begin(t, d.scope, c), run.Ending{Outcome: run.Succeeded})
	require.Nil(t, d.connection(t, c).SchedulePause)
	require.Equal(t, 1, events(audit.ScheduleResumed))
	started, err = k.StartDue(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, started, "what was missed is made up for once")
}

// A start that is blocked by what all connections of a tenant or workspace share
// is no failure of this one.
func TestBlockedStartsCountUnlessTheyAreNotTheConnections(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	blocked := func(why operation.Code) int {
		d.schedule(t)
		found, err := d.runs.DueConnections(t.Context(), run.DueConnection{}, 10)
		require.NoError(t, err)
		require.Len(t, found, 1)
		a := admission(d.scope, c)
		next := found[0].Seen.Add(time.Hour)
		a.Initiator, a.Moves = run.BySchedule, &run.DueMove{Due: found[0].Due, Next: &next}
		_, err = d.runs.Block(t.Context(), a, why, accepted())
		require.NoError(t, err)
		return d.connection(t, c).ScheduleFailures
	}
	for _, shared := range []operation.Code{operation.IntegrationNotLicensed, operation.WorkspaceArchived, operation.ConnectionDisabled, operation.ConsentRequired} {
		require.Zero(t, blocked(shared), shared)
	}
	require.Equal(t, 1, blocked(operation.CredentialMissing))
	require.Equal(t, 2, blocked(operation.OperationNotSupported))
}

// Failures that end at the same moment pause once.
func TestFailuresAtOncePauseOnce(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	var all sync.WaitGroup
	for range 3 * connection.FailuresToPause {
		all.Go(func() {
			a := admission(d.scope, c)
			a.Initiator = run.BySchedule
			_, err := d.runs.Block(context.WithoutCancel(t.Context()), a, operation.CredentialMissing, accepted())
			require.NoError(t, err)
		})
	}
	all.Wait()
	require.Equal(t, 3*connection.FailuresToPause, d.connection(t, c).ScheduleFailures)
	require.Equal(t, 1, d.number(t, "select count(*) from audit_events where action = 'schedule_paused'"))
}
