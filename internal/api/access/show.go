package access

import (
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/api/coverage"
	"github.com/gatehouse-project/gatehouse/internal/api/entity"
	"github.com/gatehouse-project/gatehouse/internal/graph"
)

// naming shows entities by their ids.
type naming map[graph.EntityID]graph.Entity

func (n naming) ref(e graph.EntityID) entity.Ref {
	if found, ok := n[e]; ok {
		return entity.RefTo(found)
	}
	return entity.Ref{EntityID: e.String()}
}

// other is ref, or null when both are the same.
func (n naming) other(e, than graph.EntityID) api.Nullable[entity.Ref] {
	if e == than {
		return api.Nullable[entity.Ref]{}
	}
	r := n.ref(e)
	return api.Nullable[entity.Ref]{Value: &r}
}

func (n naming) access(r graph.AccessRow) Access {
	shown := Access{
		Principals: []entity.Ref{}, Account: n.ref(r.Account), Resource: n.ref(r.Resource), Access: string(r.Kind), Decision: string(r.Decision),
		Via: n.ref(r.Nearest.Via), ActingAs: n.other(r.Nearest.Account, r.Account), Hops: r.Nearest.Hops,
		Actions: r.Actions, MoreActions: r.MoreActions, Allows: n.grounds(r, r.Allows), Denies: n.grounds(r, r.Denies), MoreGrounds: r.MoreGrounds,
	}
	if r.Effective != nil {
		e := n.effective(*r.Effective)
		shown.Effective.Value = &e
	}
	for _, p := range r.Principals {
		shown.Principals = append(shown.Principals, n.ref(p))
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
	shown.ExpiresAt = utc(e.Terms.ExpiresAt)
	return shown
}

func showPaths(a graph.PathAnswer) Paths {
	n := naming(a.Entities)
	shown := Paths{From: entity.RefTo(a.From), To: entity.RefTo(a.To), Paths: []Path{}, Basis: coverage.BasisOf(a.AsOf, a.Truncated, a.Coverage)}
	for _, p := range a.Paths {
		path := Path{Effect: string(p.Effect), Hops: len(p.Steps), Steps: []Step{}}
		for _, s := range p.Steps {
			step := Step{Kind: string(s.Kind), From: n.ref(s.From), To: n.ref(s.To), Edges: []Edge{}, MoreEdges: s.MoreEdges}
			for _, e := range s.Edges {
				read := a.Partitions[e.Partition]
				step.Edges = append(step.Edges, Edge{
					Terms: terms(e), FirstSeenRunID: e.FirstRun, ConnectionID: a.From.Connection,
					Stream: read.Stream, Partition: read.Partition, ValidFrom: e.ValidFrom.UTC(),
				})
			}
			path.Steps = append(path.Steps, step)
		}
		shown.Paths = append(shown.Paths, path)
	}
	return shown
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}
