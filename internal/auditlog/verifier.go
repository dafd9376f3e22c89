package auditlog

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Source is where a verifier reads a log. Notes and Entries return some of what
// is behind the given number, in order, and nothing at the end.
type Source interface {
	// Notes returns checkpoints; the first one has number 1.
	Notes(ctx context.Context, after int64) ([]StoredNote, error)
	// Entries returns entries; the first one has number 0.
	Entries(ctx context.Context, after int64) ([]SealedEvent, error)
	// Events lists all events page by page, in any order. The cursor is empty
	// for the first page, and what it returns is empty at the end.
	Events(ctx context.Context, cursor string) (events []audit.Record, next string, err error)
}

// StoredNote is a checkpoint under the number that it is stored by.
type StoredNote struct {
	Number int64
	Note   string
}

// SealedEvent is an entry as an auditor sees it.
type SealedEvent struct {
	Entry int64
	Event id.AuditEvent
	// LeafHash is what the log says the event was sealed as.
	LeafHash tlog.Hash
	// Record is the event as it is now, nil when it is gone.
	Record *audit.Record
}

// Finding is one thing that is not as it was sealed.
type Finding struct {
	// Event is what it is about, 0 when it is no single event.
	Event id.AuditEvent
	// Text says what was found, in a line.
	Text string
}

// Report is what a verification came to.
type Report struct {
	// Checkpoints and Entries are how many were checked, Unsealed how many
	// events wait to be sealed.
	Checkpoints, Entries, Unsealed int64
	// Findings is how many were told.
	Findings int
	// Latest is the last checkpoint whose signature is good.
	Latest Checkpoint
}

// Verifier checks a log against its signatures and against the events. It keeps
// one bit for each event and a few hashes, however long the log is.
type Verifier struct {
	Source Source
	// Key checks signatures. Where it comes from decides what is proven: from
	// the server, that the database was not changed behind the server's back;
	// from the auditor's own records, that the key was not exchanged either.
	Key note.Verifier
	// Scope is the workspace whose log it has to be.
	Scope id.Scope
	// Saved are checkpoints that the auditor kept. Only they show that the end
	// of the log and of the events was cut off together, or that the whole
	// log was made anew.
	Saved []Checkpoint
	// UnsealedFor is how long an event may wait to be sealed; zero is for ever.
	UnsealedFor time.Duration
	// Now is the auditor's clock.
	Now time.Time
	// Found is told each finding as it is made.
	Found func(Finding)
}

// Verify reads the whole log and all events. An error means that it could not
// be verified; findings are no error.
func (v *Verifier) Verify(ctx context.Context) (Report, error) {
	r := &reading{Verifier: v, sealed: bits{}, roots: map[int64]tlog.Hash{}}
	if err := r.readLog(ctx); err != nil {
		return r.report, err
	}
	r.checkSaved()
	return r.report, r.readEvents(ctx)
}

func (r *reading) find(event id.AuditEvent, format string, args ...any) {
	r.report.Findings++
	r.Found(Finding{Event: event, Text: fmt.Sprintf(format, args...)})
}

// readEvents compares what is listed with what is in the log.
func (r *reading) readEvents(ctx context.Context) error {
	for cursor := ""; ; {
		events, next, err := r.Source.Events(ctx, cursor)
		if err != nil {
			return err
		}
		for _, e := range events {
			switch {
			case r.sealed.clear(e.ID):
			case e.Transaction < r.report.Latest.Horizon:
				r.find(e.ID, "%s is not in the log, although events of later transactions are: it was added behind the log's back", e.ID)
			default:
				r.report.Unsealed++
				if waited := r.Now.Sub(e.CreatedAt); r.UnsealedFor > 0 && waited > r.UnsealedFor {
					r.find(e.ID, "%s has waited %s to be sealed: the sealer does not run, or is kept from its work", e.ID, waited.Round(time.Second))
				}
			}
		}
		if next == "" || len(events) == 0 {
			break
		}
		cursor = next
	}
	for event := range r.sealed.all() {
		if !r.gone.has(event) {
			r.find(event, "%s is in the log and is not listed", event)
		}
	}
	return nil
}

// checkSaved compares the log with what the auditor kept of it.
func (r *reading) checkSaved() {
	for _, saved := range r.Saved {
		root, computed := r.roots[saved.Size]
		switch {
		case saved.Size > r.tree.Size() || saved.Number > r.report.Latest.Number:
			r.find(0, "the log ends with entry %d and checkpoint %d, the saved checkpoint %d vouches for %d entries: the end was cut off, or the database is from an older backup",
				r.tree.Size()-1, r.report.Latest.Number, saved.Number, saved.Size)
		case !computed || root != saved.Root:
			r.find(0, "the first %d entries are not those that the saved checkpoint %d vouches for: this is another log under the same name", saved.Size, saved.Number)
		}
	}
}
