package workerapi

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/zstd"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/shares"
)

// Decoder reads batches. It is safe for concurrent use.
type Decoder struct {
	zip *zstd.Decoder
}

// NewDecoder makes a decoder.
func NewDecoder() (*Decoder, error) {
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(MaxBatchPlainBytes), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, fmt.Errorf("make a batch decoder: %w", err)
	}
	return &Decoder{zip: z}, nil
}

// Decode reads a batch from its sent form. It fails on anything it does not
// know, and it never holds more than the limits allow.
func (d *Decoder) Decode(sent []byte) (Header, *connector.Page, error) {
	plain, err := d.zip.DecodeAll(sent, nil)
	if errors.Is(err, zstd.ErrDecoderSizeExceeded) {
		return Header{}, nil, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, MaxBatchPlainBytes)
	}
	if err != nil {
		return Header{}, nil, fmt.Errorf("decompress the batch: %w", err)
	}
	first, rest, _ := bytes.Cut(plain, []byte("\n"))
	var h headerLine
	if err := unmarshal(first, &h); err != nil {
		return Header{}, nil, fmt.Errorf("read the batch's header: %w", err)
	}
	if h.Entities < 0 || h.Relationships < 0 || h.Gaps < 0 || max(h.Entities, h.Relationships, h.Gaps, h.lines()) > maxLines {
		return Header{}, nil, fmt.Errorf("%w: it has more than %d lines", ErrTooLarge, maxLines)
	}
	if h.Entities+h.Relationships > MaxBatchPages*connector.MaxPageRecords {
		return Header{}, nil, fmt.Errorf("%w: it has more than %d records", ErrTooLarge, MaxBatchPages*connector.MaxPageRecords)
	}
	lines, err := split(rest, h.lines())
	if err != nil {
		return Header{}, nil, err
	}
	page, err := h.page(rest, lines)
	if err != nil {
		return Header{}, nil, err
	}
	return h.Header, page, nil
}

// split finds the n lines of a batch after its header.
func split(rest []byte, n int) ([]span, error) {
	lines := make([]span, 0, n)
	for at := 0; at < len(rest); {
		one := span{at, len(rest)}
		if i := bytes.IndexByte(rest[at:], '\n'); i >= 0 {
			one.end = at + i
		}
		if size := one.end - one.first; size > MaxLineBytes {
			return nil, fmt.Errorf("%w: line %d is %d bytes long, more than %d", ErrTooLarge, len(lines)+2, size, MaxLineBytes)
		}
		if len(lines) == n {
			return nil, fmt.Errorf("the batch has more lines than the %d that its header tells", n)
		}
		lines = append(lines, one)
		at = one.end + 1
	}
	if len(lines) < n {
		return nil, fmt.Errorf("the batch has %d lines after its header, which tells %d", len(lines), n)
	}
	return lines, nil
}

// page reads the lines of entities, relationships and gaps.
func (h *headerLine) page(rest []byte, lines []span) (*connector.Page, error) {
	page := &connector.Page{Next: h.Next}
	if h.Entities > 0 {
		page.Entities = make([]connector.Entity, h.Entities)
	}
	if h.Relationships > 0 {
		page.Relationships = make([]connector.Relationship, h.Relationships)
	}
	if h.Gaps > 0 {
		page.Gaps = make([]connector.Error, h.Gaps)
	}
	// The records' texts are parts of one string, and not many small ones.
	text, valid := "", utf8.Valid(rest)
	if valid {
		text = string(rest)
	}
	// A worker waits until its batch is stored: read sooner is stored sooner.
	err := shares.Each(len(lines), func(items iter.Seq[int]) error {
		reader := lineReader{plain: rest, text: text}
		for i := range items {
			if valid && h.readPlain(&reader, lines[i], i, page) {
				continue
			}
			if err := h.read(rest[lines[i].first:lines[i].end], i, page); err != nil {
				return fmt.Errorf("read line %d of the batch: %w", i+2, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

// readPlain reads the i-th line into its place on the page if it is a record in
// the form in which batches are written.
func (h *headerLine) readPlain(reader *lineReader, l span, i int, page *connector.Page) bool {
	switch relationship := i - h.Entities; {
	case i < h.Entities:
		return reader.entity(l.first, l.end, &page.Entities[i])
	case relationship < h.Relationships:
		return reader.relationship(l.first, l.end, &page.Relationships[relationship])
	}
	return false
}

// read reads the i-th line into its place on the page, whatever form it has.
func (h *headerLine) read(line []byte, i int, page *connector.Page) error {
	switch relationship := i - h.Entities; {
	case i < h.Entities:
		return readEntity(line, &page.Entities[i])
	case relationship < h.Relationships:
		return readRelationship(line, &page.Relationships[relationship])
	default:
		var f Failure
		if err := unmarshal(line, &f); err != nil {
			return err
		}
		page.Gaps[relationship-h.Relationships] = *f.Error()
		return nil
	}
}

func readEntity(line []byte, into *connector.Entity) error {
	var e entityLine
	if err := unmarshal(line, &e); err != nil {
		return err
	}
	*into = connector.Entity{
		Ref: connector.Ref{Kind: e.Kind, ID: e.ID}, Name: e.Name, Type: e.Type, Identifiers: e.Identifiers, Attributes: []byte(e.Attributes),
	}
	return nil
}

func readRelationship(line []byte, into *connector.Relationship) error {
	var r relationshipLine
	if err := unmarshal(line, &r); err != nil {
		return err
	}
	*into = connector.Relationship{
		Kind: r.Kind, From: r.From, To: r.To, Key: r.Key, Terms: r.Terms.terms(), Attributes: []byte(r.Attributes),
	}
	return nil
}

// unmarshal reads one line, strictly.
func unmarshal(line []byte, into any) error {
	return safe(json.Unmarshal(line, into, json.RejectUnknownMembers(true)))
}

// safe keeps a decoder's error from repeating what it read.
func safe(err error) error {
	var syntactic *jsontext.SyntacticError
	if errors.As(err, &syntactic) {
		return fmt.Errorf("not valid JSON at byte %d", syntactic.ByteOffset)
	}
	var semantic *json.SemanticError
	if errors.As(err, &semantic) {
		return fmt.Errorf("not of the expected form at byte %d (%s)", semantic.ByteOffset, semantic.JSONPointer)
	}
	return err
}
