package graph

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/run"
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
}

// Take stages the batch that read returns. It is read only for whoever holds the
// run, because reading costs memory and time. A batch that the contract forbids
// is Invalid and stages nothing.
func (in *Ingest) Take(ctx context.Context, f run.Fence, read func() (Batch, error)) error {
	conn, which, err := in.Store.Connection(ctx, f)
	if err != nil {
		return err
	}
	b, err := read()
	if err != nil {
		return err
	}
	entry, err := in.Catalog.Get(which)
	if err != nil {
		return err
	}
	stream, ok := entry.Stream(b.Stream)
	if !ok {
		return fault.New(fault.Invalid, "contract violation: stream %q is not declared by %s", b.Stream, entry.ConnectorID)
	}
	if err := connector.ValidateRecords(stream, &b.Page); err != nil {
		return fault.New(fault.Invalid, "contract violation: stream %s, batch %d: %v", b.Stream, b.Number, err)
	}
	if len(b.Partition) > connector.MaxKeyBytes {
		return fault.New(fault.Invalid, "contract violation: stream %s: a partition key is longer than %d bytes", b.Stream, connector.MaxKeyBytes)
	}
	staged, err := stage(f.Workspace, conn, b)
	if err != nil {
		return err
	}
	return in.Store.Stage(ctx, f, staged)
}

// stage computes the ids and hashes of a batch's records.
func stage(w id.Workspace, c id.Connection, b Batch) (StagedBatch, error) {
	h := newHasher(w, c)
	s := StagedBatch{
		Batch:         b,
		Entities:      make([]StagedEntity, len(b.Page.Entities)),
		Relationships: make([]StagedRelationship, len(b.Page.Relationships)),
	}
	for i := range b.Page.Entities {
		e := &b.Page.Entities[i]
		row := StagedEntity{
			ID: h.entity(e.Ref), Kind: e.Kind, ProviderID: e.ID, Name: e.Name, Type: e.Type, Attributes: objectOrNil(e.Attributes),
		}
		if len(e.Identifiers) > 0 {
			raw, err := json.Marshal(e.Identifiers)
			if err != nil {
				return StagedBatch{}, fmt.Errorf("encode identifiers: %w", err)
			}
			row.Identifiers = raw
		}
		row.Hash = h.content([]byte(row.Name), []byte(row.Type), row.Identifiers, row.Attributes)
		s.Entities[i] = row
	}
	for i := range b.Page.Relationships {
		r := &b.Page.Relationships[i]
		row := StagedRelationship{
			From: h.entity(r.From), To: h.entity(r.To), Kind: r.Kind, Key: r.Key, Effect: connector.Allow, Attributes: objectOrNil(r.Attributes),
		}
		row.ID = h.relationship(r.Kind, row.From, row.To, r.Key)
		if r.Terms != nil {
			if r.Terms.Effect == connector.Deny {
				row.Effect = connector.Deny
			}
			raw, err := json.Marshal(r.Terms)
			if err != nil {
				return StagedBatch{}, fmt.Errorf("encode terms: %w", err)
			}
			row.Terms = raw
		}
		row.Hash = h.content([]byte(row.Effect), row.Terms, row.Attributes)
		s.Relationships[i] = row
	}
	return s, nil
}

// objectOrNil makes null and the empty object the same as nothing.
func objectOrNil(raw json.RawMessage) []byte {
	if s := string(raw); s == "" || s == "null" || s == "{}" {
		return nil
	}
	return raw
}
