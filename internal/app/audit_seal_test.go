package app

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/auditlog"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
)

func anEvent() audit.Event {
	return audit.Event{Actor: audit.System("test"), Action: audit.ConnectionEdited, Outcome: audit.Succeeded, TargetType: "connection", TargetID: "conn_1"}
}

// Writers that commit out of order or not at all, sealers that work side by side
// and start anew: the log always verifies, and in the end it has every event once.
func TestAnUntouchedLogAlwaysVerifies(t *testing.T) {
	t.Parallel()
	b := newAuditBench(t)
	writing, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	var writers, sealers sync.WaitGroup
	for w := range 6 {
		writers.Go(func() {
			scope := []id.Scope{b.a, b.b}[w%2]
			for i := range 60 {
				// Some transactions stay open over others, some are rolled back.
				err := b.logs.InWorkspace(writing, scope.Workspace, func(tx pgx.Tx) error {
					_, err := tx.Exec(writing, `insert into audit_events (tenant_id, workspace_id, actor_kind, actor_id, action, outcome, target_type, target_id)
						select 1, $1, 'system', 'test', 'connection_edited', 'succeeded', 'connection', 'conn_1' from generate_series(1, $2)`, scope.Workspace, 1+i%3)
					if err == nil && i%7 == w {
						_, err = tx.Exec(writing, `select pg_sleep(0.03)`)
					}
					if err == nil && i%5 == 0 {
						return context.Canceled
					}
					return err
				})
				if i%5 != 0 && err != nil {
					t.Errorf("write: %v", err)
				}
			}
		})
	}
	sealing, stopSealing := context.WithCancel(t.Context())
	for range 2 {
		sealers.Go(func() {
			for sealing.Err() == nil {
				// A process that starts, seals a little and ends in the middle of something.
				brief, end := context.WithTimeout(sealing, 150*time.Millisecond)
				s := b.newSealer(t)
				s.Every = time.Millisecond
				if err := s.Run(brief); err != nil {
					t.Errorf("seal: %v", err)
				}
				end()
			}
		})
	}
	done := make(chan struct{})
	go func() {
		writers.Wait()
		close(done)
	}()
	verified := 0
	for running := true; running; verified++ {
		select {
		case <-done:
			running = false
		default:
		}
		b.requireVerifies(t)
	}
	stopSealing()
	sealers.Wait()
	b.seal(t)
	require.Contains(t, b.requireVerifies(t), "0 events wait")
	require.Positive(t, verified)
	var events, entries, numbers, waiting int
	require.NoError(t, b.super.QueryRow(t.Context(), `select count(*), count(l.entry), count(distinct (l.workspace_id, l.entry)), count(*) filter (where l.entry is null)
		from audit_events e left join audit_log_entries l using (workspace_id, event_id)`).Scan(&events, &entries, &numbers, &waiting))
	require.Greater(t, events, 400)
	require.Equal(t, events, entries)
	require.Equal(t, events, numbers)
	require.Zero(t, waiting)
}

// An event is not sealed while an older transaction could still bring one, and
// later both are, the older one first.
func TestTheSealerWaitsForOlderTransactions(t *testing.T) {
	t.Parallel()
	b := newAuditBench(t)
	b.seal(t)
	older, err := b.super.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = older.Rollback(context.WithoutCancel(t.Context())) }()
	_, err = older.Exec(t.Context(), `insert into audit_events (tenant_id, workspace_id, actor_kind, actor_id, action, outcome, target_type, target_id)
		values (1, $1, 'system', 'test', 'connection_edited', 'succeeded', 'connection', 'older')`, b.a.Workspace)
	require.NoError(t, err)
	younger := anEvent()
	younger.TargetID = "younger"
	require.NoError(t, b.logs.RecordEvent(t.Context(), b.a, younger))
	sealer := b.newSealer(t)
	registry := prometheus.NewRegistry()
	sealer.Observe, err = observeSealing(registry)
	require.NoError(t, err)
	n, err := sealer.Seal(t.Context())
	require.NoError(t, err)
	require.Zero(t, n)
	require.Contains(t, b.requireVerifies(t), "1 events wait")
	stalled := unsealedSeconds(t, registry)
	require.Positive(t, stalled, "the metric shows events that cannot be sealed yet")
	_, err = sealer.Seal(t.Context())
	require.NoError(t, err)
	require.Greater(t, unsealedSeconds(t, registry), stalled, "and grows with the stall")
	require.NoError(t, older.Commit(t.Context()))
	require.Equal(t, 2, b.seal(t))
	_, err = sealer.Seal(t.Context())
	require.NoError(t, err)
	require.Zero(t, unsealedSeconds(t, registry))
	found, err := b.logs.EntriesFrom(t.Context(), b.a, 0, 1000)
	require.NoError(t, err)
	require.Equal(t, "older", found[len(found)-2].Record.TargetID)
	require.Equal(t, "younger", found[len(found)-1].Record.TargetID)
	b.requireVerifies(t)
}

// unsealedSeconds is what the metric says.
func unsealedSeconds(t *testing.T, registry *prometheus.Registry) float64 {
	t.Helper()
	families, err := registry.Gather()
	require.NoError(t, err)
	require.Len(t, families, 1)
	require.Equal(t, "gatehouse_audit_unsealed_seconds", families[0].GetName())
	return families[0].GetMetric()[0].GetGauge().GetValue()
}

