package connector

import (
	"context"
	"fmt"
	"regexp"
	"time"
)

// ThrottleScope is one thing that the provider limits calls by. All workers of a
// tenant share one budget for each key of it.
type ThrottleScope struct {
	// Name is a lower-case word of letters, digits and underscores, such as "iam".
	Name string `json:"name"`
	// Description says in a few words which calls count.
	Description string `json:"description"`
	// Key lists what tells one budget from another, such as account and region.
	Key []string `json:"key"`
	// Limit is how much a budget allows, unless the operator says otherwise. It
	// should leave the organisation's other programs room.
	Limit ThrottleLimit `json:"limit"`
}

// ThrottleLimit is a token bucket. In any time t at most Burst + Calls·t/PerSeconds
// calls are allowed. For a provider that counts n calls by a window, of a minute
// or a day, Burst and Calls together are at most n, with PerSeconds the window.
type ThrottleLimit struct {
	Calls      int `json:"calls"`
	PerSeconds int `json:"per_seconds"`
	// Burst is how many calls may be made at once after a pause.
	Burst int `json:"burst"`
	// Concurrent is how many calls may be under way at once, zero for any number.
	Concurrent int `json:"concurrent,omitempty"`
}

// Rate returns how many calls a second are allowed in the long run.
func (l ThrottleLimit) Rate() float64 { return float64(l.Calls) / float64(l.PerSeconds) }

// Limits of throttle scopes.
const (
	MaxThrottleKeys     = 8
	MaxThrottleCalls    = 1_000_000
	MaxThrottleBurst    = 1_000_000
	MaxThrottlePeriod   = 31 * 24 * time.Hour
	maxThrottleParallel = 1000
)

// Validate says what is wrong with a limit.
func (l ThrottleLimit) Validate() error {
	switch {
	case l.Calls < 1 || l.Calls > MaxThrottleCalls:
		return fmt.Errorf("calls must be 1 to %d", MaxThrottleCalls)
	case l.PerSeconds < 1 || l.PerSeconds > int(MaxThrottlePeriod/time.Second):
		return fmt.Errorf("per_seconds must be 1 to %d", int(MaxThrottlePeriod/time.Second))
	case l.Burst < 1 || l.Burst > MaxThrottleBurst:
		return fmt.Errorf("burst must be 1 to %d", MaxThrottleBurst)
	case l.Concurrent < 0 || l.Concurrent > maxThrottleParallel:
		return fmt.Errorf("concurrent must be 0, for any number, to %d", maxThrottleParallel)
	}
	return nil
}

var throttleName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

// Validate says what is wrong with a scope.
func (s ThrottleScope) Validate() error {
	if !throttleName.MatchString(s.Name) {
		return fmt.Errorf("throttle scope %q: the name is not a lower-case word", clip(s.Name))
	}
	if s.Description == "" {
		return fmt.Errorf("throttle scope %s: it has no description", s.Name)
	}
	if len(s.Key) == 0 || len(s.Key) > MaxThrottleKeys {
		return fmt.Errorf("throttle scope %s: the key has %d parts, not 1 to %d", s.Name, len(s.Key), MaxThrottleKeys)
	}
	if err := s.Limit.Validate(); err != nil {
		return fmt.Errorf("throttle scope %s: %w", s.Name, err)
	}
	return nil
}

// ThrottleScope returns the scope with that name; ok is false when there is none.
func (m Manifest) ThrottleScope(name string) (s ThrottleScope, ok bool) {
	for _, s := range m.ThrottleScopes {
		if s.Name == name {
			return s, true
		}
	}
	return ThrottleScope{}, false
}

// Use is what a call takes from one budget.
type Use struct {
	// Scope is the name of a scope of the manifest, and Key a value for each part
	// of its key, in order. Keys come from what the provider said, never from
	// what somebody entered: whoever enters another organisation's name must not
	// get at its budget.
	Scope string
	Key   []string
	// Calls is what the call counts for, where the provider weighs calls; zero
	// means 1. It is at most the limit's burst.
	Calls int
}

// Cost returns what the call counts for, at least 1.
func (u Use) Cost() int { return max(u.Calls, 1) }

// Budget gives leave to call the provider. All workers of a tenant share what it
// gives out. It is safe for concurrent use.
type Budget interface {
	// Take waits until a call with these uses may be made, and takes them. The
	// call is then made at once, and release, which is safe to call twice, called
	// when it has been answered or given up. The error is the context's, or an
	// [*Error] of category Throttled with RetryAfter when the wait would be longer
	// than the run should wait; the session returns it as if the provider had said
	// so.
	Take(ctx context.Context, uses ...Use) (release func(), err error)
	// Throttled tells that the provider refused a call because of its rate, and
	// how long it asked to wait; zero when it did not say. Everybody's next calls
	// are then later and slower. Uses are those whose limit was met.
	Throttled(ctx context.Context, retryAfter time.Duration, uses ...Use)
}

// Unlimited is the [Budget] for when nobody counts.
type Unlimited struct{}

var _ Budget = Unlimited{}

// Take allows every call that has not been given up.
func (Unlimited) Take(ctx context.Context, _ ...Use) (release func(), err error) {
	return func() {}, ctx.Err()
}

// Throttled does nothing.
func (Unlimited) Throttled(context.Context, time.Duration, ...Use) {}
