package policy

import "strings"

// Dependency is something unknown that a statement depends on.
type Dependency struct {
	// Key is the context key whose value is not known; empty for what is not
	// about a key.
	Key string
	// Operator and Values are what the policy compares the key with; empty for
	// a variable.
	Operator string
	Values   []string
	// Reason says in a sentence what is not known.
	Reason string
}

// inquiry is the evaluation of one statement: what is known, and what was
// found to be needed and is not.
type inquiry struct {
	context   Context
	variables bool
	work      *work
	needs     []Dependency
	// doubts are the variables that have or may have no value, which "might
	// cause the entire statement to be invalid" (IAM user guide, "Variables and
	// tags").
	doubts []Dependency
}

func (q *inquiry) need(d Dependency) { q.needs = append(q.needs, d) }

// expand replaces the variables of a text. take makes a pattern of the text
// between them; ${*}, ${?} and ${$} are those characters themselves. resolved
// is false when a variable is known to have no value, so that the text matches
// nothing.
func (q *inquiry) expand(text string, take func(string) pattern) (p pattern, resolved bool) {
	if !q.variables || !strings.Contains(text, "${") {
		return take(text), true
	}
	resolved = true
	for {
		before, rest, found := strings.Cut(text, "${")
		name, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			return append(p, take(text)...), resolved
		}
		p = append(p, take(before)...)
		value, ok := q.variable(name)
		if !q.work.take(len(name) + len(value)) {
			return p, false // a short text may stand for many long ones
		}
		p = append(p, value...)
		resolved = resolved && ok
		text = after
	}
}

// variable returns the value of what stands between ${ and }.
func (q *inquiry) variable(name string) (value pattern, resolved bool) {
	switch name {
	case "*", "?", "$":
		return literal(name), true
	}
	key, fallback, hasFallback := defaultOf(name)
	values, known := q.context.lookup(key)
	switch {
	case !known:
		q.doubts = append(q.doubts, Dependency{Key: key, Reason: "the value of the policy variable ${" + key + "} is not known"})
		return pattern{hole}, true
	case len(values) == 1:
		return literal(values[0]), true
	case hasFallback && len(values) == 0:
		return literal(fallback), true
	}
	// A key with several values cannot be a variable, either.
	q.doubts = append(q.doubts, Dependency{Key: key, Reason: "the policy variable ${" + key + "} has no single value in this request, and AWS may then take the whole statement to be invalid"})
	return nil, false
}

// defaultOf splits ${key, 'default'}.
func defaultOf(name string) (key, fallback string, has bool) {
	key, rest, has := strings.Cut(name, ",")
	key, rest = strings.TrimSpace(key), strings.TrimSpace(rest)
	if !has || len(rest) < 2 || rest[0] != '\'' || rest[len(rest)-1] != '\'' {
		return key, "", false
	}
	return key, rest[1 : len(rest)-1], true
}
