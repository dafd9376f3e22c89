package shares_test

import (
	"fmt"
	"iter"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/internal/shares"
)

func TestEveryItemOnceAndTheLowestError(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 1000).Draw(t, "n")
		bad := rapid.SliceOfNDistinct(rapid.IntRange(0, max(n-1, 0)), 0, min(n, 3), rapid.ID).Draw(t, "bad")
		lowest := -1
		isBad := map[int]bool{}
		for _, i := range bad {
			isBad[i] = true
			if lowest < 0 || i < lowest {
				lowest = i
			}
		}
		seen := make([]atomic.Int32, n)
		err := shares.Each(n, func(items iter.Seq[int]) error {
			for i := range items {
				seen[i].Add(1)
				if isBad[i] {
					return fmt.Errorf("item %d", i)
				}
			}
			return nil
		})
		if lowest >= 0 {
			require.EqualError(t, err, fmt.Sprintf("item %d", lowest))
			return
		}
		require.NoError(t, err)
		for i := range seen {
			require.EqualValues(t, 1, seen[i].Load(), "item %d", i)
		}
	})
}
