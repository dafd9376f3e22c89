package azure

import (
	"context"
	"encoding/json"

	"github.com/gatehouse-project/gatehouse/connector"
)

const (
	// flushBytes bounds a page by weight, so that heavy policies do not make
	// one of many megabytes.
	flushBytes = 2 << 20
	// enoughRecords is from when a page is worth sending.
	enoughRecords = 500
)

// place is what a cursor holds: a step of the partition, Microsoft's next link of
// the page to ask for next, and after which item of that page to go on.
type place struct {
	Step   string `json:"step"`
	Marker string `json:"marker,omitempty"`
	After  string `json:"after,omitempty"`
}

func parsePlace(c connector.Cursor) (place, error) {
	var p place
	if c == "" {
		return p, nil
	}
	if err := json.Unmarshal([]byte(c), &p); err != nil || p.Step == "" {
		return p, &connector.Error{Category: connector.ContractViolation, Message: "the cursor was not made by this connector"}
	}
	return p, nil
}

func (p place) cursor() (connector.Cursor, error) {
	b, err := json.Marshal(p)
	if err != nil {
		return "", &connector.Error{Category: connector.Internal, Message: "a cursor cannot be written", Cause: err}
	}
	return connector.Cursor(b), nil
}

// batch gathers records into pages of the contract's size. A page written
// while one of Microsoft's pages is still being taken apart carries the cursor of
// that page's start: continuing there repeats records, which the contract
// allows, and never leaves one out.
type batch struct {
	ctx    context.Context
	sink   connector.Sink
	page   connector.Page
	weight int
	// enough is from how many records a page is worth sending.
	enough int
	resume connector.Cursor
	// seen holds what many policies repeat, such as outside parties, so that a
	// partition sends each once.
	seen map[connector.Ref]bool
	gaps map[string]bool
	err  error
}

func newBatch(ctx context.Context, sink connector.Sink, enough int) *batch {
	return &batch{ctx: ctx, sink: sink, enough: enough, seen: map[connector.Ref]bool{}, gaps: map[string]bool{}}
}

// at states that all before p has been added. It is called before each of
// Microsoft's pages is taken apart.
func (b *batch) at(p place) error {
	c, err := p.cursor()
	if err != nil {
		return err
	}
	b.resume = c
	if b.records() >= b.enough {
		b.flush(c)
	}
	return b.err
}

// entity adds an entity. Errors are kept until at or finish.
func (b *batch) entity(e connector.Entity) {
	b.room(len(e.Attributes))
	b.page.Entities = append(b.page.Entities, e)
}

// once adds an entity unless this read has added it before.
func (b *batch) once(e connector.Entity) {
	if !b.seen[e.Ref] {
		b.seen[e.Ref] = true
		b.entity(e)
	}
}

func (b *batch) relationship(r connector.Relationship) {
	weight := len(r.Attributes)
	if r.Terms != nil {
		weight += len(r.Terms.Conditions) + 32*(len(r.Terms.Actions)+len(r.Terms.NotActions))
	}
	b.room(weight)
	b.page.Relationships = append(b.page.Relationships, r)
}

// relate adds a relationship without terms.
func (b *batch) relate(kind connector.RelationshipKind, from, to connector.Ref) {
	b.relationship(connector.Relationship{Kind: kind, From: from, To: to})
}

// gap records what Microsoft would not show, once per read.
func (b *batch) gap(e connector.Error) {
	key := e.Error()
	if !b.gaps[key] {
		b.gaps[key] = true
		b.page.Gaps = append(b.page.Gaps, e)
	}
}

func (b *batch) records() int { return len(b.page.Entities) + len(b.page.Relationships) }

func (b *batch) room(weight int) {
	if n := b.records(); n >= connector.MaxPageRecords || n > 0 && b.weight+weight > flushBytes {
		b.flush(b.resume)
	}
	b.weight += weight
}

func (b *batch) flush(next connector.Cursor) {
	if b.err == nil {
		b.err = b.ctx.Err()
	}
	if b.err == nil {
		b.page.Next = next
		b.err = b.sink.Write(b.ctx, b.page)
	}
	b.page, b.weight = connector.Page{}, 0
}

// finish writes what is left as the last page of the partition.
func (b *batch) finish() error {
	if b.err == nil && (b.records() > 0 || len(b.page.Gaps) > 0) {
		b.flush("")
	}
	return b.err
}
