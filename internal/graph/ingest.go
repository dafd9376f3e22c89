package graph

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"iter"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/internal/shares"
)

// Batch is one page of a run, or several of one partition, under a number. The batches of a run are
// numbered 0, 1, 2, … without gaps, over all its partitions.
type Batch struct {
	Number int64
	// Digest is over the batch as it was sent. The same batch may come again
	// when its answer was lost; another one under the same number is refused.
	Digest    [sha256.Size]byte
	Stream    string
	Partition string
	Page      connector.Page
	// End, when not empty, says that this was the partition's last page and how
	// completely it was read.
	End connector.Coverage
	// Failure says why End is not complete.
	Failure *connector.Error
}

// StagedEntity is an entity on its way into the graph.
type StagedEntity struct {
	ID          EntityID
	Kind        connector.EntityKind
	ProviderID  string
	Name        string
	Type        string
	Identifiers []byte
	Attributes  []byte
	Hash        [16]byte
}

// StagedRelationship is a relationship on its way into the graph.
type StagedRelationship struct {
	ID         [16]byte
	From, To   EntityID
	Kind       connector.RelationshipKind
	Key        string
	Effect     connector.Effect
	Terms      []byte
	Attributes []byte
	Hash       [16]byte
}

// StagedBatch is a batch in rows.
type StagedBatch struct {
	Batch
	Entities      []StagedEntity
	Relationships []StagedRelationship
}

// IngestStore stages batches.
type IngestStore interface {
	// Connection returns the connection and integration of a run that the
	// fence's holder holds; Stale when it does not.
	Connection(ctx context.Context, f run.Fence) (id.Connection, integration.ID, error)
	// Stage checks the fence, stores rows, cursor and counters in one
	// transaction. A batch that is already staged changes
	// nothing; a number out of order or with another digest is a Conflict, and
	// a cancelled run or ended lease is Stale.
	Stage(ctx context.Context, f run.Fence, b StagedBatch) error
}

// Ingest takes the batches of workers.
type Ingest struct {
	Store   IngestStore
	Catalog *integration.Catalog

	known holders
	turns turns
}

// Take stages the batch of a number, which read returns. It is read only for whoever
// holds the run, because reading costs memory and time, and may come while the one
// before it is being staged. A batch that the contract forbids is Invalid and
// stages nothing.
func (in *Ingest) Take(ctx context.Context, f run.Fence, number int64, read func() (Batch, error)) error {
	wait, end := in.turns.enter(f, number)
	defer end()
	conn, which, err := in.subject(ctx, f)
	if err != nil {
		return err
	}
	b, err := read()
	if err != nil {
		return err
	}
	b.Number = number
	entry, err := in.Catalog.Get(which)
	if err != nil {
		return err
	}
	stream, ok := entry.Stream(b.Stream)
	if !ok {
		return fault.New(fault.Invalid, "contract violation: stream %q is not declared by %s", b.Stream, entry.ConnectorID)
	}
	if len(b.Page.Next) > connector.MaxCursorBytes || len(b.Partition) > connector.MaxKeyBytes {
		return fault.New(fault.Invalid, "contract violation: stream %s, batch %d: a cursor is longer than %d bytes or a partition key longer than %d",
			b.Stream, b.Number, connector.MaxCursorBytes, connector.MaxKeyBytes)
	}
	staged, err := stage(f.Workspace, conn, stream, b)
	if err != nil {
		return err
	}
	if err := wait(ctx); err != nil {
		return err
	}
	return in.Store.Stage(ctx, f, staged)
}

// subject returns what a run is about that the fence's holder holds, or held when
// it sent an earlier batch: what this lets pass in vain is the reading of a batch,
// which Stage then refuses.
func (in *Ingest) subject(ctx context.Context, f run.Fence) (id.Connection, integration.ID, error) {
	if s, ok := in.known.get(f); ok {
		return s.connection, s.integration, nil
	}
	conn, which, err := in.Store.Connection(ctx, f)
	if err == nil {
		in.known.put(f, subject{conn, which})
	}
	return conn, which, err
}

// stage checks a batch's records against the contract and computes their ids and
// hashes.
func stage(w id.Workspace, c id.Connection, stream connector.Stream, b Batch) (StagedBatch, error) {
	s := StagedBatch{
		Batch:         b,
		Entities:      make([]StagedEntity, len(b.Page.Entities)),
		Relationships: make([]StagedRelationship, len(b.Page.Relationships)),
	}
	err := shares.Each(len(s.Entities)+len(s.Relationships), func(items iter.Seq[int]) error {
		h := newHasher(w, c)
		for i := range items {
			kind, n, err := "entity", i, error(nil)
			if i < len(s.Entities) {
				err = h.stageEntity(stream, &b.Page.Entities[i], &s.Entities[i])
			} else {
				kind, n = "relationship", i-len(s.Entities)
				err = h.stageRelationship(stream, &b.Page.Relationships[n], &s.Relationships[n])
			}
			if err != nil {
				return fault.New(fault.Invalid, "contract violation: stream %s, batch %d: %s %d: %v", b.Stream, b.Number, kind, n, err)
			}
		}
		return nil
	})
	return s, err
}

func (h *hasher) stageEntity(stream connector.Stream, e *connector.Entity, row *StagedEntity) error {
	if err := connector.ValidateEntity(stream, e); err != nil {
		return err
	}
	*row = StagedEntity{
		ID: h.entity(e.Ref), Kind: e.Kind, ProviderID: e.ID, Name: e.Name, Type: e.Type, Attributes: objectOrNil(e.Attributes),
	}
	if len(e.Identifiers) > 0 {
		row.Identifiers = h.keep(func(dst []byte) []byte { return appendIdentifiers(dst, e.Identifiers) })
	}
	row.Hash = h.entityContent(row)
	if e.Kind == connector.Principal && len(e.Identifiers) > 0 {
		// After the hash: a new rule for normal forms makes no versions of what has
		// not changed.
		row.Identifiers = h.keep(func(dst []byte) []byte { return appendNormalised(dst, e.Identifiers) })
	}
	return nil
}

func (h *hasher) stageRelationship(stream connector.Stream, r *connector.Relationship, row *StagedRelationship) error {
	if err := connector.ValidateRelationship(stream, r); err != nil {
		return err
	}
	*row = StagedRelationship{
		From: h.entity(r.From), To: h.entity(r.To), Kind: r.Kind, Key: r.Key, Effect: connector.Allow, Attributes: objectOrNil(r.Attributes),
	}
	row.ID = h.relationship(r.Kind, row.From, row.To, r.Key)
	if r.Terms != nil {
		if r.Terms.Effect == connector.Deny {
			row.Effect = connector.Deny
		}
		row.Terms = h.keep(func(dst []byte) []byte { return appendTerms(dst, r.Terms) })
	}
	row.Hash = h.relationshipContent(row)
	return nil
}

// objectOrNil makes the empty object the same as nothing.
func objectOrNil(raw json.RawMessage) []byte {
	if s := string(raw); s == "" || s == "{}" {
		return nil
	}
	return raw
}
