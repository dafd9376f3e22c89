package export

import (
	"context"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/graph"
)

// writeGraph writes nodes and then edges. Of an answer to who-can or what-can that
// takes asking twice, at the same moment: the nodes are not kept in memory.
func (w *work) writeGraph(ctx context.Context) error {
	out, err := w.encodings.Graph.Open(w.out)
	if err != nil {
		return err
	}
	node := func(e graph.Entity) error {
		w.out.rows++
		return out.Node(e)
	}
	edge := func(e Edge) error {
		w.out.rows++
		return out.Edge(e)
	}
	switch w.Query.Subject {
	case Why:
		err = w.pathGraph(ctx, node, edge)
	case WhoCan, WhatCan:
		err = w.accessGraph(ctx, node, edge)
	default:
		err = w.wholeGraph(ctx, node, edge)
	}
	if err != nil {
		return err
	}
	return out.Close()
}

func (w *work) wholeGraph(ctx context.Context, node func(graph.Entity) error, edge func(Edge) error) error {
	if err := w.eachEntity(ctx, node); err != nil {
		return err
	}
	columns := relationshipTable().Columns
	return w.eachRelationship(ctx, func(r Relationship) error {
		// The first four are kind and ends.
		return edge(Edge{Kind: string(r.Kind), From: r.From, To: r.To, Columns: columns[4:], Row: relationshipRow(r)[4:]})
	})
}

// reaches is the kind of edge that a row of an answer becomes.
const reaches = "can_reach"

// maxSeen bounds what is remembered of the nodes that have been written. One that
// is written again is the same to whoever reads the file.
const maxSeen = 100_000

// seen remembers what has been written.
type seen[K comparable] map[K]bool

// first reports whether it is met for the first time.
func (s seen[K]) first(k K) bool {
	if s[k] {
		return false
	}
	if len(s) >= maxSeen {
		clear(s)
	}
	s[k] = true
	return true
}

func (w *work) accessGraph(ctx context.Context, node func(graph.Entity) error, edge func(Edge) error) error {
	subject, err := w.questions.GetEntity(ctx, w.asker(), w.subject(), graph.Moment{})
	if err != nil {
		return err
	}
	nodes := seen[graph.EntityID]{subject.ID: true}
	if err := node(subject); err != nil {
		return err
	}
	err = w.eachAccess(ctx, func(r graph.AccessRow, a graph.AccessAnswer) error {
		for _, e := range append([]graph.EntityID{r.Account, r.Resource}, r.Principals...) {
			if !nodes.first(e) {
				continue
			}
			if err := node(a.Entities[e]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	columns, represented := accessColumns(), seen[graph.Pair]{}
	return w.eachAccess(ctx, func(r graph.AccessRow, a graph.AccessAnswer) error {
		for _, p := range r.Principals {
			if !represented.first(graph.Pair{From: p, To: r.Account}) {
				continue
			}
			if err := edge(Edge{Kind: string(connector.PrincipalRepresentsAccount), From: p, To: r.Account}); err != nil {
				return err
			}
		}
		return edge(Edge{Kind: reaches, From: r.Account, To: r.Resource, Columns: columns, Row: accessValues(r, a.Entities)})
	})
}

func (w *work) pathGraph(ctx context.Context, node func(graph.Entity) error, edge func(Edge) error) error {
	answer, err := w.paths(ctx, w.Query.From, w.Query.To, graph.MaxPaths)
	if err != nil {
		return err
	}
	w.coverage, w.truncated = answer.Coverage, answer.Truncated
	nodes := []graph.Entity{answer.From, answer.To}
	var edges []graph.Edge
	for _, p := range answer.Paths {
		for _, s := range p.Steps {
			nodes = append(nodes, answer.Entities[s.From], answer.Entities[s.To])
			edges = append(edges, s.Edges...)
		}
	}
	known := seen[graph.EntityID]{}
	for _, e := range nodes {
		if known.first(e.ID) {
			if err := node(e); err != nil {
				return err
			}
		}
	}
	columns, drawn := append(termColumns(), seenColumns()...), seen[[16]byte]{}
	for _, e := range edges {
		if drawn.first(e.ID) {
			row := Row(append(termValues(e), seenValues(e, answer.Partitions)...))
			if err := edge(Edge{Kind: string(e.Kind), From: e.From, To: e.To, Columns: columns, Row: row}); err != nil {
				return err
			}
		}
	}
	return nil
}
