package aws

import (
	"fmt"
	"slices"
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/control"
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

func (f Fault) validate() error {
	kinds := []string{FaultThrottle, FaultDeny, FaultSlow, FaultBroken, FaultExpire, FaultUnavailable, FaultRate}
	switch {
	case !slices.Contains(kinds, f.Kind):
		return fmt.Errorf("fault kind %q is none of %v", f.Kind, kinds)
	case f.Service != "" && services()[f.Service] == nil:
		return fmt.Errorf("fault for unknown service %q", f.Service)
	case (f.Kind == FaultRate) != (f.CallsPerSecond > 0 && f.Burst > 0) || f.CallsPerSecond < 0 || f.Burst < 0:
		return fmt.Errorf("calls_per_second and burst belong to the kind %q, which needs both", FaultRate)
	case (f.Kind == FaultSlow) != (f.DelayMilliseconds > 0):
		return fmt.Errorf("a delay belongs to the kind %q, which needs one", FaultSlow)
	}
	return f.schedule().Validate()
}

func (f Fault) schedule() control.Schedule {
	return control.Schedule{After: f.After, Every: f.Every, Times: f.Times, Delay: time.Duration(f.DelayMilliseconds) * time.Millisecond}
}

// faults are those in force.
type faults struct {
	control.Faults[faultRule]
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
	all.Add(func(id string) *faultRule {
		f.ID, f.Hits = id, 0
		return &faultRule{Fault: f}
	})
	return f, nil
}

func (all *faults) list() []Fault {
	list := []Fault{}
	all.Each(func(rule *faultRule) { list = append(list, rule.Fault) })
	return list
}

// faultEffect is what the faults do to one call.
type faultEffect struct {
	delay   time.Duration
	failure *apiError
	broken  bool
}

func (all *faults) on(c *call) faultEffect {
	var effect faultEffect
	all.Each(func(rule *faultRule) {
		if !rule.hits(c) {
			return
		}
		switch rule.Kind {
		case FaultSlow:
			effect.delay += rule.schedule().Delay
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
	})
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
	if !rule.schedule().Hits(count, rule.Hits) {
		return false
	}
	rule.Hits++
	return true
}
