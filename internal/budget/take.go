package budget

import (
	"context"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// GoodFor is how long tokens may be used once they were given. What a provider
// sees in a time t is what was given in t + GoodFor.
const GoodFor = 5 * time.Second

// MaxChunk bounds what is given at once, and with it what is lost with a worker.
const MaxChunk = 256

// MaxPause bounds for how long a provider's Retry-After stops everybody's calls.
const MaxPause = 24 * time.Hour

// Ask is what the holder of a run wants of one budget, and tells of it.
type Ask struct {
	Integration integration.ID
	Scope       string
	Key         []string
	// Want is how many tokens it would like, and Least how many it can make use
	// of; zero Want only tells.
	Want, Least int
	// Chunk is the number of the chunk it was given last, and Unused how many
	// tokens of it it has not used and never will.
	Chunk  int64
	Unused int
	// Leaves says that it will not ask again soon.
	Leaves bool
	// Throttled says that the provider refused a call because of its rate, and
	// RetryAfter how long it asked to wait, zero when it did not say.
	Throttled  bool
	RetryAfter time.Duration
}

// Grant is what the holder of a run gets.
type Grant struct {
	// Tokens are good for [GoodFor], from when they were asked for.
	Tokens int
	// Chunk is the number of what was given.
	Chunk int64
	// Wait is when to ask again if there are no tokens.
	Wait time.Duration
	// Paused says that the wait is the provider's wish.
	Paused bool
}

// Book gives out what is in the budgets.
type Book interface {
	// Take does what [Service.Take] says, in one statement, with the limit that
	// the tenant's administrators set or else the declared one. The error is Stale
	// when the run is not held by the fence, or is another integration's.
	Take(ctx context.Context, f run.Fence, k Key, declared connector.ThrottleLimit, a Ask) (Grant, error)
}

// Take gives whoever holds the run tokens of a budget: in any time t no more than
// the limit's burst and what its rate makes of t, to everybody together. When less
// is there than is wanted, those who ask get equal parts of it.
func (s *Service) Take(ctx context.Context, f run.Fence, a Ask) (Grant, error) {
	entry, err := s.Catalog.Get(a.Integration)
	if err != nil {
		return Grant{}, fault.InvalidField("integration_id", "is not in the catalog of this service; update the services before the workers")
	}
	declared, ok := entry.ThrottleScope(a.Scope)
	switch {
	case !ok:
		return Grant{}, fault.InvalidField("scope", "is no throttle scope of the integration %s", a.Integration)
	case len(a.Key) != len(declared.Key):
		return Grant{}, fault.InvalidField("key", "must have %d parts", len(declared.Key))
	case a.Want < 0 || a.Want > MaxChunk || a.Least > max(a.Want, 0):
		return Grant{}, fault.InvalidField("want", "must be 0 to %d, and not below least", MaxChunk)
	}
	a.RetryAfter = min(max(a.RetryAfter, 0), MaxPause)
	return s.Store.Take(ctx, f, Key{Integration: a.Integration, Scope: a.Scope, Parts: a.Key}, declared.Limit, a)
}
