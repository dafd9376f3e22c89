package auditlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Bounds of the sealer's work.
const (
	// SealEvery is how often the sealer looks for events.
	SealEvery = 5 * time.Second
	// sealedAtOnce is the most events under one checkpoint, and so in one
	// transaction.
	sealedAtOnce = 1000
	// workspacesAtOnce is the most workspaces of one look.
	workspacesAtOnce = 200
)

// Sealer seals what has been recorded. Any number of them may work side by side:
// the store lets one at a time at each log. A Sealer itself is not for concurrent
// use.
type Sealer struct {
	Store  Store
	Tenant id.Tenant
	Signer *Signer
	Log    *slog.Logger
	// Every is how often to look; [SealEvery] when zero.
	Every time.Duration
	// Observe, if not nil, is told after each round how long the oldest event
	// that is left has waited, also one that cannot be sealed yet because an
	// older transaction is still open: 0 when none is left.
	Observe func(waiting time.Duration)

	// seen is how far each log was: one that is shorter now was cut off.
	seen map[id.Workspace]Checkpoint
}

// Run seals until ctx ends. A failed round is logged, and what it left is the
// next one's; actions never wait for it.
func (s *Sealer) Run(ctx context.Context) error {
	every := s.Every
	if every == 0 {
		every = SealEvery
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if _, err := s.Seal(ctx); err != nil && ctx.Err() == nil {
			s.Log.LogAttrs(ctx, slog.LevelError, "audit events could not be sealed", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Seal seals everything that can be sealed now and returns how many events that
// was. One workspace whose log cannot be continued does not hold up the others.
func (s *Sealer) Seal(ctx context.Context) (sealed int, err error) {
	sealed, err = s.sealAll(ctx)
	if s.Observe != nil {
		waiting, asked := s.Store.UnsealedFor(ctx)
		if asked == nil {
			s.Observe(waiting)
		}
		err = errors.Join(err, asked)
	}
	return sealed, err
}

func (s *Sealer) sealAll(ctx context.Context) (sealed int, err error) {
	var failures []error
	failed := map[id.Workspace]bool{}
	for {
		waiting, err := s.Store.SealableWorkspaces(ctx, workspacesAtOnce)
		if err != nil {
			return sealed, errors.Join(append(failures, err)...)
		}
		progress, moved := 0, false
		for _, w := range waiting {
			if failed[w] {
				continue
			}
			n, changed, err := s.sealWorkspace(ctx, id.Scope{Tenant: s.Tenant, Workspace: w})
			if err != nil {
				failed[w] = true
				failures = append(failures, fmt.Errorf("seal the audit events of %s: %w", w, err))
			}
			progress += n
			moved = moved || changed
		}
		sealed += progress
		if !moved {
			return sealed, errors.Join(failures...)
		}
	}
}

// sealWorkspace seals one batch and returns how many events it has, and whether
// anything was written.
func (s *Sealer) sealWorkspace(ctx context.Context, scope id.Scope) (sealed int, changed bool, err error) {
	var made *Batch
	err = s.Store.ContinueLog(ctx, scope, func(head Head, unsealed Unsealed) (*Batch, error) {
		batch, err := s.continueLog(scope, head, unsealed)
		made = batch
		return batch, err
	})
	if err != nil || made == nil {
		return 0, false, err
	}
	if len(made.Entries) > 0 {
		if s.seen == nil {
			s.seen = map[id.Workspace]Checkpoint{}
		}
		s.seen[scope.Workspace] = made.Checkpoint
	}
	return len(made.Entries), true, nil
}

// continueLog makes the next batch. It trusts only what its own key signed: size
// and root come out of the last checkpoint, and the stored edge has to hash to it.
func (s *Sealer) continueLog(scope id.Scope, head Head, unsealed Unsealed) (*Batch, error) {
	tree, last, err := s.openHead(scope, head)
	if err != nil {
		return nil, err
	}
	// A log can have come here with a dump of another server, which counted
	// transactions of its own.
	foreign := head.Arrival == nil || last.Number == 0 || last.Number < head.Arrival.Checkpoint
	from := uint64(0)
	switch {
	case foreign:
	case last.Number > head.Arrival.Checkpoint:
		from = last.Horizon
	default:
		from = head.Arrival.Horizon
	}
	events, err := unsealed.Read(from, foreign, sealedAtOnce)
	if err != nil || len(events) == 0 && !foreign {
		return nil, err
	}
	batch := &Batch{Checkpoint: Checkpoint{Scope: scope, Number: last.Number + 1, Horizon: unsealed.Snapshot.Min, Time: time.Now()}}
	if foreign && len(events) < sealedAtOnce {
		batch.Arrival = &Arrival{Checkpoint: last.Number, Horizon: unsealed.Snapshot.Min}
	}
	if len(events) == 0 {
		return batch, nil
	}
	if len(events) == sealedAtOnce && !foreign {
		// More of the last transaction's events, and later ones, may be left.
		batch.Checkpoint.Horizon = min(batch.Checkpoint.Horizon, events[len(events)-1].Transaction)
	}
	for _, e := range events {
		leaf, err := LeafHash(e)
		if err != nil {
			return nil, err
		}
		entry := Entry{Number: tree.Size(), Event: e.ID}
		if entry.Hashes, err = tree.Append(leaf); err != nil {
			return nil, err
		}
		batch.Entries = append(batch.Entries, entry)
	}
	batch.Checkpoint.Size = tree.Size()
	if batch.Checkpoint.Root, err = tree.Root(); err != nil {
		return nil, err
	}
	batch.Note, err = s.Signer.Sign(batch.Checkpoint)
	return batch, err
}

// openHead returns the tree that the log's last checkpoint is about.
func (s *Sealer) openHead(scope id.Scope, head Head) (*Tree, Checkpoint, error) {
	if head.Entries < s.seen[scope.Workspace].Size {
		return nil, Checkpoint{}, fmt.Errorf("the log has %d entries and had %d; its end was cut off, see gatehouse audit verify, or the database was restored: then restart this service",
			head.Entries, s.seen[scope.Workspace].Size)
	}
	if head.Note == "" {
		if head.Entries > 0 {
			return nil, Checkpoint{}, errors.New("the log has entries and no checkpoint; it was tampered with, see gatehouse audit verify")
		}
		return &Tree{}, Checkpoint{Scope: scope}, nil
	}
	last, err := OpenCheckpoint(head.Note, s.Signer.verifier)
	if err != nil {
		return nil, last, fmt.Errorf("the log's last checkpoint was tampered with, see gatehouse audit verify: %w", err)
	}
	if last.Scope != scope || last.Size != head.Entries {
		return nil, last, fmt.Errorf("the log has %d entries and its last checkpoint is %s with %d; it was tampered with, see gatehouse audit verify",
			head.Entries, Origin(last.Scope), last.Size)
	}
	stored, err := head.Hashes(EdgeEntries(last.Size))
	if err != nil {
		return nil, last, err
	}
	tree, err := LoadTree(last.Size, stored)
	if err != nil {
		return nil, last, err
	}
	root, err := tree.Root()
	if err == nil && root != last.Root {
		err = errors.New("the log's stored hashes are not those that were signed; it was tampered with, see gatehouse audit verify")
	}
	return tree, last, err
}
