package worker

import (
	"context"
	"math/rand/v2"
	"time"
)

// backoff is exponential waiting between a shortest and a longest time.
type backoff struct{ least, most time.Duration }

// claimBackoff is for claims.
func claimBackoff() backoff { return backoff{500 * time.Millisecond, 30 * time.Second} }

// callBackoff is for calls about a run, whose lease does not wait.
func callBackoff() backoff { return backoff{100 * time.Millisecond, 5 * time.Second} }

// providerBackoff is for a provider that did not say how long to wait.
func providerBackoff() backoff { return backoff{time.Second, 2 * time.Minute} }

// after returns how long to wait after that many earlier failures: doubled each
// time, with half of it random so that workers do not call in step.
func (b backoff) after(failures int) time.Duration {
	d := b.most
	if failures < 20 {
		d = min(b.most, b.least<<failures)
	}
	return d/2 + rand.N(d/2+1)
}

// pause waits; it reports false when the context ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
