package auditlog

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Proof shows that an event is in the log that a checkpoint signs, to whoever has
// the public key and nothing else.
type Proof struct {
	Event id.AuditEvent
	// Entry is the event's place in the log.
	Entry int64
	// Leaf is what the log holds of the event; see [Leaf].
	Leaf []byte
	// Hashes are those beside the way from the leaf to the root, as [tlog] has them.
	Hashes     []tlog.Hash
	Checkpoint StoredCheckpoint
}

// Prove returns the proof of an event under the last checkpoint. The error is
// NotFound for an event that the workspace does not have, and a Conflict as long as
// it is not sealed, which takes seconds.
func (s *Service) Prove(ctx context.Context, c workspace.Caller, e id.AuditEvent) (Proof, error) {
	if err := c.Require(workspace.ReadAudit); err != nil {
		return Proof{}, err
	}
	entry, sealed, err := s.Log.EntryOf(ctx, c.Scope, e)
	if err != nil {
		return Proof{}, err
	}
	if !sealed {
		return Proof{}, fault.New(fault.Conflict, "%s is not sealed yet, which takes some seconds; ask again", e)
	}
	p := Proof{Event: e, Entry: entry}
	// The checkpoint is read behind the entry, so it covers it.
	if p.Checkpoint, err = s.Log.LatestCheckpoint(ctx, c.Scope); err != nil {
		return Proof{}, err
	}
	stored, err := s.Log.EntriesFrom(ctx, c.Scope, entry, 1)
	if err != nil {
		return Proof{}, err
	}
	if len(stored) == 0 || stored[0].Record == nil {
		return Proof{}, fault.New(fault.Conflict, "%s was deleted after it had been sealed; see gatehouse audit verify", e)
	}
	if p.Leaf, err = Leaf(*stored[0].Record); err != nil {
		return Proof{}, err
	}
	proof, err := tlog.ProveRecord(p.Checkpoint.Size, entry, tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		return s.storedHashes(ctx, c.Scope, indexes)
	}))
	if err != nil {
		return Proof{}, fmt.Errorf("prove %s: %w", e, err)
	}
	p.Hashes = proof
	return p, nil
}

// storedHashes finds hashes by their indexes: each is stored with the entry that
// completes its subtree.
func (s *Service) storedHashes(ctx context.Context, scope id.Scope, indexes []int64) ([]tlog.Hash, error) {
	subtrees, entries := make([]subtree, len(indexes)), make([]int64, len(indexes))
	for i, index := range indexes {
		level, n := tlog.SplitStoredHashIndex(index)
		subtrees[i] = subtree{level: level, n: n}
		entries[i] = subtrees[i].entry()
	}
	stored, err := s.Log.Hashes(ctx, scope, entries)
	if err != nil {
		return nil, err
	}
	hashes := make([]tlog.Hash, len(indexes))
	for i, t := range subtrees {
		of := stored[t.entry()]
		if len(of) <= t.level {
			return nil, fmt.Errorf("entry %d of the log is missing or lacks hashes; see gatehouse audit verify", t.entry())
		}
		hashes[i] = of[t.level]
	}
	return hashes, nil
}
