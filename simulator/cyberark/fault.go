package cyberark

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/control"
)

// Kinds of faults.
const (
	FaultThrottle    = "throttle"    // 429 with Retry-After
	FaultDeny        = "deny"        // a right or a path of the scope is missing
	FaultSlow        = "slow"        // the answer comes late
	FaultBroken      = "broken"      // the answer is cut off and garbled
	FaultExpire      = "expire"      // each access token is expired after some calls
	FaultUnavailable = "unavailable" // 503
	FaultPage        = "page"        // the sign-in page instead of an answer
	FaultSignIn      = "sign_in"     // the token endpoint refuses, with Code and Text
)

// Fault makes calls go wrong. It counts the calls that match it, and hits those
// that After, Every and Times choose among them.
type Fault struct {
	ID   string `json:"id"` // given by the simulator
	Kind string `json:"kind"`
	// Operation is what the simulator calls it in its counts, such as
	// Roles/GetRoleMembers or token; empty matches any.
	Operation string `json:"operation,omitempty"`
	// Permission is what the kind deny takes away: an administrative right by its
	// name, or one of the scope's patterns.
	Permission string `json:"permission,omitempty"`
	// Status is what a path that the scope lacks is answered with: 403, or 401.
	Status int `json:"status,omitempty"`
	// Code is the OAuth error for the kind sign_in, and Text its description.
	Code string `json:"code,omitempty"`
	Text string `json:"text,omitempty"`
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
	kinds := []string{FaultThrottle, FaultDeny, FaultSlow, FaultBroken, FaultExpire, FaultUnavailable, FaultPage, FaultSignIn}
	switch {
	case !slices.Contains(kinds, f.Kind):
		return fmt.Errorf("fault kind %q is none of %v", f.Kind, kinds)
	case f.RetryAfterSeconds < 0:
		return fmt.Errorf("fault counts and delays are not negative")
	case (f.Kind == FaultSlow) != (f.DelayMilliseconds > 0):
		return fmt.Errorf("a delay belongs to the kind %q, which needs one", FaultSlow)
	case (f.Kind == FaultDeny) != (f.Permission != ""):
		return fmt.Errorf("a permission belongs to the kind %q, which needs one", FaultDeny)
	case f.Kind == FaultDeny && !slices.Contains(scope(), f.Permission) && rightPath(f.Permission) == "":
		return fmt.Errorf("permission %q is neither an administrative right nor one of the scope's patterns %v", f.Permission, scope())
	case f.Status != 0 && f.Status != http.StatusForbidden && f.Status != http.StatusUnauthorized:
		return fmt.Errorf("the status of a path that is denied is 403 or 401")
	case (f.Kind == FaultSignIn) != (f.Code != ""):
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

// denied returns the fault that takes a permission away.
func (all *faults) denied(permission string) (found Fault, ok bool) {
	all.Each(func(rule *faultRule) {
		if !ok && rule.Kind == FaultDeny && rule.Permission == permission {
			rule.Hits++
			found, ok = rule.Fault, true
		}
	})
	return found, ok
}

// faultEffect is what the faults do to one call.
type faultEffect struct {
	delay      time.Duration
	kind       string
	code, text string
	retryAfter int
	broken     bool
}

// on tells what happens to a call; used is how many its token has made.
func (all *faults) on(operation string, used int) faultEffect {
	var effect faultEffect
	all.Each(func(rule *faultRule) {
		if !rule.hits(operation, used) {
			return
		}
		switch rule.Kind {
		case FaultSlow:
			effect.delay += rule.schedule().Delay
		case FaultBroken:
			effect.broken = true
		default:
			effect.kind, effect.code, effect.text, effect.retryAfter = rule.Kind, rule.Code, rule.Text, max(rule.RetryAfterSeconds, 1)
		}
	})
	return effect
}

// opToken is the operation of a request for a token.
const opToken = "token"

func (rule *faultRule) hits(operation string, used int) bool {
	token := operation == opToken
	switch {
	case rule.Kind == FaultDeny, rule.Operation != "" && !strings.EqualFold(rule.Operation, operation):
		return false
	case rule.Operation == "" && (rule.Kind == FaultSignIn) != token:
		// Faults of no operation are the API's, and refusals to sign in the token
		// endpoint's.
		return false
	case rule.Kind == FaultExpire && token:
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
