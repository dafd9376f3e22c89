package graph

import (
	"context"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Bounds of the paths question.
const (
	// MaxPathDepth is the most edges of a path.
	MaxPathDepth = 12
	// MaxPaths is the most paths of an answer.
	MaxPaths = 50
	// maxStepEdges is how many parallel edges a step shows.
	maxStepEdges = 20
	// Of one expansion, so many edges are read at first; then eight times as
	// many, and so on up to the last.
	firstExpansion = 1_000
	lastExpansion  = 64_000
	expansionGrows = 8
	// maxPathWork bounds the steps of the search for simple paths.
	maxPathWork = 200_000
)

// PathQuery asks how one entity reaches another.
type PathQuery struct {
	From, To EntityID
	// Identity, when set, asks in the place of From about all its principals.
	Identity IdentityID
	// Depth is the most edges of a path, 1 to [MaxPathDepth].
	Depth int
	// Limit is the most paths, 1 to [MaxPaths].
	Limit int
	// AsOf is the moment that the answer shows.
	AsOf Moment
}

// Step is one hop of a path, with all edges that make it.
type Step struct {
	Link
	// Edges has at most 20, in order of their key; MoreEdges says that there
	// are more.
	Edges     []Edge
	MoreEdges bool
}

// Path is a way from one entity to another on which no entity comes twice.
type Path struct {
	Steps []Step
	// Effect is deny when some step is made by denying edges alone.
	Effect connector.Effect
}

// PathAnswer is the shortest paths from one entity to another, shortest first.
type PathAnswer struct {
	// From is zero when an Identity was asked about.
	From, To Entity
	Identity *Identity
	Paths    []Path
	Entities map[EntityID]Entity
	// Partitions names where the edges were read.
	Partitions map[int64]PartitionName
	// Truncated says that the search met its bounds, so that there may be paths
	// that are not shown, or shorter ones.
	Truncated     bool
	AsOf          time.Time
	HistoryBegins *time.Time
	Coverage      []Coverage
}

// accessKinds are the kinds of edges that access runs along. Containment in a
// boundary gives none.
func accessKinds() []connector.RelationshipKind {
	return []connector.RelationshipKind{
		connector.PrincipalRepresentsAccount, connector.AccountAssignedEntitlement, connector.EntitlementGrantsResource,
		connector.EntitlementIncludesEntitlement, connector.AccountAssumesAccount,
	}
}

// Paths answers how one entity, or one of an identity's principals, reaches
// another. Between entities of different connections there are no ways.
func (q *Questions) Paths(ctx context.Context, c workspace.Caller, p PathQuery) (PathAnswer, error) {
	var answer PathAnswer
	err := q.ask(ctx, c, p.AsOf, func(v View) error {
		answer = PathAnswer{AsOf: v.Moment(), HistoryBegins: v.HistoryBegins()}
		begin, err := beginnings(ctx, v, p.From, p.Identity)
		if err != nil {
			return err
		}
		answer.From, answer.Identity = begin.entity, begin.identity
		if answer.To, err = v.Entity(ctx, p.To); err != nil {
			return err
		}
		if from := begin.of(answer.To.Connection); len(from) > 0 {
			if err := findPaths(ctx, v, p, from, &answer); err != nil {
				return err
			}
		}
		answer.Coverage, err = coverageOf(ctx, v, begin.with(answer.To.Connection)...)
		return err
	})
	return answer, err
}

func findPaths(ctx context.Context, v View, p PathQuery, from []EntityID, answer *PathAnswer) error {
	s := newPathSearch(v, answer.To.Connection, p, from)
	found, err := s.run(ctx)
	if err != nil {
		return err
	}
	answer.Truncated = s.truncated
	return explain(ctx, v, answer, found)
}

// explain reads what the edges of the paths say.
func explain(ctx context.Context, v View, answer *PathAnswer, found [][]Link) error {
	conn := answer.To.Connection
	pairs := map[connector.RelationshipKind]map[Pair]bool{}
	named := map[EntityID]bool{answer.To.ID: true}
	for _, links := range found {
		for _, l := range links {
			if pairs[l.Kind] == nil {
				pairs[l.Kind] = map[Pair]bool{}
			}
			pairs[l.Kind][Pair{l.From, l.To}] = true
			named[l.From], named[l.To] = true, true
		}
	}
	edges := map[Link][]Edge{}
	for kind, set := range pairs {
		list := make([]Pair, 0, len(set))
		for p := range set {
			list = append(list, p)
		}
		read, err := v.Between(ctx, conn, kind, list)
		if err != nil {
			return err
		}
		for _, e := range read {
			l := Link{Kind: kind, From: e.From, To: e.To}
			edges[l] = append(edges[l], e)
		}
	}
	partitions := map[int64]bool{}
	for _, links := range found {
		answer.Paths = append(answer.Paths, pathOf(links, edges, partitions))
	}
	var err error
	if answer.Entities, err = v.Entities(ctx, conn, keys(named)); err != nil {
		return err
	}
	ids := make([]int64, 0, len(partitions))
	for p := range partitions {
		ids = append(ids, p)
	}
	answer.Partitions, err = v.Partitions(ctx, ids)
	return err
}

func pathOf(links []Link, edges map[Link][]Edge, partitions map[int64]bool) Path {
	p := Path{Effect: connector.Allow}
	for _, l := range links {
		step := Step{Link: l, Edges: sortedByKey(edges[l])}
		denies := true
		for _, e := range step.Edges {
			denies = denies && e.Effect == connector.Deny
		}
		if denies {
			p.Effect = connector.Deny
		}
		if len(step.Edges) > maxStepEdges {
			step.Edges, step.MoreEdges = step.Edges[:maxStepEdges], true
		}
		for _, e := range step.Edges {
			partitions[e.Partition] = true
		}
		p.Steps = append(p.Steps, step)
	}
	return p
}
