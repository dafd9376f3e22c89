package postgres_test

import (
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/graph"
)

// naive answers access questions by walking every simple way through a small
// graph, without any of the shortcuts of the real one.
type naive struct {
	edges []connector.Relationship
}

// naiveWay is one way from an account to a resource.
type naiveWay struct {
	session           connector.Ref
	own               bool // the session is the account itself
	hops              int
	deny              bool
	sessionCond, cond bool
	actions           []string
}

// verdict is what both sides of the comparison say about one row.
type verdict struct {
	Decision graph.Decision
	Kind     graph.AccessKind
	Hops     int
	// Own says that the account need not act as another on the nearest way.
	Own     bool
	Actions string
}

func (n naive) out(kind connector.RelationshipKind, from connector.Ref) []connector.Relationship {
	var found []connector.Relationship
	for _, e := range n.edges {
		if e.Kind == kind && e.From == from {
			found = append(found, e)
		}
	}
	return found
}

func denies(r connector.Relationship) bool { return r.Terms != nil && r.Terms.Effect == connector.Deny }

func onCondition(r connector.Relationship) bool {
	return r.Terms != nil && (r.Terms.Given == connector.Eligible || len(r.Terms.Conditions) > 0)
}

// chains calls visit for each simple chain of assumptions from an account.
func (n naive) chains(at connector.Ref, depth int, conditional bool, on []connector.Ref, visit func(account connector.Ref, depth int, conditional bool)) {
	visit(at, depth, conditional)
	on = append(on, at)
	for _, e := range n.out(connector.AccountAssumesAccount, at) {
		if denies(e) || slices.Contains(on, e.To) {
			continue
		}
		refused, doubtful := false, onCondition(e)
		for _, other := range n.out(connector.AccountAssumesAccount, at) {
			if other.To == e.To && denies(other) {
				refused = refused || !onCondition(other)
				doubtful = true
			}
		}
		if !refused {
			n.chains(e.To, depth+1, conditional || doubtful, on, visit)
		}
	}
}

// holdings calls visit for each simple way from an edge to an entitlement on.
func (n naive) holdings(e connector.Relationship, hops int, deny, conditional bool, on []connector.Ref, visit func(entitlement connector.Ref, hops int, deny, conditional bool)) {
	if slices.Contains(on, e.To) {
		return
	}
	deny, conditional = deny || denies(e), conditional || onCondition(e)
	visit(e.To, hops, deny, conditional)
	for _, next := range n.out(connector.EntitlementIncludesEntitlement, e.To) {
		n.holdings(next, hops+1, deny, conditional, append(slices.Clone(on), e.To), visit)
	}
}

func (n naive) ways(account, resource connector.Ref, action string) []naiveWay {
	var ways []naiveWay
	n.chains(account, 0, false, nil, func(session connector.Ref, depth int, sessionCond bool) {
		for _, assigned := range n.out(connector.AccountAssignedEntitlement, session) {
			n.holdings(assigned, 1, false, false, nil, func(entitlement connector.Ref, hops int, deny, cond bool) {
				for _, g := range n.out(connector.EntitlementGrantsResource, entitlement) {
					actions := []string{"*"}
					if g.Terms != nil && len(g.Terms.Actions) > 0 {
						actions = g.Terms.Actions
					}
					if g.To != resource || action != "" && !speaks(actions, action) {
						continue
					}
					ways = append(ways, naiveWay{
						session: session, own: depth == 0, hops: depth + hops + 1, deny: deny || denies(g),
						sessionCond: sessionCond, cond: cond || onCondition(g), actions: actions,
					})
				}
			})
		}
	})
	return ways
}

// speaks matches patterns that have a wildcard at their end at most.
func speaks(patterns []string, action string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		start, wild := strings.CutSuffix(p, "*")
		return p == action || wild && strings.HasPrefix(action, start)
	})
}

// universe has, for each pattern that the tests draw, an action that no narrower
// pattern matches.
func universe() []string {
	return []string{"s3:Get", "s3:Put", "s3:other", "kms:Decrypt", "kms:other", "other:other"}
}

// judge says what the ways of one account and one resource come to.
func (n naive) judge(ways []naiveWay, action string) (v verdict, ok bool) {
	considered := universe()
	if action != "" {
		considered = []string{action}
	}
	best := 2
	var actions []string
	for _, w := range ways {
		if w.deny {
			continue
		}
		if !ok || w.hops < v.Hops {
			v.Hops, v.Own = w.hops, false
		}
		v.Own = v.Own || w.own && w.hops == v.Hops
		ok = true
		actions = append(actions, w.actions...)
		firm, doubtful := true, true
		for _, a := range considered {
			if !speaks(w.actions, a) {
				continue
			}
			firm = firm && slices.ContainsFunc(ways, func(d naiveWay) bool {
				return d.deny && !d.cond && d.session == w.session && speaks(d.actions, a)
			})
			doubtful = doubtful && slices.ContainsFunc(ways, func(d naiveWay) bool {
				return d.deny && d.session == w.session && speaks(d.actions, a)
			})
		}
		switch {
		case firm:
		case doubtful || w.cond || w.sessionCond:
			best = min(best, 1)
		default:
			best = 0
		}
	}
	v.Decision = []graph.Decision{graph.Allowed, graph.Conditional, graph.Denied}[best]
	v.Kind = graph.InheritedAccess
	if v.Hops == 2 {
		v.Kind = graph.DirectAccess
	}
	slices.Sort(actions)
	v.Actions = strings.Join(slices.Compact(actions), " ")
	return v, ok
}

// pathLengths returns the lengths of all simple paths, shortest first.
func (n naive) pathLengths(from, to connector.Ref, most int) []int {
	var lengths []int
	var walk func(at connector.Ref, on []connector.Ref)
	walk = func(at connector.Ref, on []connector.Ref) {
		if at == to {
			lengths = append(lengths, len(on))
			return
		}
		if len(on) == most {
			return
		}
		on = append(slices.Clone(on), at)
		// Parallel edges of one kind are one step.
		type step struct {
			kind connector.RelationshipKind
			to   connector.Ref
		}
		next := map[step]bool{}
		for _, e := range n.edges {
			if e.From == at && e.Kind != connector.BoundaryContains && !slices.Contains(on, e.To) {
				next[step{e.Kind, e.To}] = true
			}
		}
		for s := range next {
			walk(s.to, on)
		}
	}
	if from != to {
		walk(from, nil)
	}
	slices.Sort(lengths)
	return lengths
}
