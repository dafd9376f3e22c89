package access

import (
	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/api/coverage"
	"github.com/gatehouse-project/gatehouse/internal/api/entity"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// naming shows entities by their ids.
type naming map[graph.EntityID]graph.Entity

func (n naming) ref(e graph.EntityID) entity.Ref { return entity.RefTo(n.entity(e)) }

// entity is what is known of one: its id at least.
func (n naming) entity(e graph.EntityID) graph.Entity {
	if found, ok := n[e]; ok {
		return found
	}
	return graph.Entity{ID: e}
}

// asked names what an answer is about: an entity, or an identity when that is set.
func asked(e graph.Entity, i *graph.Identity) (of api.Nullable[entity.Ref], whose api.Nullable[entity.IdentityRef]) {
	if i != nil {
		r := entity.IdentityRefTo(*i)
		return of, api.Nullable[entity.IdentityRef]{Value: &r}
	}
	r := entity.RefTo(e)
	return api.Nullable[entity.Ref]{Value: &r}, whose
}

// other is ref, or null when both are the same.
func (n naming) other(e, than graph.EntityID) api.Nullable[entity.Ref] {
	if e == than {
		return api.Nullable[entity.Ref]{}
	}
	r := n.ref(e)
	return api.Nullable[entity.Ref]{Value: &r}
}

func (n naming) access(r graph.AccessRow, whose graph.Described) Access {
	shown := Access{
		Principals: []entity.PrincipalRef{}, Account: n.ref(r.Account), Resource: n.ref(r.Resource), Access: string(r.Kind), Decision: string(r.Decision),
		Via: n.ref(r.Nearest.Via), ActingAs: n.other(r.Nearest.Account, r.Account), Hops: r.Nearest.Hops,
		Actions: r.Actions, MoreActions: r.MoreActions, Allows: n.grounds(r, r.Allows), Denies: n.grounds(r, r.Denies), MoreGrounds: r.MoreGrounds,
	}
	if r.Effective != nil {
		e := n.effective(*r.Effective)
		shown.Effective.Value = &e
	}
	for _, p := range r.Principals {
		shown.Principals = append(shown.Principals, entity.PrincipalRefTo(n.entity(p), whose))
	}
	return shown
}

func (n naming) grounds(r graph.AccessRow, grounds []graph.Ground) []Ground {
	shown := make([]Ground, len(grounds))
	for i, g := range grounds {
		shown[i] = Ground{
			ActingAs: n.other(g.Account, r.Account), Via: n.ref(g.Via), Entitlement: n.ref(g.Entitlement),
			Hops: g.Hops, Conditional: g.Conditional, Terms: terms(g.Grant),
		}
	}
	return shown
}

func terms(e graph.Edge) Terms {
	shown := Terms{Key: e.Key, Effect: string(e.Effect), Actions: []string{}, NotActions: []string{}, Given: string(connector.Direct)}
	if e.Terms == nil {
		return shown
	}
	shown.Actions = append(shown.Actions, e.Terms.Actions...)
	shown.NotActions = append(shown.NotActions, e.Terms.NotActions...)
	if len(e.Terms.Conditions) > 0 {
		conditions := api.Object(e.Terms.Conditions)
		shown.Conditions.Value = &conditions
	}
	if e.Terms.Given != "" {
		shown.Given = string(e.Terms.Given)
	}
	shown.ExpiresAt = api.UTC(e.Terms.ExpiresAt)
	return shown
}

func showPaths(a graph.PathAnswer) Paths {
	n := naming(a.Entities)
	shown := Paths{To: entity.RefTo(a.To), Paths: []Path{}, Basis: coverage.BasisOf(a.AsOf, a.HistoryBegins, a.Truncated, a.Coverage)}
	shown.From, shown.Identity = asked(a.From, a.Identity)
	for _, p := range a.Paths {
		shown.Paths = append(shown.Paths, Path{Effect: string(p.Effect), Hops: len(p.Steps), Steps: n.steps(p.Steps, a.To.Connection, a.Partitions)})
	}
	return shown
}

// steps shows the steps of a way within a connection.
func (n naming) steps(of []graph.Step, in id.Connection, partitions map[int64]graph.PartitionName) []Step {
	shown := []Step{}
	for _, s := range of {
		step := Step{Kind: string(s.Kind), From: n.ref(s.From), To: n.ref(s.To), Edges: []Edge{}, MoreEdges: s.MoreEdges}
		for _, e := range s.Edges {
			step.Edges = append(step.Edges, edge(e, in, partitions[e.Partition]))
		}
		shown = append(shown, step)
	}
	return shown
}

func edge(e graph.Edge, in id.Connection, read graph.PartitionName) Edge {
	return Edge{
		Terms: terms(e), FirstSeenRunID: e.FirstRun, ConnectionID: in,
		Stream: read.Stream, Partition: read.Partition, ValidFrom: e.ValidFrom.UTC(),
	}
}
