package records

import (
	"context"
	"errors"

	"github.com/gatehouse-project/gatehouse/connector"
)

const (
	// flushBytes bounds a page by weight, so that heavy policies do not make
	// one of many megabytes.
	flushBytes = 2 << 20
	// Enough is from how many records a page is worth sending.
	Enough = 500
)

// Writer gathers the records of one read into pages of the contract's size. A page
// that is written while one of the provider's pages is still being taken apart
// carries the cursor of that page's start: continuing there repeats records, which
// the contract allows, and never leaves one out.
//
// A Writer serves one read and one goroutine. The first error is kept; whatever is
// added after it is dropped, and [Writer.At], [Writer.Err] and [Writer.Finish]
// return it unchanged.
type Writer struct {
	ctx    context.Context
	sink   connector.Sink
	page   connector.Page
	weight int
	enough int
	resume connector.Cursor
	// seen holds what many items repeat, such as outside parties, so that a
	// partition sends each once.
	seen map[connector.Ref]bool
	gaps map[string]bool
	err  error
}

// NewWriter returns the writer of a read. enough is from how many records on a page
// is sent when another of the provider's begins: [Enough], or 1 to send a page for
// each of the provider's.
func NewWriter(ctx context.Context, sink connector.Sink, enough int) *Writer {
	return &Writer{ctx: ctx, sink: sink, enough: enough, seen: map[connector.Ref]bool{}, gaps: map[string]bool{}}
}

// At states that all before p has been added. It is called before each of the
// provider's pages is taken apart.
func (w *Writer) At(p Place) error {
	c, err := p.Cursor()
	if err != nil {
		return err
	}
	w.resume = c
	if w.records() >= w.enough {
		w.flush(c)
	}
	return w.err
}

// Entity adds an entity.
func (w *Writer) Entity(e connector.Entity) {
	w.room(len(e.Attributes))
	w.page.Entities = append(w.page.Entities, e)
}

// Once adds an entity unless this read [Writer.Has] it.
func (w *Writer) Once(e connector.Entity) {
	if !w.Has(e.Ref) {
		w.Mark(e.Ref)
		w.Entity(e)
	}
}

// Has reports whether an entity was added by Once, or marked. It is known of this
// read alone: one that continues from a cursor begins anew.
func (w *Writer) Has(ref connector.Ref) bool { return w.seen[ref] }

// Mark says that an entity was added with all that belongs to it.
func (w *Writer) Mark(ref connector.Ref) { w.seen[ref] = true }

// Relationship adds a relationship.
func (w *Writer) Relationship(r connector.Relationship) {
	weight := len(r.Attributes)
	if r.Terms != nil {
		weight += len(r.Terms.Conditions) + 32*(len(r.Terms.Actions)+len(r.Terms.NotActions))
	}
	w.room(weight)
	w.page.Relationships = append(w.page.Relationships, r)
}

// Relate adds a relationship without terms.
func (w *Writer) Relate(kind connector.RelationshipKind, from, to connector.Ref) {
	w.Relationship(connector.Relationship{Kind: kind, From: from, To: to})
}

// Gap records what the provider would not show, once per read. It makes the
// partition partial.
func (w *Writer) Gap(e connector.Error) {
	key := e.Error()
	if !w.gaps[key] {
		w.gaps[key] = true
		w.page.Gaps = append(w.page.Gaps, e)
	}
}

// Err returns the error that ended the read: the sink's own, or the context's.
func (w *Writer) Err() error { return w.err }

// Fail ends a read that cannot go on, and returns why: the sink's own error if there
// was one, and else err. Where err may pass, what was gathered since the last page is
// handed over first, so that the next read asks for none of it again.
func (w *Writer) Fail(err error) error {
	var passing *connector.Error
	if w.err == nil && w.resume != "" && w.records() > 0 && errors.As(err, &passing) && passing.Retryable() {
		w.flush(w.resume)
	}
	if w.err != nil {
		return w.err
	}
	return err
}

// Finish writes what is left as the last page of the partition.
func (w *Writer) Finish() error {
	if w.err == nil && (w.records() > 0 || len(w.page.Gaps) > 0) {
		w.flush("")
	}
	return w.err
}

func (w *Writer) records() int { return len(w.page.Entities) + len(w.page.Relationships) }

func (w *Writer) room(weight int) {
	if n := w.records(); n >= connector.MaxPageRecords || n > 0 && w.weight+weight > flushBytes {
		w.flush(w.resume)
	}
	w.weight += weight
}

func (w *Writer) flush(next connector.Cursor) {
	if w.err == nil {
		w.err = w.ctx.Err()
	}
	if w.err == nil {
		w.page.Next = next
		w.err = w.sink.Write(w.ctx, w.page)
	}
	w.page, w.weight = connector.Page{}, 0
}
