package graph

import (
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
)

// matchAction reports whether an IAM-style pattern matches an action: "*" stands
// for any characters, "?" for any one, and case does not count.
func matchAction(pattern, action string) bool {
	return glob(strings.ToLower(pattern), strings.ToLower(action), func(byte) bool { return true })
}

// coversPattern reports whether everything that inner matches is certainly
// matched by outer. It may say no although it is so, and never yes although it
// is not.
func coversPattern(outer, inner string) bool {
	return glob(strings.ToLower(outer), strings.ToLower(inner), func(c byte) bool { return c != '*' })
}

// glob matches a pattern against a text; one says what "?" may stand for.
func glob(pattern, text string, one func(byte) bool) bool {
	p, t, star, mark := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == text[t] && text[t] != '*' && text[t] != '?' || pattern[p] == '?' && one(text[t])):
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// actionSet is the actions that the terms of a grant speak of.
type actionSet struct {
	actions, except []string
}

func actionsOf(t *connector.Terms) actionSet {
	if t == nil {
		return actionSet{}
	}
	return actionSet{actions: t.Actions, except: t.NotActions}
}

// has reports whether an action is in the set. Where a set has both lists, an
// action must match the first and not the second.
func (s actionSet) has(action string) bool {
	match := func(pattern string) bool { return matchAction(pattern, action) }
	if len(s.actions) > 0 && !slices.ContainsFunc(s.actions, match) {
		return false
	}
	return !slices.ContainsFunc(s.except, match)
}

// patterns returns what the set's actions must match, one of them at least.
func (s actionSet) patterns() []string {
	if len(s.actions) == 0 {
		return []string{"*"}
	}
	return s.actions
}

// coveredBy reports whether everything in the set is certainly in one of the
// others. The patterns of the set are looked for one by one, so several others
// may cover it together.
func (s actionSet) coveredBy(others []actionSet) bool {
	return !slices.ContainsFunc(s.patterns(), func(pattern string) bool {
		return !slices.ContainsFunc(others, func(o actionSet) bool { return o.includes(pattern, s.except) })
	})
}

// includes reports whether the set certainly has all that a pattern matches, but
// for exceptions.
func (s actionSet) includes(pattern string, but []string) bool {
	if !slices.ContainsFunc(s.patterns(), func(outer string) bool { return coversPattern(outer, pattern) }) {
		return false
	}
	return !slices.ContainsFunc(s.except, func(e string) bool { return !disjoint(e, pattern) && !excepted(e, but) })
}

// excepted reports whether a pattern is covered by one of the others.
func excepted(pattern string, others []string) bool {
	return slices.ContainsFunc(others, func(o string) bool { return coversPattern(o, pattern) })
}

// disjoint reports whether two patterns certainly match nothing in common: what
// they say before their first wildcard differs.
func disjoint(a, b string) bool {
	a, b = literalStart(a), literalStart(b)
	n := min(len(a), len(b))
	return a[:n] != b[:n]
}

func literalStart(pattern string) string {
	pattern = strings.ToLower(pattern)
	if i := strings.IndexAny(pattern, "*?"); i >= 0 {
		return pattern[:i]
	}
	return pattern + "\x00"
}

// standing is how an edge counts at a moment.
type standing struct {
	active      bool // it has not expired
	deny        bool
	conditional bool // it has conditions, or must be activated first
}

func standingOf(e *Edge, now time.Time) standing {
	s := standing{active: true, deny: e.Effect == connector.Deny}
	if t := e.Terms; t != nil {
		s.active = t.ExpiresAt == nil || t.ExpiresAt.After(now)
		s.conditional = t.Given == connector.Eligible || hasConditions(t)
	}
	return s
}

func hasConditions(t *connector.Terms) bool {
	switch strings.TrimSpace(string(t.Conditions)) {
	case "", "null", "{}":
		return false
	}
	return true
}
