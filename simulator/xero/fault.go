package xero

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/control"
)

// Kinds of faults.
const (
	FaultThrottle    = "throttle"    // 429 with Retry-After and X-Rate-Limit-Problem
	FaultDeny        = "deny"        // the sign-in lacks the scope Permission
	FaultSlow        = "slow"        // the answer comes late
	FaultBroken      = "broken"      // the answer is cut off
	FaultExpire      = "expire"      // each access token is expired after some calls
	FaultUnavailable = "unavailable" // 503
	FaultDisconnect  = "disconnect"  // the organisation is not connected any more
)

// Fault makes calls go wrong. It counts the calls that match it, and hits those that
// After, Every and Times choose among them.
type Fault struct {
	ID   string `json:"id"` // given by the simulator
	Kind string `json:"kind"`
	// Operation is what the simulator calls it in its counts, such as api:Users; empty
	// matches all but the token endpoint.
	Operation  string `json:"operation,omitempty"`
	Permission string `json:"permission,omitempty"`
	After      int    `json:"after,omitempty"`
	Every      int    `json:"every,omitempty"`
	Times      int    `json:"times,omitempty"`
	// Problem is the limit that throttled answers name; empty stands for minute.
	Problem           string `json:"problem,omitempty"`
	DelayMilliseconds int    `json:"delay_ms,omitempty"`
	RetryAfterSeconds int    `json:"retry_after_seconds,omitempty"`
	Hits              int    `json:"hits"`
}

func (f Fault) validate() error {
	kinds := []string{FaultThrottle, FaultDeny, FaultSlow, FaultBroken, FaultExpire, FaultUnavailable, FaultDisconnect}
	switch {
	case !slices.Contains(kinds, f.Kind):
		return fmt.Errorf("fault kind %q is none of %v", f.Kind, kinds)
	case (f.Kind == FaultSlow) != (f.DelayMilliseconds > 0):
		return fmt.Errorf("a delay belongs to the kind %q, which needs one", FaultSlow)
	case (f.Kind == FaultDeny) != (f.Permission != ""):
		return fmt.Errorf("a permission belongs to the kind %q, which needs one", FaultDeny)
	case f.RetryAfterSeconds < 0:
		return errors.New("fault counts and delays are not negative")
	}
	return f.schedule().Validate()
}

func (f Fault) schedule() control.Schedule {
	return control.Schedule{After: f.After, Every: f.Every, Times: f.Times, Delay: time.Duration(f.DelayMilliseconds) * time.Millisecond}
}

// faults are those in force.
type faults struct {
	control.Faults[faultRule]
	used control.Counter // calls by access token
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

func (all *faults) denied(permission string) (denied bool) {
	all.Each(func(rule *faultRule) {
		if rule.Kind == FaultDeny && rule.Permission == permission {
			rule.Hits++
			denied = true
		}
	})
	return denied
}

// on returns the faults that hit a call.
func (all *faults) on(operation, token string) (hit []Fault) {
	used := 0
	if token != "" {
		used = all.used.Add(token)
	}
	all.Each(func(rule *faultRule) {
		if rule.Kind == FaultDeny || rule.Operation != "" && rule.Operation != operation || rule.Operation == "" && operation == opToken {
			return
		}
		rule.matched++
		count := rule.matched
		if rule.Kind == FaultExpire {
			count = used
		}
		if rule.schedule().Hits(count, rule.Hits) {
			rule.Hits++
			hit = append(hit, rule.Fault)
		}
	})
	return hit
}

// struck answers a call that a fault hits, and says whether it did.
func (s *Simulator) struck(w http.ResponseWriter, r *http.Request, operation, token string) bool {
	for _, f := range s.faults.on(operation, token) {
		switch f.Kind {
		case FaultSlow:
			timer := time.NewTimer(f.schedule().Delay)
			select {
			case <-timer.C:
			case <-r.Context().Done():
				timer.Stop()
				return true
			}
		case FaultThrottle:
			s.throttle(w, f.Problem, max(f.RetryAfterSeconds, 1))
			return true
		case FaultExpire:
			refuse(w, http.StatusUnauthorized, "Unauthorized", "TokenExpired: token expired")
			return true
		case FaultUnavailable:
			refuse(w, http.StatusServiceUnavailable, "Service Unavailable", "The organisation is offline")
			return true
		case FaultDisconnect:
			refuse(w, http.StatusForbidden, "Forbidden", "AuthenticationUnsuccessful")
			return true
		case FaultBroken:
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"Status":"OK","Us`)) // the client may be gone
			return true
		}
	}
	return false
}
