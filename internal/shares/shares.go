package shares

import (
	"runtime"
	"sync"
)

// most is into how many shares work is divided at most, fewest how many items
// are worth a goroutine.
const (
	most   = 4
	fewest = 64
)

// Each calls fn for ranges first…end−1 that together are 0…n−1, at the same time,
// and returns the error of the lowest range that failed. When fn stops at its
// first error, that is the error of the lowest item.
func Each(n int, fn func(first, end int) error) error {
	shares := min(most, runtime.GOMAXPROCS(0), n/fewest+1)
	failed := make([]error, shares)
	var wait sync.WaitGroup
	for share := range shares {
		wait.Go(func() { failed[share] = fn(n*share/shares, n*(share+1)/shares) })
	}
	wait.Wait()
	for _, err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
}
