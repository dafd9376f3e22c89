package graph

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

func TestABatchWaitsForTheOneBeforeIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var all turns
		mine, other := run.Fence{Run: id.Run(1)}, run.Fence{Run: id.Run(2)}
		waitFirst, endFirst := all.enter(mine, 7)
		waitNext, endNext := all.enter(mine, 8)
		waitOther, endOther := all.enter(other, 8)
		require.NoError(t, waitFirst(t.Context()), "nothing is before it")
		require.NoError(t, waitOther(t.Context()), "the batch before it is of another run")
		endOther()
		passed := false
		go func() {
			defer endNext()
			if waitNext(t.Context()) == nil {
				passed = true
			}
		}()
		synctest.Wait()
		require.False(t, passed)
		endFirst()
		synctest.Wait()
		require.True(t, passed)
		require.Empty(t, all.taken)
	})
}

func TestABatchThatComesAgainHasItsOwnTurn(t *testing.T) {
	t.Parallel()
	var all turns
	f := run.Fence{Run: id.Run(1)}
	_, endFirst := all.enter(f, 0)
	_, endAgain := all.enter(f, 0)
	wait, end := all.enter(f, 1)
	endFirst()
	gone, cancel := context.WithCancelCause(t.Context())
	why := errors.New("the worker has gone")
	cancel(why)
	require.ErrorIs(t, wait(gone), why, "the second sending is at work still")
	endAgain()
	require.NoError(t, wait(t.Context()))
	end()
	require.Empty(t, all.taken)
}
