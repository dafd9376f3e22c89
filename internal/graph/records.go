package graph

import (
	"context"
	"slices"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// records shows one connection's part of a view to its connector. What was
// looked up is kept, since the requests of one question ask for the same again.
type records struct {
	view          View
	workspace     id.Workspace
	conn          id.Connection
	entities      map[connector.Ref]*connector.Entity
	lists         map[string]entityList
	relationships map[relatedTo]relationshipList
	coverage      *Coverage
}

type entityList struct {
	found []connector.Entity
	whole bool
}

type relatedTo struct {
	kind connector.RelationshipKind
	side Side
	ref  connector.Ref
}

type relationshipList struct {
	found []connector.Relationship
	whole bool
}

var _ connector.Records = (*records)(nil)

func newRecords(v View, w id.Workspace, c id.Connection) *records {
	return &records{
		view: v, workspace: w, conn: c,
		entities: map[connector.Ref]*connector.Entity{}, lists: map[string]entityList{}, relationships: map[relatedTo]relationshipList{},
	}
}

// Entity returns an entity, or false when it was not seen.
func (r *records) Entity(ctx context.Context, ref connector.Ref) (connector.Entity, bool, error) {
	known, ok := r.entities[ref]
	if !ok {
		found, err := r.view.Entity(ctx, NewEntityID(r.workspace, r.conn, ref))
		switch {
		case fault.KindOf(err) == fault.NotFound:
		case err != nil:
			return connector.Entity{}, false, err
		default:
			shown := shownEntity(found)
			known = &shown
		}
		r.entities[ref] = known
	}
	if known == nil {
		return connector.Entity{}, false, nil
	}
	return *known, true, nil
}

func shownEntity(e Entity) connector.Entity {
	return connector.Entity{
		Ref: connector.Ref{Kind: e.Kind, ID: e.ProviderID}, Name: e.Name, Type: e.Type, Identifiers: e.Identifiers, Attributes: e.Attributes,
	}
}

// Named returns the entities with exactly this name.
func (r *records) Named(ctx context.Context, kind connector.EntityKind, name string) ([]connector.Entity, bool, error) {
	return r.list(ctx, "name\x00"+string(kind)+"\x00"+name, EntityFilter{Kind: kind, Name: name})
}

// OfType returns the entities of a type.
func (r *records) OfType(ctx context.Context, kind connector.EntityKind, typ string) ([]connector.Entity, bool, error) {
	return r.list(ctx, "type\x00"+string(kind)+"\x00"+typ, EntityFilter{Kind: kind, Type: typ})
}

func (r *records) list(ctx context.Context, key string, f EntityFilter) ([]connector.Entity, bool, error) {
	known, ok := r.lists[key]
	if !ok {
		f.Connection, f.Limit = r.conn, connector.MaxRecordsFound+1
		found, err := r.view.List(ctx, f)
		if err != nil {
			return nil, false, err
		}
		known.whole = len(found) <= connector.MaxRecordsFound
		for _, e := range found[:min(len(found), connector.MaxRecordsFound)] {
			known.found = append(known.found, shownEntity(e))
		}
		r.lists[key] = known
	}
	return known.found, known.whole, nil
}

// From returns the relationships that start at an entity.
func (r *records) From(ctx context.Context, kind connector.RelationshipKind, ref connector.Ref) ([]connector.Relationship, bool, error) {
	return r.related(ctx, relatedTo{kind, From, ref})
}

// To returns the relationships that end at an entity.
func (r *records) To(ctx context.Context, kind connector.RelationshipKind, ref connector.Ref) ([]connector.Relationship, bool, error) {
	return r.related(ctx, relatedTo{kind, To, ref})
}

func (r *records) related(ctx context.Context, to relatedTo) ([]connector.Relationship, bool, error) {
	known, ok := r.relationships[to]
	if !ok {
		found, err := r.view.Relationships(ctx, r.conn, to.kind, to.side, NewEntityID(r.workspace, r.conn, to.ref), connector.MaxRecordsFound+1)
		if err != nil {
			return nil, false, err
		}
		known = relationshipList{found[:min(len(found), connector.MaxRecordsFound)], len(found) <= connector.MaxRecordsFound}
		r.relationships[to] = known
	}
	return known.found, known.whole, nil
}

// Complete reports whether a stream's partition was read completely. Of a stream
// with more gaps than are listed, no partition counts as complete.
func (r *records) Complete(ctx context.Context, p connector.Partition) (bool, error) {
	if r.coverage == nil {
		found, err := r.view.Coverage(ctx, r.conn)
		if err != nil {
			return false, err
		}
		r.coverage = &found
	}
	i := slices.IndexFunc(r.coverage.Streams, func(s StreamCoverage) bool { return s.Stream == p.Stream })
	if i < 0 {
		return false, nil
	}
	s := r.coverage.Streams[i]
	switch {
	case s.Complete == 0:
		return false, nil
	case s.Partial+s.Skipped == 0:
		return true, nil
	case r.coverage.MoreGaps:
		return false, nil
	}
	return !slices.ContainsFunc(r.coverage.Gaps, func(g CoverageGap) bool { return g.Stream == p.Stream && g.Partition == p.Key }), nil
}
