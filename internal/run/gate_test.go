package run_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// A connection and a target that do not belong together start nothing: neither
// on the connection, which is not what the target says, nor as a run of a target
// that may not exist.
func TestConnectionAndTargetBelongTogether(t *testing.T) {
	t.Parallel()
	const reaching, unknown id.Connection = 6, 7
	for _, test := range []struct {
		connection id.Connection
		target     id.Target
		fits       bool
	}{{reaching, 9, true}, {reaching, 0, true}, {reaching, 8, false}, {unknown, 0, true}, {unknown, 9, false}} {
		store := &overdue{moved: map[id.Connection]time.Time{}}
		keeper := newKeeper(t, store)
		_, err := keeper.Gate.Start(t.Context(), workspace.Caller{Scope: id.Scope{Tenant: 1, Workspace: 1}, Member: 1, Role: workspace.ConnectorBuilder},
			run.StartRequest{Operation: operation.DiscoveryRun, Connection: test.connection, Target: test.target})
		if test.fits {
			require.NoError(t, err)
			require.Equal(t, []id.Connection{test.connection}, store.admitted)
			continue
		}
		require.Equal(t, fault.Invalid, fault.KindOf(err), "%v", err)
		f, _ := fault.As(err)
		require.Equal(t, "target_id", f.Fields[0].Path)
		require.Empty(t, store.admitted)
	}
}
