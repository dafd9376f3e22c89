package graph

import (
	"context"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// Names of the counts that publishing adds to a run.
const (
	CountEntitiesRead         = "entities_read"
	CountEntitiesNew          = "entities_new"
	CountEntitiesChanged      = "entities_changed"
	CountEntitiesClosed       = "entities_closed"
	CountEntitiesKept         = "entities_kept_uncovered"
	CountRelationshipsRead    = "relationships_read"
	CountRelationshipsNew     = "relationships_new"
	CountRelationshipsChanged = "relationships_changed"
	CountRelationshipsClosed  = "relationships_closed"
	CountRelationshipsKept    = "relationships_kept_uncovered"
	CountDangling             = "relationships_dangling"
	CountDuplicates           = "records_duplicate"
	CountContradictions       = "records_contradicting"
	CountPartitionsComplete   = "partitions_complete"
	CountPartitionsPartial    = "partitions_partial"
	CountPartitionsSkipped    = "partitions_skipped"
	// CountPartitionsRetired counts those that went out of scope.
	CountPartitionsRetired = "partitions_retired"
)

// PublishStore merges staged rows into the graph.
type PublishStore interface {
	// Publish merges a run that was read into the graph and completes it, in
	// one transaction. It does nothing, and returns published false, when the
	// run is not waiting to be published or another publisher has it.
	Publish(ctx context.Context, scope id.Scope, r id.Run) (published bool, err error)
	// AbandonPublishing fails a run that is waiting to be published; nothing of
	// what it read goes into the graph.
	AbandonPublishing(ctx context.Context, scope id.Scope, r id.Run, end run.Ending) error
	// Forget drops the graphs of connections that have been deleted, at most
	// that many.
	Forget(ctx context.Context, most int) (forgotten int, err error)
}

// forgetMost bounds how many graphs one round drops.
const forgetMost = 20

// Publisher publishes runs that were read, and forgets what belonged to
// connections that are gone.
type Publisher struct {
	Store PublishStore
}

// Publish merges one run into the graph.
func (p *Publisher) Publish(ctx context.Context, ref run.Ref) (bool, error) {
	return p.Store.Publish(ctx, ref.Scope, ref.Run)
}

// GiveUp fails a run that could not be published, so that it does not stand in
// the way of the next one for ever.
func (p *Publisher) GiveUp(ctx context.Context, ref run.Ref) error {
	return p.Store.AbandonPublishing(ctx, ref.Scope, ref.Run, run.Ending{
		Outcome: run.Failed, Reason: operation.Internal, By: audit.System("publisher"),
		Failure: &run.Failure{Message: "what was read could not be published; the graph is as it was"},
	})
}

// Forget drops graphs of deleted connections; what is left is the next round's.
func (p *Publisher) Forget(ctx context.Context) error {
	_, err := p.Store.Forget(ctx, forgetMost)
	return err
}
