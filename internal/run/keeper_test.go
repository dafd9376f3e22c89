package run_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/licence"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// overdue is a store with work of which some fails.
type overdue struct {
	run.SweepStore
	run.AdmissionStore
	connection.Reader
	due []run.DueConnection
	// broken is the greatest id of a connection that cannot be found.
	broken   id.Connection
	mu       sync.Mutex
	moved    map[id.Connection]time.Time
	admitted []id.Connection
	blocked  []operation.Code
	licence  licence.Standing
}

var errBroken = errors.New("broken")

func (o *overdue) Sweep(context.Context, int) (int, []run.Ref, error) {
	return 1, []run.Ref{{Run: 1}, {Run: 2}, {Run: 3}}, errBroken
}

func (o *overdue) DueConnections(_ context.Context, after run.DueConnection, most int) ([]run.DueConnection, error) {
	rest := slices.DeleteFunc(slices.Clone(o.due), func(d run.DueConnection) bool { return d.Connection <= after.Connection })
	return rest[:min(most, len(rest))], nil
}

// move notes the due time that an admission moves on.
func (o *overdue) move(a run.Admission) error {
	if a.Moves == nil {
		return nil // nobody's schedule
	}
	if a.Connection == 4 {
		return run.ErrNotDue // another process was first
	}
	o.moved[a.Connection] = *a.Moves.Next
	return nil
}

func (o *overdue) Get(_ context.Context, scope id.Scope, c id.Connection) (connection.Connection, error) {
	conn := connection.Connection{
		ID: c, Scope: scope, Integration: "aws", Lifecycle: connection.Active, CredentialType: "access_key",
		Schedule: connection.Schedule{Type: connection.Hourly},
	}
	if len(o.due) > 0 {
		conn.NextRunAt = &o.due[0].Due
	}
	if c <= o.broken {
		return conn, errBroken
	}
	switch c {
	case 2:
		return conn, fault.New(fault.NotFound, "deleted")
	case 7:
		conn.NextRunAt = nil // another process was first
	case 8:
		conn.SchedulePause = &connection.Pause{Reason: operation.Throttled}
	case 5:
		conn.Lifecycle = connection.Disabled
	case 6:
		conn.Target = &connection.Target{ID: 9}
	}
	return conn, nil
}

func (o *overdue) Admit(_ context.Context, a run.Admission, _ audit.Event) (run.Admitted, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.move(a); err != nil {
		return run.Admitted{}, err
	}
	o.admitted = append(o.admitted, a.Connection)
	return run.Admitted{Status: run.Accepted, Run: run.Run{ID: 1}}, nil
}

func (o *overdue) Block(_ context.Context, a run.Admission, why operation.Code, _ audit.Event) (run.Run, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.blocked = append(o.blocked, why)
	return run.Run{ID: 2}, o.move(a)
}

func (o *overdue) Standing(context.Context) (licence.Standing, error) {
	if o.licence.State == "" {
		return licence.Standing{State: licence.BuiltIn}, nil
	}
	return o.licence, nil
}

// discovering is a connector that can be discovered and is never opened.
type discovering struct{ connector.Connector }

func (discovering) Manifest() connector.Manifest {
	empty := []byte(`{"type": "object", "additionalProperties": false, "properties": {}}`)
	return connector.Manifest{
		IntegrationID: "aws", ContractVersion: connector.ContractVersion, Configuration: empty, Scope: empty,
		Operations: []string{string(operation.DiscoveryRun)},
	}
}

func newKeeper(t *testing.T, o *overdue) *run.Keeper {
	t.Helper()
	catalog, err := integration.NewCatalog([]connector.Connector{discovering{}})
	require.NoError(t, err)
	return &run.Keeper{Store: o, Gate: &run.Gate{Connections: o, Catalog: catalog, Store: o, Licence: o}}
}

func TestSweepPublishesWhatItCan(t *testing.T) {
	t.Parallel()
	keeper := newKeeper(t, &overdue{})
	var published []id.Run
	keeper.Publish = func(_ context.Context, r run.Ref) error {
		if r.Run == 2 {
			return errors.New("queue is full")
		}
		published = append(published, r.Run)
		return nil
	}
	err := keeper.Sweep(t.Context())
	require.ErrorIs(t, err, errBroken)
	require.ErrorContains(t, err, "queue is full")
	require.Equal(t, []id.Run{1, 3}, published)
}

// One broken connection keeps no other from its schedule; one that was missed
// for days is started once and is due in the future.
func TestDueConnectionsAreStartedOnceEach(t *testing.T) {
	t.Parallel()
	o := &overdue{moved: map[id.Connection]time.Time{}, broken: 1}
	// The database's clock is what counts.
	begun := time.Date(2031, 3, 4, 5, 6, 7, 0, time.UTC)
	for c := range id.Connection(8) {
		o.due = append(o.due, run.DueConnection{Connection: c + 1, Due: begun.Add(-72 * time.Hour), Seen: begun})
	}
	started, err := newKeeper(t, o).StartDue(t.Context())
	require.ErrorIs(t, err, errBroken)
	require.Equal(t, 3, started)
	require.ElementsMatch(t, []id.Connection{3, 6}, o.admitted)
	require.Equal(t, []operation.Code{operation.ConnectionDisabled}, o.blocked, "switched off in between: recorded")
	require.Len(t, o.moved, 3)
	for c, next := range o.moved {
		require.True(t, next.After(begun) && next.Before(begun.Add(2*time.Hour)), "%s is due %s", c, next)
	}
}

// However many connections cannot be started, they are in nobody's way.
func TestDueConnectionsBehindManyBrokenOnesAreStarted(t *testing.T) {
	t.Parallel()
	o := &overdue{moved: map[id.Connection]time.Time{}, broken: 1000}
	for c := range id.Connection(1001) {
		o.due = append(o.due, run.DueConnection{Connection: c + 1, Due: time.Unix(1e9, 0), Seen: time.Unix(2e9, 0)})
	}
	started, err := newKeeper(t, o).StartDue(t.Context())
	require.ErrorIs(t, err, errBroken)
	require.Equal(t, 1, started)
	require.Equal(t, []id.Connection{1001}, o.admitted)
}
