package worker

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/egress"
)

// patience is how long a run waits for its provider. One patience serves all
// partitions of a run, and any progress restores it: a provider that is down is
// waited for once, not once for every partition.
type patience struct {
	tries  int
	waited time.Duration
	// most bound both between two steps of progress.
	mostTries  int
	mostWaited time.Duration
}

// discoveryPatience outlasts a provider's rate-limit window or a short outage.
func discoveryPatience() patience { return patience{mostTries: 8, mostWaited: 15 * time.Minute} }

// testPatience is short: someone may be waiting for the answer.
func testPatience() patience { return patience{mostTries: 3, mostWaited: 30 * time.Second} }

// next returns how long to wait before the provider is asked again; ok is false
// when it should not be.
func (p *patience) next(failure *connector.Error) (wait time.Duration, ok bool) {
	if !mayPass(failure) || p.tries+1 >= p.mostTries {
		return 0, false
	}
	wait = providerBackoff().after(p.tries)
	if failure.RetryAfter > 0 {
		// Never earlier than asked, and not all workers at the same moment.
		wait = failure.RetryAfter + rand.N(time.Second)
	}
	if p.waited+wait > p.mostWaited {
		return 0, false
	}
	p.tries++
	p.waited += wait
	return wait, true
}

func (p *patience) progressed() { p.tries, p.waited = 0, 0 }

// mayPass reports whether the failure may go away by itself. An address that
// the operator's rules forbid stays forbidden.
func mayPass(failure *connector.Error) bool {
	var blocked *egress.BlockedError
	return failure.Retryable() && !errors.As(failure, &blocked)
}

// endsEverything reports whether no other partition can be read either, because
// it is the connection that failed and not one call.
func endsEverything(c connector.Category) bool {
	switch c {
	case connector.CredentialInvalid, connector.CredentialExpired, connector.ConsentRequired, connector.TargetMismatch:
		return true
	}
	return false
}

// await waits until the provider may be asked again. It reports false when it
// should not be, or when the work has ended meanwhile.
func (e *execution) await(p *patience, failure *connector.Error) bool {
	wait, ok := p.next(failure)
	if !ok {
		return false
	}
	e.log.InfoContext(e.work, "the provider will be asked again", slog.String("category", string(failure.Category)),
		slog.String("message", failure.Message), slog.Duration("wait", wait), slog.Int("try", p.tries+1))
	e.worker.metrics.waited.WithLabelValues(string(failure.Category)).Add(wait.Seconds())
	return pause(e.work, wait)
}
