package export

import (
	"context"
	"encoding/json"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
)

// Source opens the graph for reading.
type Source interface {
	// Read calls fn with the workspace's graph as it was at a moment: what is
	// published meanwhile does not show. The reading ends with fn. The error is
	// Invalid for a moment that the graph does not know.
	Read(ctx context.Context, w id.Workspace, at graph.Moment, fn func(r Reading) error) error
}

// Reading is the graph of one workspace at one moment. It is for one goroutine,
// and one call at a time: a callback must not call it.
type Reading interface {
	// Moment is the time that the reading shows.
	Moment() time.Time
	// Questions answers questions about the same moment, which counts as now.
	Questions() graph.QuestionStore
	// EachEntity calls fn with each entity that passes, in no order.
	EachEntity(ctx context.Context, f EntityFilter, fn func(e graph.Entity) error) error
	// EachRelationship calls fn with each relationship that passes, in no order.
	EachRelationship(ctx context.Context, f RelationshipFilter, fn func(r Relationship) error) error
	// EachIdentified calls fn with each principal of a connection, or of all, and
	// the identity that it belongs to; those of one identity come together.
	EachIdentified(ctx context.Context, c id.Connection, fn func(p Identified) error) error
	// Coverage says how completely the connections were read; with a connection,
	// that one alone.
	Coverage(ctx context.Context, c id.Connection) ([]graph.Coverage, error)
	// Publications returns what is known of the runs' publications, in order of
	// run. Runs that have been removed are left out.
	Publications(ctx context.Context, runs []id.Run) ([]Publication, error)
}

// EntityFilter narrows; zero fields do not.
type EntityFilter struct {
	Kind       connector.EntityKind
	Type       string
	Connection id.Connection
}

// RelationshipFilter narrows; zero fields do not.
type RelationshipFilter struct {
	Kind       connector.RelationshipKind
	Connection id.Connection
}

// Relationship is an edge and where it was read.
type Relationship struct {
	graph.Edge
	Attributes  json.RawMessage
	Connection  id.Connection
	Integration integration.ID
	Read        graph.PartitionName
}

// Identified is a principal and the identity that it belongs to.
type Identified struct {
	graph.Entity
	Identity graph.Identity
	// Since is when it came to the identity; nil for one that has always been by
	// itself. The cause is a run that was published, or a correction; with neither,
	// a connection was deleted.
	Since      *time.Time
	Run        id.Run
	Correction id.Correction
}

// Publication is what a run brought into the graph.
type Publication struct {
	Run         id.Run
	Connection  id.Connection
	PublishedAt time.Time
	// Counts is a JSON object.
	Counts json.RawMessage
}
