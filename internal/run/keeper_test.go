package run_test

import (
	"context"
	"errors"
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
	due      []run.DueConnection
	moved    map[id.Connection]time.Time
	admitted []id.Connection
	blocked  []operation.Code
	licence  licence.Standing
}

var errBroken = errors.New("broken")

func (o *overdue) Sweep(context.Context, int) (int, []run.Ref, error) {
	return 1, []run.Ref{{Run: 1}, {Run: 2}, {Run: 3}}, errBroken
}

func (o *overdue) DueConnections(context.Context, int) ([]run.DueConnection, error) {
	return o.due, nil
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
	switch c {
	case 1:
		return conn, errBroken
	case 2:
		return conn, fault.New(fault.NotFound, "deleted")
	case 5:
		conn.Lifecycle = connection.Disabled
	case 6:
		conn.Target = &connection.Target{ID: 9}
	}
	return conn, nil
}

func (o *overdue) Admit(_ context.Context, a run.Admission, _ audit.Event) (run.Admitted, error) {
	if err := o.move(a); err != nil {
		return run.Admitted{}, err
	}
	o.admitted = append(o.admitted, a.Connection)
	return run.Admitted{Status: run.Accepted, Run: run.Run{ID: 1}}, nil
}

func (o *overdue) Block(_ context.Context, a run.Admission, why operation.Code, _ audit.Event) (run.Run, error) {
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
	o := &overdue{moved: map[id.Connection]time.Time{}}
	missed := time.Now().Add(-72 * time.Hour)
	for c := range id.Connection(6) {
		o.due = append(o.due, run.DueConnection{Connection: c + 1, Due: missed})
	}
	begun := time.Now()
	started, err := newKeeper(t, o).StartDue(t.Context())
	require.ErrorIs(t, err, errBroken)
	require.Equal(t, 3, started)
	require.Equal(t, []id.Connection{3, 6}, o.admitted)
	require.Equal(t, []operation.Code{operation.ConnectionDisabled}, o.blocked, "switched off in between: recorded")
	require.Len(t, o.moved, 3)
	for c, next := range o.moved {
		require.True(t, next.After(begun), "%s is due %s", c, next)
	}
}
