package graph

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// explain says of each change why, names what the changes speak of, and says how
// completely was looked at both moments. from are the principals or accounts of a
// connection whose access changed; when it has none, a change's own account.
func (x *comparison) explain(ctx context.Context, answer *CompareAnswer, from func(id.Connection, *AccessChange) []EntityID) error {
	answer.Entities, answer.Identities, answer.Partitions = map[EntityID]Entity{}, Described{}, map[int64]PartitionName{}
	for _, c := range x.connections {
		var of []*AccessChange
		for i := range answer.Changes {
			if x.connectionOf(&answer.Changes[i]) == c {
				of = append(of, &answer.Changes[i])
			}
		}
		if len(of) > 0 {
			if err := x.reason(ctx, c, of, from, answer); err != nil {
				return err
			}
			if err := x.name(ctx, c, of, answer); err != nil {
				return err
			}
		}
	}
	var err error
	if answer.Before, err = coverageOf(ctx, x.views[0], sorted(x.connections)...); err != nil {
		return err
	}
	answer.After, err = coverageOf(ctx, x.views[1], sorted(x.connections)...)
	return err
}

// connectionOf is where a change is; those of one connection do not say.
func (x *comparison) connectionOf(c *AccessChange) id.Connection {
	if c.Connection == 0 {
		c.Connection = x.connections[0]
	}
	return c.Connection
}

// reason finds the ways of changes of one connection, and the edges on them that
// are not the same at both moments.
func (x *comparison) reason(ctx context.Context, c id.Connection, of []*AccessChange, from func(id.Connection, *AccessChange) []EntityID, answer *CompareAnswer) error {
	starts, resources := map[EntityID]bool{}, map[EntityID]bool{}
	begin := make([][]EntityID, len(of))
	for i, change := range of {
		row := change.row()
		if begin[i] = from(c, change); begin[i] == nil {
			begin[i] = []EntityID{row.Account}
		}
		for _, e := range begin[i] {
			starts[e] = true
		}
		resources[row.Resource] = true
	}
	past, err := x.workspaceView.Past(ctx, c, keys(starts), keys(resources))
	if err != nil {
		return err
	}
	answer.Truncated = answer.Truncated || past.Truncated
	t := timeline{past: past}
	p := passage{timeline: &t, action: x.filter.Action, known: map[edgeAt]*EdgeVersion{}}
	for i := range past.Versions {
		e := &past.Versions[i]
		p.known[edgeAt{e.ID, e.ValidFrom.UnixMicro()}] = e
	}
	for i, v := range x.views {
		p.states[i] = t.state(v.Moment())
	}
	parts := map[int64]bool{}
	for i, change := range of {
		to := change.row().Resource
		at := 1
		if change.What == AccessLost {
			at = 0
		}
		change.Steps = p.states[at].way(begin[i], to, x.filter.Action)
		p.reasons(change, begin[i], to)
		for _, s := range change.Steps {
			for _, e := range s.Edges {
				parts[e.Partition] = true
			}
		}
		for j := range change.Reasons {
			parts[change.Reasons[j].Edge().Partition] = true
		}
	}
	names, err := x.workspaceView.Partitions(ctx, slices.Collect(maps.Keys(parts)))
	maps.Copy(answer.Partitions, names)
	return err
}

// row is the access of the later moment, or of what was lost, of the earlier one.
func (c *AccessChange) row() *AccessRow {
	if c.After != nil {
		return c.After
	}
	return c.Before
}

// name names what changes of one connection speak of.
func (x *comparison) name(ctx context.Context, c id.Connection, of []*AccessChange, answer *CompareAnswer) error {
	named := map[EntityID]bool{}
	var principals [2]map[EntityID]bool
	for i := range principals {
		principals[i] = map[EntityID]bool{}
	}
	for _, change := range of {
		for i, row := range []*AccessRow{change.Before, change.After} {
			if row != nil {
				x.whose[i](c).show(row, named, principals[i])
			}
		}
		for _, s := range change.Steps {
			named[s.From], named[s.To] = true, true
		}
		for i := range change.Reasons {
			e := change.Reasons[i].Edge()
			named[e.From], named[e.To] = true, true
		}
	}
	found, err := x.workspaceView.EverNamed(ctx, c, keys(named))
	if err != nil {
		return err
	}
	maps.Copy(answer.Entities, found)
	// Whose a principal is now comes last, and stays.
	for i, v := range x.views {
		joined, err := v.Identities(ctx, keys(principals[i]))
		if err != nil {
			return err
		}
		maps.Copy(answer.Identities, joined)
	}
	return nil
}

// passage is the edges of two moments.
type passage struct {
	*timeline
	action string
	// The earlier moment comes first.
	states [2]*state
	known  map[edgeAt]*EdgeVersion
}

// edgeAt tells versions of edges apart, by their beginning in microseconds.
type edgeAt struct {
	id   [16]byte
	from int64
}

// reasons fills in the edges on ways between the ends that are not the same at
// both moments.
func (p *passage) reasons(c *AccessChange, from []EntityID, to EntityID) {
	on := map[[16]byte]bool{}
	for _, s := range p.states {
		s.onWay(from, to, p.action, on)
	}
	var versions [2]map[[16]byte]*Edge
	for i, s := range p.states {
		versions[i] = s.versions(on)
	}
	ids := slices.SortedFunc(maps.Keys(on), compareIDs)
	for _, e := range ids {
		change, ok := p.edgeChange(versions[0][e], versions[1][e])
		if !ok {
			continue
		}
		c.Uncertain = c.Uncertain || change.What == FirstObserved || change.What == NoLongerObserved
		c.Reasons = append(c.Reasons, change)
	}
	slices.SortStableFunc(c.Reasons, func(a, b EdgeChange) int {
		return cmp.Or(cmp.Compare(orderOf(a.Edge().Kind), orderOf(b.Edge().Kind)), a.At.Compare(b.At))
	})
	c.MoreReasons = len(c.Reasons) > maxReasons
	c.Reasons = c.Reasons[:min(len(c.Reasons), maxReasons)]
}

