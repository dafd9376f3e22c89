package postgres_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
)

// The total of a list is what there is, whatever was made, deleted and undone at
// the same time.
func TestTotalOfConnectionsIsWhatThereIs(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	total := func() int {
		page, err := p.connections.List(t.Context(), p.a, connection.Filter{Limit: 1})
		require.NoError(t, err)
		return int(page.Total)
	}
	require.Zero(t, total())
	var all sync.WaitGroup
	for client := range 6 {
		all.Go(func() {
			for i := range 10 {
				c := p.create(t, p.a, fmt.Sprintf("connection %d of %d", i, client))
				again, sealed := p.draft(t, p.a, c.Name)
				_, err := p.connections.Create(t.Context(), connection.Creation{Connection: again, Sealed: sealed}, event(audit.ConnectionCreated))
				require.Error(t, err, "the name is taken")
				if rand.N(2) == 0 {
					require.NoError(t, p.connections.Delete(t.Context(), p.a, c.ID, nil, event(audit.ConnectionDeleted)))
					require.Error(t, p.connections.Delete(t.Context(), p.a, c.ID, nil, event(audit.ConnectionDeleted)))
				}
			}
		})
	}
	all.Wait()
	require.Equal(t, p.count(t, "connections where deleted_at is null"), total())
	filtered, err := p.connections.List(t.Context(), p.a, connection.Filter{Integration: "aws", Limit: 1})
	require.NoError(t, err)
	require.EqualValues(t, total(), filtered.Total)
}
