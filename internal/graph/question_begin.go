package graph

import (
	"context"
	"maps"
	"slices"

	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
)

// beginning is what a question about an entity or an identity begins at.
type beginning struct {
	entity   Entity
	identity *Identity
	// at are the entities by connection.
	at           map[id.Connection][]EntityID
	integrations map[id.Connection]integration.ID
	// truncated says that the identity has more principals.
	truncated bool
}

// beginnings reads an entity, or the principals of an identity when that is set.
func beginnings(ctx context.Context, v View, e EntityID, i IdentityID) (b beginning, err error) {
	b.at, b.integrations = map[id.Connection][]EntityID{}, map[id.Connection]integration.ID{}
	if i == (IdentityID{}) {
		b.entity, err = v.Entity(ctx, e)
		b.at[b.entity.Connection] = []EntityID{e}
		return b, err
	}
	found, principals, err := v.Identity(ctx, i)
	if err != nil {
		return b, err
	}
	b.identity, b.truncated = &found, found.Principals > len(principals)
	for _, p := range principals {
		b.at[p.Connection] = append(b.at[p.Connection], p.ID)
		b.integrations[p.Connection] = p.Integration
	}
	return b, nil
}

// of are those of a connection.
func (b *beginning) of(c id.Connection) []EntityID { return b.at[c] }

// with are all connections and another one, in order.
func (b *beginning) with(c id.Connection) []id.Connection {
	all := append(slices.Collect(maps.Keys(b.at)), c)
	slices.Sort(all)
	return slices.Compact(all)
}

// coverageOf is that of some connections, each once, in their order.
func coverageOf(ctx context.Context, v View, of ...id.Connection) ([]Coverage, error) {
	var all []Coverage
	for i, c := range of {
		if i > 0 && c == of[i-1] {
			continue
		}
		one, err := v.Coverage(ctx, c)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}
