package graph

import (
	"bytes"
	"slices"
	"time"
)

// Decision is what the statements that were found say together. It is no full
// evaluation of a provider's policy language: service control policies,
// permission boundaries, session policies and what conditions demand are not
// weighed. An allow is
//   - denied, when grants that deny without condition cover all its actions (or
//     the one asked for);
//   - conditional, when it holds on a condition, must be activated first, or is
//     covered by grants that deny on a condition;
//   - allowed otherwise.
//
// An account acts as itself or as an account it may assume, with the
// entitlements of that account alone, so each is decided by itself. The best of
// all allows is the decision.
type Decision string

// The decisions, best first.
const (
	Allowed     Decision = "allowed"
	Conditional Decision = "conditional"
	Denied      Decision = "denied"
)

// AccessKind is how directly access is held.
type AccessKind string

// The kinds of access.
const (
	// DirectAccess is an entitlement that grants the resource itself and that is
	// assigned to the account itself.
	DirectAccess AccessKind = "direct"
	// InheritedAccess comes through entitlements that include others or through
	// accounts that may be assumed.
	InheritedAccess AccessKind = "inherited"
)

// Bounds of one row of an answer; the paths question shows everything.
const (
	maxGrounds    = 20
	maxActions    = 50
	maxPrincipals = 20
)

// Ground is one grant that allows or denies.
type Ground struct {
	// Account acts: the row's, or one that it may assume.
	Account EntityID
	// Via is the entitlement that the account is assigned; Entitlement is the
	// one that grants. They may be the same.
	Via, Entitlement EntityID
	// Grant is the edge to the resource.
	Grant Edge
	// Conditional says that a condition, or an activation, stands somewhere on
	// the way.
	Conditional bool
	// Hops is the number of edges from the row's account to the resource.
	Hops int
}

// Access is that an account reaches a resource, and why.
type Access struct {
	Account, Resource EntityID
	Kind              AccessKind
	Decision          Decision
	// Nearest is the allow with the fewest hops; of several, the one with the
	// fewest assumptions, so that an account's own way comes first.
	Nearest Ground
	// Allows and Denies hold at most 20 each; MoreGrounds says that there are more.
	Allows, Denies []Ground
	MoreGrounds    bool
	// Actions that the allows name, in the provider's terms, sorted; "*" for
	// all that an entitlement stands for, and where only exceptions are named.
	// At most 50; MoreActions says that there are more.
	Actions     []string
	MoreActions bool
}

// session is an account that can be acted as.
type session struct {
	account     EntityID
	depth       int
	conditional bool
}

// holding is an entitlement that an account has, by one assignment or another.
type holding struct {
	entitlement, via EntityID
	hops             int // edges from the account to the entitlement
	// deny says that the way turns everything beyond into a denial.
	deny        bool
	conditional bool
}

// heldGrant is a grant and the way in which its entitlement is held.
type heldGrant struct {
	session session
	holding holding
	grant   *Edge
}

// judge decides about one account and one resource out of all grants that are
// held. ok is false when nothing allows.
func judge(held []heldGrant, action string, now time.Time) (a Access, ok bool) {
	var grounds []judged
	for _, h := range held {
		s := standingOf(h.grant, now)
		set := actionsOf(h.grant.Terms)
		if !s.active || action != "" && !set.has(action) {
			continue
		}
		grounds = append(grounds, judged{
			Ground: Ground{
				Account: h.session.account, Via: h.holding.via, Entitlement: h.holding.entitlement, Grant: *h.grant,
				Conditional: s.conditional || h.holding.conditional || h.session.conditional,
				Hops:        h.session.depth + h.holding.hops + 1,
			},
			assumed: h.session.depth,
			deny:    s.deny || h.holding.deny, own: s.conditional || h.holding.conditional, set: set,
		})
	}
	slices.SortFunc(grounds, compareGrounds)
	decision := Denied
	for i := range grounds {
		g := &grounds[i]
		if g.deny {
			a.Denies, a.MoreGrounds = appendGround(a.Denies, a.MoreGrounds, g.Ground)
			continue
		}
		if !ok {
			a.Nearest, ok = g.Ground, true
		}
		a.Allows, a.MoreGrounds = appendGround(a.Allows, a.MoreGrounds, g.Ground)
		if decision != Allowed {
			decision = better(decision, g.against(grounds, action))
		}
	}
	a.Decision = decision
	a.Kind = InheritedAccess
	if a.Nearest.Hops == directHops {
		a.Kind = DirectAccess
	}
	a.Actions, a.MoreActions = namedActions(grounds)
	return a, ok
}

// directHops is an assignment and a grant.
const directHops = 2

type judged struct {
	Ground
	// assumed is how many accounts are assumed on the way.
	assumed int
	deny    bool
	// own says that a condition stands on the way behind the session: a denial
	// inside a session that is itself conditional still denies within it.
	own bool
	set actionSet
}

func compareGrounds(a, b judged) int {
	if a.Hops != b.Hops {
		return a.Hops - b.Hops
	}
	for _, c := range []int{
		a.assumed - b.assumed,
		bytes.Compare(a.Account[:], b.Account[:]), bytes.Compare(a.Via[:], b.Via[:]),
		bytes.Compare(a.Entitlement[:], b.Entitlement[:]), bytes.Compare(a.Grant.ID[:], b.Grant.ID[:]),
	} {
		if c != 0 {
			return c
		}
	}
	return 0
}

// against decides about one allow, given everything that is held.
func (g *judged) against(all []judged, action string) Decision {
	var firm, any []actionSet
	for i := range all {
		d := &all[i]
		if !d.deny || d.Account != g.Account {
			continue
		}
		any = append(any, d.set)
		if !d.own {
			firm = append(firm, d.set)
		}
	}
	switch {
	case covers(firm, g.set, action):
		return Denied
	case g.Conditional || covers(any, g.set, action):
		return Conditional
	}
	return Allowed
}

// covers reports whether denials take away all of an allow. Those that do not
// speak of the action asked for have been left out before.
func covers(denials []actionSet, allow actionSet, action string) bool {
	if action != "" {
		return len(denials) > 0
	}
	return len(denials) > 0 && allow.coveredBy(denials)
}

func better(a, b Decision) Decision {
	for _, d := range []Decision{Allowed, Conditional} {
		if a == d || b == d {
			return d
		}
	}
	return Denied
}

func appendGround(to []Ground, more bool, g Ground) ([]Ground, bool) {
	if len(to) >= maxGrounds {
		return to, true
	}
	return append(to, g), more
}

func namedActions(grounds []judged) (actions []string, more bool) {
	for i := range grounds {
		g := &grounds[i]
		if g.deny {
			continue
		}
		if len(g.set.actions) == 0 {
			actions = append(actions, "*")
		}
		actions = append(actions, g.set.actions...)
	}
	slices.Sort(actions)
	actions = slices.Compact(actions)
	if len(actions) > maxActions {
		return actions[:maxActions], true
	}
	return actions, false
}
