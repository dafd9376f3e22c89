package webhook

import (
	"math/rand/v2"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Status is how far a delivery has come.
type Status string

// The statuses.
const (
	Pending   Status = "pending"
	Succeeded Status = "succeeded"
	Failed    Status = "failed"
)

// Delivery is one event on its way to one endpoint.
type Delivery struct {
	ID      id.Delivery
	Webhook id.Webhook
	Event   Event
	Status  Status
	// Attempts counts all of them, those before a replay too.
	Attempts int
	// NextAttemptAt is nil once the delivery has succeeded or failed.
	NextAttemptAt *time.Time
	LastAttemptAt *time.Time
	// LastStatus is what the endpoint answered last; 0 when it did not answer.
	LastStatus int
	// Problem says in our words why the last attempt failed; empty after a
	// success. What the endpoint said is not in it.
	Problem     string
	CreatedAt   time.Time
	CompletedAt *time.Time
}

// Figures of deliveries.
const (
	// AttemptTimeout bounds one attempt, from looking the name up to the last
	// byte of the answer that is read.
	AttemptTimeout = 15 * time.Second
	// ClaimFor is how long a process has a delivery in hand. What it does not end
	// in that time is tried again.
	ClaimFor = time.Minute
	// DisableAfter is how long nothing but failures switches an endpoint off, if
	// there were at least disableFailures of them.
	DisableAfter    = 5 * 24 * time.Hour
	disableFailures = 10
	// KeptFor is how long events and their deliveries stay.
	KeptFor = 30 * 24 * time.Hour
	// FormerSecretFor is how long a secret is signed with after its rotation.
	FormerSecretFor = 24 * time.Hour
	// longestWait bounds what an endpoint may ask for by Retry-After.
	longestWait = 24 * time.Hour
)

// schedule is the pauses before the attempts after the first, as Standard Webhooks
// recommends them: the last is made three days and three hours after the event.
func schedule() []time.Duration {
	return []time.Duration{
		5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
	}
}

// pauseAfter returns how long to wait after so many failed attempts; ok is false
// when there is no further one. The pause is up to a tenth longer than scheduled,
// so that what failed together does not come together again.
func pauseAfter(failed int, retryAfter time.Duration) (pause time.Duration, ok bool) {
	pauses := schedule()
	if failed < 1 || failed > len(pauses) {
		return 0, false
	}
	pause = pauses[failed-1]
	pause += rand.N(pause/10 + 1)
	return max(pause, min(retryAfter, longestWait)), true
}

// Disables returns why an endpoint is switched off after an attempt that failed,
// if it is: failures counts those in a row, and long says that the first of them
// is DisableAfter ago.
func Disables(end Ending, failures int, long bool) (why DisabledReason, ok bool) {
	switch {
	case end.Gone:
		return Gone, true
	case long && failures >= disableFailures:
		return Failing, true
	}
	return "", false
}
