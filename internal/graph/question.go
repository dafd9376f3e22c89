package graph

import (
	"context"
	"encoding/json"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Entity is one version of a node.
type Entity struct {
	ID          EntityID
	Kind        connector.EntityKind
	Type        string
	Name        string
	ProviderID  string
	Connection  id.Connection
	Integration integration.ID
	Identifiers []connector.Identifier
	// Attributes is a JSON object, or nil for an empty one.
	Attributes json.RawMessage
	// FirstRun is the run that saw this version first.
	FirstRun  id.Run
	ValidFrom time.Time
}

// Edge is one version of a relationship.
type Edge struct {
	ID       [16]byte
	Kind     connector.RelationshipKind
	From, To EntityID
	Key      string
	Effect   connector.Effect
	// Terms is nil when the connector gave none.
	Terms *connector.Terms
	// Partition is the stream partition that the edge was read from.
	Partition int64
	FirstRun  id.Run
	ValidFrom time.Time
}

// EntityFilter narrows a listing of entities; zero fields do not narrow.
type EntityFilter struct {
	Kind       connector.EntityKind
	Type       string
	Connection id.Connection
	ProviderID string
	Name       string
	NamePrefix string
	// AsOf is the moment that the listing shows.
	AsOf Moment
	// After continues a listing behind an entity.
	After *EntityPosition
	// Limit is the most entities to return, at least 1.
	Limit int
}

// EntityPosition is a place in the order of entities: by name, byte by byte,
// then by id.
type EntityPosition struct {
	Name string
	ID   EntityID
}

// Side is one of the two ends of a relationship.
type Side int

// The sides.
const (
	From Side = iota
	To
)

// Pair is the two ends of edges to look for.
type Pair struct {
	From, To EntityID
}

// Link is that an edge of a kind exists, and nothing about it.
type Link struct {
	Kind     connector.RelationshipKind
	From, To EntityID
}

// Start is where to go on in the sorted list of an entity's neighbours.
type Start struct {
	At    EntityID
	After EntityID
}

// Neighbour is one entry of the sorted list of an entity's neighbours.
type Neighbour struct {
	At  EntityID
	Far EntityID
}

// QuestionStore reads the graph.
type QuestionStore interface {
	// Snapshot calls fn with the workspace's graph as it is at one moment: what
	// is published meanwhile does not show. The view ends with fn.
	Snapshot(ctx context.Context, w id.Workspace, fn func(v View) error) error
}

// View is the graph of one workspace at one moment. Edges never leave
// their connection, so questions about edges name it. Orders are by the bytes
// of the ids. Methods answer with what there is: an id that names nothing is
// left out. A View is for one goroutine.
type View interface {
	// Moment is the time the view shows, by the database's clock.
	Moment() time.Time
	// At returns the graph as it was at a moment, by the same snapshot. Invalid
	// when the moment is in the future, or names a run that published nothing.
	At(ctx context.Context, m Moment) (View, error)
	// Entity returns an entity of any connection, or NotFound.
	Entity(ctx context.Context, e EntityID) (Entity, error)
	// List returns the entities that pass the filter in order of
	// [EntityPosition].
	List(ctx context.Context, f EntityFilter) ([]Entity, error)
	// Entities returns entities of a connection, without identifiers and
	// attributes.
	Entities(ctx context.Context, c id.Connection, ids []EntityID) (map[EntityID]Entity, error)
	// Walk reads hops in one exchange; what belongs to hop n is at n. See [Hop].
	Walk(ctx context.Context, c id.Connection, from []EntityID, hops []Hop) ([]Walked, error)
	// Between returns the edges of a kind between pairs, in no particular order.
	Between(ctx context.Context, c id.Connection, kind connector.RelationshipKind, pairs []Pair) ([]Edge, error)
	// Links returns which edges of some kinds exist at one of the given entities,
	// for walking far; as many as the bound means there may be more.
	Links(ctx context.Context, c id.Connection, kinds []connector.RelationshipKind, side Side, at []EntityID, most int) ([]Link, error)
	// Relationships returns the relationships of a kind that have an entity at one
	// end, as their connector emitted them, in order of their other ends; at most
	// so many.
	Relationships(ctx context.Context, c id.Connection, kind connector.RelationshipKind, side Side, at EntityID, most int) ([]connector.Relationship, error)
	// Neighbours returns, for each start, the first different entities at the
	// other end of its edges of a kind, at most so many of each, in their order.
	Neighbours(ctx context.Context, c id.Connection, kind connector.RelationshipKind, side Side, starts []Start, most int) ([]Neighbour, error)
	// Assumable returns the different accounts that have an edge of the kind to
	// one of these entities and that other accounts may assume; at most so many.
	Assumable(ctx context.Context, c id.Connection, kind connector.RelationshipKind, to []EntityID, most int) ([]EntityID, error)
	// Coverage says how completely a connection was read.
	Coverage(ctx context.Context, c id.Connection) (Coverage, error)
	// Describe is Entities, Coverage and, of principals, Identities in one exchange.
	Describe(ctx context.Context, c id.Connection, ids, principals []EntityID) (Description, error)
	// Coverages is Coverage of one connection, or when that is zero, of at most
	// [MaxCoverages], in their order: of some at first; more says that there are
	// others.
	Coverages(ctx context.Context, c id.Connection, first []id.Connection) (found []Coverage, more bool, err error)
	// HistoryBegins is from when on history is kept; nil for from the beginning on,
	// and when the view is of the present.
	HistoryBegins() *time.Time
	// Partitions names stream partitions.
	Partitions(ctx context.Context, ids []int64) (map[int64]PartitionName, error)

	Joined
	AllTime
}

// Joined is what a [View] knows of identities.
type Joined interface {
	// Identities names the identities of principals of any connection that are one
	// with others.
	Identities(ctx context.Context, principals []EntityID) (map[EntityID]Identity, error)
	// Identity returns an identity and its principals in order of id, at most some
	// hundreds; or the identity that it went into; NotFound when there is none.
	Identity(ctx context.Context, i IdentityID) (Identity, []Entity, error)
	// Fellows returns those principals of a connection that are one with some of
	// these, themselves included, in order of id; at most so many.
	Fellows(ctx context.Context, c id.Connection, principals []EntityID, most int) ([]Fellow, error)
}

// Description is what an answer names, and how completely was looked.
type Description struct {
	Entities   map[EntityID]Entity
	Coverage   Coverage
	Identities Described
}

// AllTime is what a [View] knows of all time, whatever moment it shows.
type AllTime interface {
	// Ever returns the latest version of an entity that was ever there, or
	// NotFound.
	Ever(ctx context.Context, e EntityID) (Entity, error)
	// EverNamed returns the latest versions of entities of a connection, without
	// identifiers and attributes.
	EverNamed(ctx context.Context, c id.Connection, ids []EntityID) (map[EntityID]Entity, error)
	// EverRepresented returns the accounts that a principal ever represented.
	EverRepresented(ctx context.Context, c id.Connection, principal EntityID) ([]EntityID, error)
	// Past returns every version of the edges by which some principals or accounts
	// of a connection may ever have reached some resources of it.
	Past(ctx context.Context, c id.Connection, from, resources []EntityID) (Past, error)
	// Changes returns changes in order of [ChangePosition]. When the work of a
	// page was at its bound before the page was full, next says where to go on.
	Changes(ctx context.Context, q ChangeQuery) (found []Change, next *ChangePosition, err error)
	// ChangeSummary counts what the publications changed, of all kinds.
	ChangeSummary(ctx context.Context, q ChangeQuery) (ChangeSummary, error)
}

// PartitionName is a stream and the part of it that was read by itself.
type PartitionName struct {
	Stream    string
	Partition string
}

// Questions is the use cases that read the graph. All need the capability
// [workspace.ReadWorkspace] and see the caller's workspace only.
type Questions struct {
	Store QuestionStore
	// Deciders is nil where no requests are decided.
	Deciders Deciders
}

// GetEntity returns one entity as it was at a moment, or NotFound.
func (q *Questions) GetEntity(ctx context.Context, c workspace.Caller, e EntityID, at Moment) (Entity, error) {
	var found Entity
	err := q.ask(ctx, c, at, func(v View) (err error) {
		found, err = v.Entity(ctx, e)
		return err
	})
	return found, err
}

func (q *Questions) ask(ctx context.Context, c workspace.Caller, at Moment, fn func(v View) error) error {
	if err := c.Require(workspace.ReadWorkspace); err != nil {
		return err
	}
	return q.Store.Snapshot(ctx, c.Scope.Workspace, func(v View) error {
		if at.Now() {
			return fn(v)
		}
		then, err := v.At(ctx, at)
		if err != nil {
			return err
		}
		return fn(then)
	})
}

// mustBe returns an Invalid error unless the entity is of one of the kinds.
func mustBe(parameter string, e Entity, kinds ...connector.EntityKind) error {
	for _, k := range kinds {
		if e.Kind == k {
			return nil
		}
	}
	want := string(kinds[0])
	for _, k := range kinds[1:] {
		want += " or " + string(k)
	}
	return fault.InvalidField(parameter, "%s is a kind of entity that this question is not about: %s; ask with a %s", e.ID, e.Kind, want)
}