// orderOf is where on a way edges of a kind are.
func orderOf(k connector.RelationshipKind) int {
	return slices.Index([]connector.RelationshipKind{
		connector.PrincipalRepresentsAccount, connector.AccountAssumesAccount, connector.AccountAssignedEntitlement,
		connector.EntitlementIncludesEntitlement, connector.EntitlementGrantsResource,
	}, k)
}

// edgeChange says what became of an edge. Versions that say the same are no
// reason.
func (p *passage) edgeChange(before, after *Edge) (EdgeChange, bool) {
	was := before != nil && standingOf(before, p.states[0].now).active
	is := after != nil && standingOf(after, p.states[1].now).active
	switch {
	case is && before != nil:
		c := EdgeChange{What: Changed, At: p.visible(after.ValidFrom), Run: after.FirstRun, Before: before, After: after}
		return c, !before.saysAs(after)
	case is:
		c := EdgeChange{What: FirstObserved, At: p.visible(after.ValidFrom), Run: after.FirstRun, After: after}
		if v := p.version(after); v != nil && v.Observed {
			c.What = Added
		}
		return c, true
	case was && after != nil && after.Terms != nil && after.Terms.ExpiresAt != nil:
		return EdgeChange{What: Expired, At: after.Terms.ExpiresAt.UTC(), Before: before}, true
	case was:
		return p.ended(before), true
	}
	return EdgeChange{}, false
}

// ended says how an edge ended that is not there at the later moment.
func (p *passage) ended(before *Edge) EdgeChange {
	c := EdgeChange{What: Removed, Before: before}
	v := p.version(before)
	if v == nil || v.Until == nil {
		return c
	}
	c.At = p.visible(*v.Until)
	for _, s := range p.past.Seen {
		if s.Published.Equal(*v.Until) {
			c.Run = s.Run
			if slices.Contains(s.Retired, before.Partition) {
				c.What = NoLongerObserved
			}
		}
	}
	return c
}

// version is the version that an edge of a state is of.
func (p *passage) version(e *Edge) *EdgeVersion {
	return p.known[edgeAt{e.ID, e.ValidFrom.UnixMicro()}]
}

// saysAs reports whether two versions of an edge give or deny the same.
func (e *Edge) saysAs(o *Edge) bool {
	a, b := e.Terms, o.Terms
	if e.Effect != o.Effect || (a == nil) != (b == nil) {
		return false
	}
	if a == nil {
		return true
	}
	sameEnd := a.ExpiresAt == b.ExpiresAt || a.ExpiresAt != nil && b.ExpiresAt != nil && a.ExpiresAt.Equal(*b.ExpiresAt)
	return sameEnd && a.Given == b.Given && slices.Equal(a.Actions, b.Actions) && slices.Equal(a.NotActions, b.NotActions) &&
		string(a.Conditions) == string(b.Conditions)
}

// versions are the state's edges of some ids.
func (s *state) versions(of map[[16]byte]bool) map[[16]byte]*Edge {
	found := map[[16]byte]*Edge{}
	for _, edges := range s.edges {
		for _, from := range edges {
			for _, e := range from {
				if of[e.ID] {
					found[e.ID] = e
				}
			}
		}
	}
	return found
}

// onWay notes the edges on any way between the ends, those that deny among them.
func (s *state) onWay(from []EntityID, to EntityID, action string, on map[[16]byte]bool) {
	reached := s.forward(from)
	leading := s.backward(to)
	for kind, edges := range s.edges {
		for at, list := range edges {
			if !reached[at] {
				continue
			}
			for _, e := range list {
				speaks := kind != connector.EntitlementGrantsResource || action == "" || actionsOf(e.Terms).has(action)
				if leading[e.To] && speaks && standingOf(e, s.now).active {
					on[e.ID] = true
				}
			}
		}
	}
}

// forward is whatever entities come to; who may not be assumed is not gone on
// from.
func (s *state) forward(from []EntityID) map[EntityID]bool {
	met := toSet(from)
	for queue := keys(met); len(queue) > 0; queue = queue[1:] {
		var next []EntityID
		for _, as := range assumable(s.edges[connector.AccountAssumesAccount][queue[0]], s.now) {
			next = append(next, as.account)
		}
		for kind, edges := range s.edges {
			if kind == connector.AccountAssumesAccount {
				continue
			}
			for _, e := range edges[queue[0]] {
				if standingOf(e, s.now).active {
					next = append(next, e.To)
				}
			}
		}
		for _, e := range next {
			if !met[e] {
				met[e] = true
				queue = append(queue, e)
			}
		}
	}
	return met
}

// backward is whatever leads to an entity, and itself.
func (s *state) backward(to EntityID) map[EntityID]bool {
	before := map[EntityID][]EntityID{}
	for _, edges := range s.edges {
		for at, list := range edges {
			for _, e := range list {
				if standingOf(e, s.now).active {
					before[e.To] = append(before[e.To], at)
				}
			}
		}
	}
	met := map[EntityID]bool{to: true}
	for queue := []EntityID{to}; len(queue) > 0; queue = queue[1:] {
		for _, e := range before[queue[0]] {
			if !met[e] {
				met[e] = true
				queue = append(queue, e)
			}
		}
	}
	return met
}
