package aws

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Kinds of faults.
const (
	FaultThrottle    = "throttle"    // the service's own throttling error
	FaultDeny        = "deny"        // the service's own refusal
	FaultSlow        = "slow"        // the answer comes late
	FaultBroken      = "broken"      // the answer is cut off and garbled
	FaultExpire      = "expire"      // a session is expired after some calls
	FaultUnavailable = "unavailable" // the service's own 5xx error
	FaultRate        = "rate"        // the throttling error above a rate
)

// Fault makes calls go wrong. It counts the calls that match it, and hits
// those that After, Every and Times choose among them.
type Fault struct {
	ID   string `json:"id"` // given by the simulator
	Kind string `json:"kind"`
	// Service, Operation and Account narrow down which calls match; empty
	// matches any. Services are named as in signatures: sts, iam,
	// organizations, sso, identitystore, s3, lambda.
	Service   string `json:"service,omitempty"`
	Operation string `json:"operation,omitempty"`
	Account   string `json:"account,omitempty"` // of the caller, twelve digits
	// After lets the first matching calls pass. For expire it counts the
	// calls of each session by itself.
	After int `json:"after,omitempty"`
	// Every hits each n-th of the calls that follow; 0 and 1 hit each.
	Every int `json:"every,omitempty"`
	// Times ends the fault after so many hits; 0 never ends it.
	Times int `json:"times,omitempty"`
	// DelayMilliseconds is how late slow answers come.
	DelayMilliseconds int `json:"delay_ms,omitempty"`
	// CallsPerSecond and Burst are the token bucket that each account has for each
	// service, for the kind rate.
	CallsPerSecond float64 `json:"calls_per_second,omitempty"`
	Burst          int     `json:"burst,omitempty"`
	// ControlPolicy makes a refusal say that a service control policy is
	// the reason.
	ControlPolicy bool `json:"control_policy,omitempty"`
	// Hits is how often the fault struck so far; given by the simulator.
	Hits int `json:"hits"`
}

// MaxDelay bounds how late slow answers come.
const MaxDelay = 10 * time.Minute

func (f Fault) validate() error {
	kinds := []string{FaultThrottle, FaultDeny, FaultSlow, FaultBroken, FaultExpire, FaultUnavailable, FaultRate}
	switch {
	case !slices.Contains(kinds, f.Kind):
		return fmt.Errorf("fault kind %q is none of %v", f.Kind, kinds)
	case f.Service != "" && services()[f.Service] == nil:
		return fmt.Errorf("fault for unknown service %q", f.Service)
	case f.After < 0 || f.Every < 0 || f.Times < 0 || f.DelayMilliseconds < 0:
		return fmt.Errorf("fault counts and delays are not negative")
	case f.delay() > MaxDelay:
		return fmt.Errorf("fault delay is at most %s", MaxDelay)
	case (f.Kind == FaultRate) != (f.CallsPerSecond > 0 && f.Burst > 0) || f.CallsPerSecond < 0 || f.Burst < 0:
		return fmt.Errorf("calls_per_second and burst belong to the kind %q, which needs both", FaultRate)
	case (f.Kind == FaultSlow) != (f.DelayMilliseconds > 0):
		return fmt.Errorf("a delay belongs to the kind %q, which needs one", FaultSlow)
	}
	return nil
}

func (f Fault) delay() time.Duration { return time.Duration(f.DelayMilliseconds) * time.Millisecond }

// faults are those in force.
type faults struct {
	mu    sync.Mutex
	next  int
	rules []*faultRule
}

type faultRule struct {
	Fault
	matched int
	limit   rateLimit
}

func (all *faults) add(f Fault) (Fault, error) {
	if err := f.validate(); err != nil {
		return Fault{}, err
	}
	all.mu.Lock()
	defer all.mu.Unlock()
	all.next++
	f.ID, f.Hits = "fault-"+strconv.Itoa(all.next), 0
	all.rules = append(all.rules, &faultRule{Fault: f})
	return f, nil
}

func (all *faults) list() []Fault {
	all.mu.Lock()
	defer all.mu.Unlock()
	list := make([]Fault, len(all.rules))
	for i, rule := range all.rules {
		list[i] = rule.Fault
	}
	return list
}

// remove ends one fault, or all when id is empty; it says whether any ended.
func (all *faults) remove(id string) bool {
	all.mu.Lock()
	defer all.mu.Unlock()
	before := len(all.rules)
	all.rules = slices.DeleteFunc(all.rules, func(rule *faultRule) bool { return id == "" || rule.ID == id })
	return len(all.rules) < before
}

// faultEffect is what the faults do to one call.
type faultEffect struct {
	delay   time.Duration
	failure *apiError
	broken  bool
}

func (all *faults) on(c *call) faultEffect {
	all.mu.Lock()
	defer all.mu.Unlock()
	var effect faultEffect
	for _, rule := range all.rules {
		if !rule.hits(c) {
			continue
		}
		switch rule.Kind {
		case FaultSlow:
			effect.delay += rule.delay()
		case FaultBroken:
			effect.broken = true
		case FaultThrottle, FaultRate:
			effect.failure = &c.service.throttled
		case FaultUnavailable:
			effect.failure = &c.service.unavailable
		case FaultExpire:
			effect.failure = &c.service.expiredToken
		case FaultDeny:
			reason := "because no identity-based policy allows the " + actionOf(c) + " action"
			if rule.ControlPolicy {
				reason = "with an explicit deny in a service control policy"
			}
			effect.failure = c.refused(actionOf(c), "*", reason)
		}
	}
	return effect
}

func (rule *faultRule) hits(c *call) bool {
	if rule.Service != "" && rule.Service != c.service.name || rule.Operation != "" && rule.Operation != c.operation ||
		rule.Account != "" && rule.Account != c.caller.account.ID {
		return false
	}
	if rule.Kind == FaultRate && !rule.limit.exceeded(c, rule.CallsPerSecond, rule.Burst) {
		return false
	}
	rule.matched++
	count := rule.matched
	if rule.Kind == FaultExpire {
		if c.caller.role == nil {
			return false
		}
		count = c.caller.calls
	}
	if count <= rule.After || rule.Times > 0 && rule.Hits >= rule.Times || rule.Every > 1 && (count-rule.After)%rule.Every != 0 {
		return false
	}
	rule.Hits++
	return true
}
