package shares

import (
	"iter"
	"runtime"
	"sync"
)

// most is into how many shares work is divided at most, fewest how many items
// are worth a goroutine.
const (
	most   = 4
	fewest = 64
)

// turn is after how many items a share lets others have the processor. Go takes it
// from a goroutine only after ten milliseconds, and whoever asks a question
// meanwhile would wait that long for each of its answers from the database.
const turn = 32

// Each calls fn for shares that together are 0…n−1, each in ascending order, at
// the same time, and returns the error of the lowest share that failed. When fn
// stops at its first error, that is the error of the lowest item.
func Each(n int, fn func(items iter.Seq[int]) error) error {
	shares := min(most, runtime.GOMAXPROCS(0), n/fewest+1)
	failed := make([]error, shares)
	var wait sync.WaitGroup
	for share := range shares {
		wait.Go(func() { failed[share] = fn(items(n*share/shares, n*(share+1)/shares)) })
	}
	wait.Wait()
	for _, err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
}

// items are first…end−1, with a pause for others after each turn.
func items(first, end int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := first; i < end; i++ {
			if !yield(i) {
				return
			}
			if (i-first)%turn == turn-1 {
				runtime.Gosched()
			}
		}
	}
}
