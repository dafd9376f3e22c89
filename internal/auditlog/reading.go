package auditlog

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/gatehouse-project/gatehouse/internal/id"
)

// reading is one pass of a verifier over a log.
type reading struct {
	*Verifier
	report Report
	tree   Tree
	// roots are the computed ones at the sizes of saved checkpoints.
	roots map[int64]tlog.Hash
	// sealed are the events in the log, gone those of them that exist no more.
	sealed, gone bits
	// broken says that the tree's hashes cannot be those that were signed any
	// more, so that later roots tell nothing new.
	broken bool
	// since is the first event after the last checkpoint, last the last one.
	since, last id.AuditEvent

	notes   stream[StoredNote]
	entries stream[SealedEvent]
}

// readLog walks checkpoints and entries side by side. Both are appended in one
// transaction; so where entries lie behind the last checkpoint, it asks once more
// for checkpoints before it finds something in that.
func (r *reading) readLog(ctx context.Context) error {
	r.gone = bits{}
	r.notes = stream[StoredNote]{read: r.Source.Notes, number: func(n StoredNote) int64 { return n.Number }}
	r.entries = stream[SealedEvent]{read: r.Source.Entries, number: func(e SealedEvent) int64 { return e.Entry }, last: -1}
	for {
		stored, ok, err := r.notes.next(ctx)
		if err != nil {
			return err
		}
		if ok {
			if err := r.readCheckpoint(ctx, stored.Note); err != nil {
				return err
			}
			continue
		}
		more, err := r.entries.more(ctx)
		if err != nil || !more {
			return err
		}
		if more, err = r.notes.more(ctx); err != nil {
			return err
		}
		if !more {
			return r.readUncovered(ctx)
		}
	}
}

// readCheckpoint checks a checkpoint and the entries that it adds.
func (r *reading) readCheckpoint(ctx context.Context, signed string) error {
	c, err := OpenCheckpoint(signed, r.Key)
	if err != nil {
		r.find(0, "the checkpoint after number %d is %s", r.report.Latest.Number, err.Error())
		return nil
	}
	last := r.report.Latest
	switch {
	case c.Scope != r.Scope:
		r.find(0, "checkpoint %d is of another log, %s", c.Number, Origin(c.Scope))
		return nil
	case c.Number <= last.Number:
		r.find(0, "checkpoint %d stands behind checkpoint %d: there are two of one number, or their order was changed", c.Number, last.Number)
		return nil
	case c.Number > last.Number+1:
		r.find(0, "checkpoints %d to %d are missing", last.Number+1, c.Number-1)
	}
	if c.Size <= last.Size {
		r.find(0, "checkpoint %d vouches for %d entries, fewer than the one before", c.Number, c.Size)
		return nil
	}
	if err := r.readEntries(ctx, c); err != nil {
		return err
	}
	r.report.Latest = c
	r.report.Checkpoints++
	return nil
}

func (r *reading) readEntries(ctx context.Context, c Checkpoint) error {
	r.since = 0
	for r.tree.Size() < c.Size {
		e, ok, err := r.entries.next(ctx)
		if err != nil {
			return err
		}
		if !ok {
			if !r.broken {
				r.find(0, "the log ends with entry %d, behind %s, but checkpoint %d vouches for %d entries: the end was cut off", r.tree.Size()-1, eventOrNone(r.last), c.Number, c.Size)
			}
			r.broken = true
			return nil
		}
		if err := r.readEntry(e); err != nil {
			return err
		}
	}
	root, err := r.tree.Root()
	if err != nil {
		return err
	}
	if root != c.Root && !r.broken {
		r.broken = true
		r.find(0, "entries up to %s do not have the hash that checkpoint %d signs: some of %s to %s, and their hashes in the log, were changed; what follows cannot be judged by its checkpoints",
			r.last, c.Number, r.since, r.last)
	}
	return nil
}

// readEntry adds an entry to the tree with the hash that the log gives for it:
// the signed root shows whether that is true, and the event whether it still
// has it. So one changed event is found by its id.
func (r *reading) readEntry(e SealedEvent) error {
	if e.Entry != r.tree.Size() {
		if missing := e.Entry - r.tree.Size(); missing > 0 {
			r.find(0, "%d of the log's entries are missing between %s and %s", missing, eventOrNone(r.last), e.Event)
		} else {
			r.find(e.Event, "entry %d, of %s, is in the log twice", e.Entry, e.Event)
			return nil
		}
		r.broken = true
		// The count goes on, so that later entries are compared with their events.
		for r.tree.Size() < e.Entry {
			if err := r.grow(tlog.Hash{}); err != nil {
				return err
			}
		}
	}
	if err := r.checkEvent(e); err != nil {
		return err
	}
	if r.since == 0 {
		r.since = e.Event
	}
	r.last = e.Event
	r.report.Entries++
	return r.grow(e.LeafHash)
}

func (r *reading) checkEvent(e SealedEvent) error {
	if !r.sealed.set(e.Event) {
		r.find(e.Event, "%s is in the log twice", e.Event)
	}
	if e.Record == nil {
		r.gone.set(e.Event)
		r.find(e.Event, "%s was deleted after it had been sealed", e.Event)
		return nil
	}
	hash, err := LeafHash(*e.Record)
	if err != nil {
		return fmt.Errorf("hash %s: %w", e.Event, err)
	}
	if hash != e.LeafHash || e.Record.ID != e.Event {
		r.find(e.Event, "%s was changed after it had been sealed", e.Event)
	}
	return nil
}

func (r *reading) grow(leaf tlog.Hash) error {
	if _, err := r.tree.Append(leaf); err != nil {
		return err
	}
	for _, saved := range r.Saved {
		if saved.Size == r.tree.Size() {
			root, err := r.tree.Root()
			if err != nil {
				return err
			}
			r.roots[saved.Size] = root
		}
	}
	return nil
}

// readUncovered reads entries for which there is no checkpoint.
func (r *reading) readUncovered(ctx context.Context) error {
	for {
		e, ok, err := r.entries.next(ctx)
		if err != nil || !ok {
			return err
		}
		r.find(e.Event, "%s is in the log, but no checkpoint vouches for it: a checkpoint is missing", e.Event)
		if err := r.readEntry(e); err != nil {
			return err
		}
	}
}

func eventOrNone(e id.AuditEvent) string {
	if e == 0 {
		return "the beginning"
	}
	return e.String()
}
