package graph

import (
	"encoding/json"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// ChangeKind is what happened to an entity or a relationship.
type ChangeKind string

// The kinds of changes. What is first observed may have been there before: the
// part of its stream had never been read completely. What is no longer observed
// may still be there: the part went out of scope.
const (
	Added            ChangeKind = "added"
	FirstObserved    ChangeKind = "first_observed"
	Changed          ChangeKind = "changed"
	Removed          ChangeKind = "removed"
	NoLongerObserved ChangeKind = "no_longer_observed"
)

// Change is one difference that one publication made.
type Change struct {
	What       ChangeKind
	Connection id.Connection
	// Run saw it; At is when it became visible.
	Run id.Run
	At  time.Time
	// Before and After are the versions of an entity, BeforeEdge and AfterEdge
	// those of a relationship. All are nil when a whole connection was first
	// observed, of which no entity is named.
	Before, After         *Entity
	BeforeEdge, AfterEdge *Relation
	// Partition is the part of a stream that it belongs to.
	Partition int64
	// Fields are what differs between the two versions.
	Fields []FieldChange

	at ChangePosition
}

// Relation is an edge and what the provider says of it beside its terms.
type Relation struct {
	Edge
	// Attributes is a JSON object, or nil for an empty one.
	Attributes json.RawMessage
}

// Edge returns the version of the relationship that says more: the later one.
func (c *Change) Edge() *Relation {
	if c.AfterEdge != nil {
		return c.AfterEdge
	}
	return c.BeforeEdge
}

// Entity returns the later version of the entity; nil for another change.
func (c *Change) Entity() *Entity {
	if c.After != nil {
		return c.After
	}
	return c.Before
}

// FieldChange is one field of two versions. A value is nil where there is none.
type FieldChange struct {
	// Field is name, type, identifiers, effect, or a field of the terms or of the
	// attributes, such as "attributes.path".
	Field         string
	Before, After json.RawMessage
}

// ChangeSection is the order of changes within one publication.
type ChangeSection byte

// The sections, in their order.
const (
	ConnectionChanges ChangeSection = iota
	EntityChanges
	RelationshipChanges
)

// ChangePosition is a place in a list of changes: by when they became visible,
// connection, section and id.
type ChangePosition struct {
	// Until is the end of the list, which does not move while pages are read.
	Until      time.Time
	At         time.Time
	Connection id.Connection
	Section    ChangeSection
	ID         [16]byte
}

// ChangeFilter says which changes are asked for; zero fields do not narrow.
type ChangeFilter struct {
	// From and To bound the list: what became visible after From, up to and with
	// To. Without From, it is what the last publication of each connection until
	// To changed.
	From, To Moment
	// Run limits the list to what one run changed; it goes without From and To.
	Run        id.Run
	Connection id.Connection
	// EntityKind and RelationshipKind leave the other section out.
	EntityKind       connector.EntityKind
	RelationshipKind connector.RelationshipKind
	// Subject limits the list to an entity and the relationships at it; of a
	// principal, also to those of the accounts that it represents or did.
	Subject EntityID
	// After continues a list.
	After *ChangePosition
	// Limit is the most changes of a page, at least 1.
	Limit int
}

// ChangeQuery is a [ChangeFilter] as a view is asked: by time.
type ChangeQuery struct {
	// After and Until bound the publications by when they became visible. Last
	// leaves only the last one of each connection.
	After, Until     time.Time
	Last             bool
	Run              id.Run
	Connection       id.Connection
	EntityKind       connector.EntityKind
	RelationshipKind connector.RelationshipKind
	// Subjects, when not empty, are entities of Connection.
	Subjects []EntityID
	// Behind continues a list.
	Behind *ChangePosition
	Limit  int
}

// Position returns the place of a change in a list that ends at a moment.
func (c *Change) Position(until time.Time) ChangePosition {
	p := c.at
	p.Until = until
	return p
}

// Place says where a change stands; stores call it.
func (c *Change) Place(s ChangeSection, of [16]byte) {
	c.at = ChangePosition{At: c.At, Connection: c.Connection, Section: s, ID: of}
}

// ChangeSummary counts what publications changed.
type ChangeSummary struct {
	// Publications is how many changed anything.
	Publications  int64
	Entities      ChangeCounts
	Relationships ChangeCounts
}

// ChangeCounts are the numbers of new, changed and removed rows. New ones are
// counted whether they were observed before or not.
type ChangeCounts struct {
	New, Changed, Removed int64
}

// ChangeAnswer is a page of changes.
type ChangeAnswer struct {
	Changes []Change
	// Entities are the ends of relationships that were named.
	Entities   map[EntityID]Entity
	Partitions map[int64]PartitionName
	// Next continues the list; nil at its end.
	Next *ChangePosition
	// Summary is over all pages, and narrowed by connection only; nil when a
	// subject was asked about.
	Summary *ChangeSummary
	// From is nil when each connection's last publication was asked for.
	From          *time.Time
	To            time.Time
	HistoryBegins *time.Time
	// Coverage is of at most [MaxCoverages] connections, of those with changes on the
	// page at first; MoreCoverage says that there are more.
	Coverage     []Coverage
	MoreCoverage bool
}