// A dump that is loaded into another server brings numbers of transactions that
// this one has not reached, or passed long ago.
func TestALogMovesToAnotherServer(t *testing.T) {
	t.Parallel()
	b := newAuditBench(t)
	b.record(t, b.a, 5)
	for range 3 {
		require.NoError(t, b.logs.RecordEvent(t.Context(), b.a, anEvent()))
	}
	b.tamper(t, `update audit_events e set transaction = (transaction::text::bigint + 1000000000)::text::xid8
		where not exists (select from audit_log_entries l where l.event_id = e.event_id)`)
	sealer := b.newSealer(t)
	sealer.Store = countedFurther{b.logs, b.a.Workspace}
	n, err := sealer.Seal(t.Context())
	require.NoError(t, err)
	require.Equal(t, 3, n, "sealed there, under a horizon that this server has not reached")
	b.arrive(t)

	// More than one batch waits, of both servers.
	_, err = b.super.Exec(t.Context(), `insert into audit_events (tenant_id, workspace_id, actor_kind, actor_id, action, outcome, target_type, target_id, transaction)
		select 1, $1, 'system', 'test', 'connection_edited', 'succeeded', 'connection', 'conn_1', (3000000000 + i)::text::xid8 from generate_series(1, 1500) i`, b.a.Workspace)
	require.NoError(t, err)
	for range 2 {
		require.NoError(t, b.logs.RecordEvent(t.Context(), b.a, anEvent()))
	}
	b.seal(t)
	require.Contains(t, b.requireVerifies(t), "0 events wait")
	require.NoError(t, b.logs.RecordEvent(t.Context(), b.a, anEvent()))
	b.seal(t)
	require.Contains(t, b.requireVerifies(t), "0 events wait")
}

// countedFurther is a server that counted further.
type countedFurther struct {
	*postgres.AuditLogs
	workspace id.Workspace
}

func (c countedFurther) SealableWorkspaces(ctx context.Context, _ int) ([]id.Workspace, error) {
	var unsealed int
	err := c.InWorkspace(ctx, c.workspace, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, `select (select count(*) from audit_events) - (select count(*) from audit_log_entries)`).Scan(&unsealed)
	})
	if err != nil || unsealed == 0 {
		return nil, err
	}
	return []id.Workspace{c.workspace}, nil
}

func (c countedFurther) ContinueLog(ctx context.Context, scope id.Scope, fn func(auditlog.Head, auditlog.Unsealed) (*auditlog.Batch, error)) error {
	return c.AuditLogs.ContinueLog(ctx, scope, func(h auditlog.Head, u auditlog.Unsealed) (*auditlog.Batch, error) {
		u.Snapshot.Min, u.Snapshot.Max = u.Snapshot.Min+2_000_000_000, u.Snapshot.Max+2_000_000_000
		read := u.Read
		u.Read = func(from uint64, _ bool, most int) ([]audit.Record, error) { return read(from, true, most) }
		return fn(h, u)
	})
}

// A sealer continues nothing that it did not sign itself, says what is wrong, and
// goes on with the other workspaces.
func TestTheSealerDoesNotContinueATamperedLog(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ statement, find string }{
		"entries cut off":      {`delete from audit_log_entries where workspace_id = $1 and entry > 3`, "it was tampered with"},
		"checkpoints cut off":  {`delete from audit_checkpoints where workspace_id = $1`, "entries and no checkpoint"},
		"a checkpoint changed": {`update audit_checkpoints set note = replace(note, 'number 1', 'number 2') where workspace_id = $1`, "was tampered with"},
		"hashes changed":       {`update audit_log_entries set hashes = decode(repeat('00', octet_length(hashes)), 'hex') where workspace_id = $1`, "are not those that were signed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newAuditBench(t)
			b.record(t, b.a, 6)
			b.tamper(t, c.statement, b.a.Workspace)
			require.NoError(t, b.logs.RecordEvent(t.Context(), b.a, anEvent()))
			require.NoError(t, b.logs.RecordEvent(t.Context(), b.b, anEvent()))
			b.settle(t)
			n, err := b.newSealer(t).Seal(t.Context())
			require.ErrorContains(t, err, c.find)
			require.Equal(t, 1, n, "the other workspace's")
		})
	}
}

// While a sealer runs it remembers how long each log was.
func TestTheSealerNoticesACutWhileItRuns(t *testing.T) {
	t.Parallel()
	b := newAuditBench(t)
	b.record(t, b.a, 3)
	sealer := b.newSealer(t)
	require.NoError(t, b.logs.RecordEvent(t.Context(), b.a, anEvent()))
	b.settle(t)
	n, err := sealer.Seal(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, n)
	b.tamper(t, `delete from audit_log_entries`)
	b.tamper(t, `delete from audit_checkpoints`)
	_, err = sealer.Seal(t.Context())
	require.ErrorContains(t, err, "its end was cut off")
}

// Whatever number of events lie between two looks, each is sealed once.
func TestBatchesOfEverySizeAreSealed(t *testing.T) {
	t.Parallel()
	b := newAuditBench(t)
	total := b.seal(t)
	for _, n := range []int{1, 999, 1000, 1001, 2001, 2} {
		_, err := b.super.Exec(t.Context(), `insert into audit_events (tenant_id, workspace_id, actor_kind, actor_id, action, outcome, target_type, target_id)
			select 1, $1, 'system', 'test', 'connection_edited', 'succeeded', 'connection', 'conn_1' from generate_series(1, $2)`, b.a.Workspace, n)
		require.NoError(t, err)
		require.Equal(t, n, b.seal(t))
		total += n
	}
	var entries int
	require.NoError(t, b.super.QueryRow(t.Context(), `select count(distinct event_id) from audit_log_entries`).Scan(&entries))
	require.Equal(t, total, entries)
	require.Contains(t, b.requireVerifies(t), "0 events wait")
}
