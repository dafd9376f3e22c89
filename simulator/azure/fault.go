package azure

import (
	"fmt"
	"slices"
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/control"
)

// Kinds of faults.
const (
	FaultThrottle    = "throttle"    // 429 with Retry-After
	FaultDeny        = "deny"        // a permission is not granted
	FaultSlow        = "slow"        // the answer comes late
	FaultBroken      = "broken"      // the answer is cut off and garbled
	FaultExpire      = "expire"      // each access token is expired after some calls
	FaultUnavailable = "unavailable" // 503
	FaultStale       = "stale_page"  // the token of a next page has expired
	FaultSignIn      = "sign_in"     // the token endpoint refuses, with Code
)

// Fault makes calls go wrong. It counts the calls that match it, and hits those
// that After, Every and Times choose among them.
type Fault struct {
	ID   string `json:"id"` // given by the simulator
	Kind string `json:"kind"`
	// Service is login, graph or arm, and Operation what the simulator calls it in
	// its counts, such as groups/members; empty matches any.
	Service   string `json:"service,omitempty"`
	Operation string `json:"operation,omitempty"`
	// Permission is what the kind deny takes away: an application permission of
	// Graph or an action of Resource Manager.
	Permission string `json:"permission,omitempty"`
	// On narrows deny down to a scope of Resource Manager.
	On string `json:"on,omitempty"`
	// Code is the number of the AADSTS error for the kind sign_in.
	Code int `json:"code,omitempty"`
	// After lets the first matching calls pass. For expire it counts the calls of
	// each token by itself.
	After int `json:"after,omitempty"`
	// Every hits each n-th of the calls that follow; 0 and 1 hit each.
	Every int `json:"every,omitempty"`
	// Times ends the fault after so many hits; 0 never ends it.
	Times int `json:"times,omitempty"`
	// DelayMilliseconds is how late slow answers come.
	DelayMilliseconds int `json:"delay_ms,omitempty"`
	// RetryAfterSeconds is what throttled answers ask to wait; 0 stands for 1.
	RetryAfterSeconds int `json:"retry_after_seconds,omitempty"`
	// Hits is how often the fault struck so far; given by the simulator.
	Hits int `json:"hits"`
}

func (f Fault) validate() error {
	kinds := []string{FaultThrottle, FaultDeny, FaultSlow, FaultBroken, FaultExpire, FaultUnavailable, FaultStale, FaultSignIn}
	switch {
	case !slices.Contains(kinds, f.Kind):
		return fmt.Errorf("fault kind %q is none of %v", f.Kind, kinds)
	case f.Service != "" && f.Service != serviceLogin && f.Service != serviceGraph && f.Service != serviceARM:
		return fmt.Errorf("fault for unknown service %q", f.Service)
	case f.RetryAfterSeconds < 0:
		return fmt.Errorf("fault counts and delays are not negative")
	case (f.Kind == FaultSlow) != (f.DelayMilliseconds > 0):
		return fmt.Errorf("a delay belongs to the kind %q, which needs one", FaultSlow)
	case (f.Kind == FaultDeny) != (f.Permission != ""):
		return fmt.Errorf("a permission belongs to the kind %q, which needs one", FaultDeny)
	case (f.Kind == FaultSignIn) != (f.Code > 0):
		return fmt.Errorf("a code belongs to the kind %q, which needs one", FaultSignIn)
	}
	return f.schedule().Validate()
}

func (f Fault) schedule() control.Schedule {
	return control.Schedule{After: f.After, Every: f.Every, Times: f.Times, Delay: time.Duration(f.DelayMilliseconds) * time.Millisecond}
}

// faults are those in force.
type faults struct {
	control.Faults[faultRule]
	// used counts the calls by token.
	used control.Counter
}

type faultRule struct {
	Fault
	matched int
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

// denied reports whether a permission was taken away, everywhere or on a scope.
func (all *faults) denied(permission, on string) bool {
	found := false
	all.Each(func(rule *faultRule) {
		if !found && rule.Kind == FaultDeny && rule.Permission == permission && (rule.On == "" || rule.On == on) {
			rule.Hits++
			found = true
		}
	})
	return found
}

// call is what a fault may match.
type call struct {
	service, operation, token string
	// paged calls carry the token of a next page.
	paged bool
}

// faultEffect is what the faults do to one call.
type faultEffect struct {
	delay      time.Duration
	kind       string
	code       int
	retryAfter int
	broken     bool
}

func (all *faults) on(c call) faultEffect {
	used := 0
	if c.token != "" {
		used = all.used.Add(c.token)
	}
	var effect faultEffect
	all.Each(func(rule *faultRule) {
		if !rule.hits(c, used) {
			return
		}
		switch rule.Kind {
		case FaultSlow:
			effect.delay += rule.schedule().Delay
		case FaultBroken:
			effect.broken = true
		default:
			effect.kind, effect.code, effect.retryAfter = rule.Kind, rule.Code, max(rule.RetryAfterSeconds, 1)
		}
	})
	return effect
}

func (rule *faultRule) hits(c call, used int) bool {
	if rule.Kind == FaultDeny || rule.Service != "" && rule.Service != c.service || rule.Operation != "" && rule.Operation != c.operation ||
		rule.Kind == FaultStale && !c.paged || (rule.Kind == FaultSignIn) != (c.service == serviceLogin) && rule.Service == "" {
		return false
	}
	rule.matched++
	count := rule.matched
	if rule.Kind == FaultExpire {
		count = used
	}
	if !rule.schedule().Hits(count, rule.Hits) {
		return false
	}
	rule.Hits++
	return true
}
