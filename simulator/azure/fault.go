package azure

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"
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

// MaxDelay bounds how late slow answers come.
const MaxDelay = 10 * time.Minute

func (f Fault) validate() error {
	kinds := []string{FaultThrottle, FaultDeny, FaultSlow, FaultBroken, FaultExpire, FaultUnavailable, FaultStale, FaultSignIn}
	switch {
	case !slices.Contains(kinds, f.Kind):
		return fmt.Errorf("fault kind %q is none of %v", f.Kind, kinds)
	case f.Service != "" && f.Service != serviceLogin && f.Service != serviceGraph && f.Service != serviceARM:
		return fmt.Errorf("fault for unknown service %q", f.Service)
	case f.After < 0 || f.Every < 0 || f.Times < 0 || f.DelayMilliseconds < 0 || f.RetryAfterSeconds < 0:
		return fmt.Errorf("fault counts and delays are not negative")
	case time.Duration(f.DelayMilliseconds)*time.Millisecond > MaxDelay:
		return fmt.Errorf("fault delay is at most %s", MaxDelay)
	case (f.Kind == FaultSlow) != (f.DelayMilliseconds > 0):
		return fmt.Errorf("a delay belongs to the kind %q, which needs one", FaultSlow)
	case (f.Kind == FaultDeny) != (f.Permission != ""):
		return fmt.Errorf("a permission belongs to the kind %q, which needs one", FaultDeny)
	case (f.Kind == FaultSignIn) != (f.Code > 0):
		return fmt.Errorf("a code belongs to the kind %q, which needs one", FaultSignIn)
	}
	return nil
}

// faults are those in force.
type faults struct {
	mu    sync.Mutex
	next  int
	rules []*faultRule
	// used counts the calls by token.
	used map[string]int
}

type faultRule struct {
	Fault
	matched int
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

// denied reports whether a permission was taken away, everywhere or on a scope.
func (all *faults) denied(permission, on string) bool {
	all.mu.Lock()
	defer all.mu.Unlock()
	for _, rule := range all.rules {
		if rule.Kind == FaultDeny && rule.Permission == permission && (rule.On == "" || rule.On == on) {
			rule.Hits++
			return true
		}
	}
	return false
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
	all.mu.Lock()
	defer all.mu.Unlock()
	if c.token != "" {
		if all.used == nil {
			all.used = map[string]int{}
		}
		all.used[c.token]++
	}
	var effect faultEffect
	for _, rule := range all.rules {
		if !rule.hits(c, all.used[c.token]) {
			continue
		}
		switch rule.Kind {
		case FaultSlow:
			effect.delay += time.Duration(rule.DelayMilliseconds) * time.Millisecond
		case FaultBroken:
			effect.broken = true
		default:
			effect.kind, effect.code, effect.retryAfter = rule.Kind, rule.Code, max(rule.RetryAfterSeconds, 1)
		}
	}
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
	if count <= rule.After || rule.Times > 0 && rule.Hits >= rule.Times || rule.Every > 1 && (count-rule.After)%rule.Every != 0 {
		return false
	}
	rule.Hits++
	return true
}
