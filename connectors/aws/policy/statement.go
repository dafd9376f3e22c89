package policy

import (
	"slices"
	"strings"
)

// Request is what somebody wants to do.
type Request struct {
	Caller Caller
	// Action is one action, such as "s3:GetObject".
	Action string
	// Resource is the ARN of what the action is taken on, "*" for an action
	// that is taken on nothing in particular. One that ends with "*" stands for
	// any one resource with that beginning: the verdict is definite only if it
	// is the same for all of them.
	Resource string
	Context  Context
}

// beginning returns the part of the resource that is known.
func (r Request) beginning() (text string, open bool) {
	if text, open = strings.CutSuffix(r.Resource, "*"); open && text != "" {
		return text, true
	}
	return r.Resource, false
}

// application is what one statement comes to in a request.
type application struct {
	applies Truth
	// by says through which name the statement names the caller; only for
	// statements of resource policies.
	by    grades
	needs []Dependency
}

// apply decides whether a statement applies to the request; of a resource
// policy, whether it names the caller.
func (s *Statement) apply(r Request, ofResource bool, w *work) application {
	a := s.applyWithin(r, ofResource, w)
	if w.spent() {
		return undecided()
	}
	return a
}

func (s *Statement) applyWithin(r Request, ofResource bool, w *work) application {
	q := &inquiry{context: r.Context, variables: s.variables, work: w}
	if !w.take(1) || s.covers(r.Action, w) == False {
		return application{applies: False}
	}
	result := s.onResource(r, q, ofResource)
	by := grades{True, False, False}
	if ofResource && result != False {
		by = s.names(r.Caller, q)
		result = and(result, by.any())
	}
	if result != False {
		result = and(result, s.met(q))
	}
	if result == True && len(q.doubts) > 0 {
		result = Unknown
	}
	a := application{applies: result}
	if result == False {
		return a
	}
	if result == Unknown {
		a.needs = slices.Concat(q.needs, q.doubts)
	}
	a.by = grades{and(by.direct, result), and(by.role, result), and(by.account, result)}
	return a
}

// names is how far the statement's Principal or NotPrincipal names the caller.
func (s *Statement) names(c Caller, q *inquiry) grades {
	if s.NotPrincipal != nil {
		return grades{not(c.excepted(s.NotPrincipal, q)), False, False}
	}
	return c.named(s.Principal, q)
}

// onResource decides whether the statement speaks of the resource. In a policy
// of a resource it may be left out and is the resource itself then.
func (s *Statement) onResource(r Request, q *inquiry, ofResource bool) Truth {
	switch {
	case s.NotResource != nil:
		return not(q.resource(s.NotResource, r))
	case s.Resource != nil:
		return q.resource(s.Resource, r)
	case ofResource:
		return True
	}
	q.need(Dependency{Reason: "the statement names no resource, which AWS does not take"})
	return Unknown
}

// resource matches patterns with the resource. All are looked at, since a
// variable without a value in any may spoil the statement.
func (q *inquiry) resource(patterns []string, r Request) Truth {
	text, open := r.beginning()
	result := False
	for _, written := range patterns {
		p, resolved := q.expand(written, wild)
		if !resolved {
			continue
		}
		if written != everyone {
			p = p.inARN()
		}
		one := p.matches(text, open, q.work)
		if one == Unknown && open && !slices.Contains(p, hole) {
			q.need(Dependency{Reason: "it depends on which resource that begins with " + text + " is meant; the policy names " + written})
		}
		result = or(result, one)
	}
	return result
}
