package workerapi

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/zstd"

	"github.com/gatehouse-project/gatehouse/connector"
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
	lines, err := split(rest, h.lines())
	if err != nil {
		return Header{}, nil, err
	}
	page, err := h.page(lines)
	if err != nil {
		return Header{}, nil, err
	}
	return h.Header, page, nil
}

// split returns the n lines of a batch after its header.
func split(rest []byte, n int) ([][]byte, error) {
	lines := make([][]byte, 0, n)
	for len(rest) > 0 {
		var one []byte
		one, rest, _ = bytes.Cut(rest, []byte("\n"))
		if len(one) > MaxLineBytes {
			return nil, fmt.Errorf("%w: line %d is %d bytes long, more than %d", ErrTooLarge, len(lines)+2, len(one), MaxLineBytes)
		}
		if len(lines) == n {
			return nil, fmt.Errorf("the batch has more lines than the %d that its header tells", n)
		}
		lines = append(lines, one)
	}
	if len(lines) < n {
		return nil, fmt.Errorf("the batch has %d lines after its header, which tells %d", len(lines), n)
	}
	return lines, nil
}

// page reads the lines of entities, relationships and gaps.
func (h *headerLine) page(lines [][]byte) (*connector.Page, error) {
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
	err := inParallel(len(lines), func(i int) error {
		var err error
		switch relationship := i - h.Entities; {
		case i < h.Entities:
			err = readEntity(lines[i], &page.Entities[i])
		case relationship < h.Relationships:
			err = readRelationship(lines[i], &page.Relationships[relationship])
		default:
			var f Failure
			if err = unmarshal(lines[i], &f); err == nil {
				page.Gaps[relationship-h.Relationships] = *f.Error()
			}
		}
		if err != nil {
			return fmt.Errorf("read line %d of the batch: %w", i+2, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return page, nil
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

// mostShares is into how many shares a batch is divided at most, fewestLines how
// many lines make one worth a goroutine.
const (
	mostShares  = 4
	fewestLines = 64
)

// inParallel calls fn for 0…n−1 in shares and returns the error of the least
// number. A worker waits for its batch to be stored before it sends the next, so
// one that is read sooner shortens the run.
func inParallel(n int, fn func(i int) error) error {
	shares := min(mostShares, runtime.GOMAXPROCS(0), n/fewestLines+1)
	failed := make([]error, shares)
	var wait sync.WaitGroup
	for share := range shares {
		wait.Go(func() {
			for i := n * share / shares; i < n*(share+1)/shares && failed[share] == nil; i++ {
				failed[share] = fn(i)
			}
		})
	}
	wait.Wait()
	for _, err := range failed {
		if err != nil {
			return err
		}
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
