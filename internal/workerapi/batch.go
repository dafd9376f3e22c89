package workerapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/zstd"

	"github.com/gatehouse-project/gatehouse/connector"
)

// BatchContentType is a batch's media type: JSON lines, the first a [Header],
// every other a record. The body is compressed by Zstandard.
const BatchContentType = "application/x-ndjson"

// BatchEncoding is a batch's content encoding.
const BatchEncoding = "zstd"

// Header is the first line of a batch.
type Header struct {
	Stream    string `json:"stream"`
	Partition string `json:"partition,omitempty"`
	// Next is the cursor after the page.
	Next connector.Cursor `json:"next,omitempty"`
	// End, when not empty, says how completely the partition was read.
	End     connector.Coverage `json:"end,omitempty"`
	Failure *Failure           `json:"failure,omitempty"`
}

// line is one record of a batch: exactly one field is set.
type line struct {
	Entity       *entityLine       `json:"entity,omitempty"`
	Relationship *relationshipLine `json:"relationship,omitempty"`
	Gap          *Failure          `json:"gap,omitempty"`
}

// The lines mirror the contract's records field by field; their raw JSON is of
// the decoder's own type, which it passes through without a second look.
type entityLine struct {
	Kind        connector.EntityKind   `json:"kind"`
	ID          string                 `json:"id"`
	Name        string                 `json:"name,omitempty"`
	Type        string                 `json:"type,omitempty"`
	Identifiers []connector.Identifier `json:"identifiers,omitempty"`
	Attributes  jsontext.Value         `json:"attributes,omitempty"`
}

type relationshipLine struct {
	Kind       connector.RelationshipKind `json:"kind"`
	From       connector.Ref              `json:"from"`
	To         connector.Ref              `json:"to"`
	Key        string                     `json:"key,omitempty"`
	Terms      *termsLine                 `json:"terms,omitempty"`
	Attributes jsontext.Value             `json:"attributes,omitempty"`
}

// Encoder writes batches. It keeps its buffers from one to the next and is not
// safe for concurrent use.
type Encoder struct {
	plain bytes.Buffer
	zip   *zstd.Encoder
}

// NewEncoder makes an encoder.
func NewEncoder() (*Encoder, error) {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, fmt.Errorf("make a batch encoder: %w", err)
	}
	return &Encoder{zip: z}, nil
}

// maxLines bounds the records and gaps of a batch.
const maxLines = 2 * connector.MaxPageRecords

// keptBytes is how large a buffer an encoder keeps for the next batch.
const keptBytes = 8 << 20

// Encode returns a batch as it is sent. Attributes are put into canonical form,
// so that the same object always looks the same, whoever wrote it. A page that
// exceeds a limit of the protocol gives ErrTooLarge.
func (e *Encoder) Encode(h Header, page *connector.Page) ([]byte, error) {
	if n := len(page.Entities) + len(page.Relationships) + len(page.Gaps); n > maxLines {
		return nil, fmt.Errorf("%w: it has %d lines, more than %d", ErrTooLarge, n, maxLines)
	}
	if e.plain.Reset(); e.plain.Cap() > keptBytes {
		e.plain = bytes.Buffer{}
	}
	out := jsontext.NewEncoder(&e.plain, jsontext.AllowDuplicateNames(true))
	if err := json.MarshalEncode(out, h); err != nil {
		return nil, fmt.Errorf("encode a batch: %w", err)
	}
	for i := range page.Entities {
		l, err := newEntityLine(&page.Entities[i])
		if err = write(out, line{Entity: l}, err); err != nil {
			return nil, fmt.Errorf("encode entity %d: %w", i, err)
		}
	}
	for i := range page.Relationships {
		l, err := newRelationshipLine(&page.Relationships[i])
		if err = write(out, line{Relationship: l}, err); err != nil {
			return nil, fmt.Errorf("encode relationship %d: %w", i, err)
		}
	}
	for i := range page.Gaps {
		if err := write(out, line{Gap: NewFailure(&page.Gaps[i])}, nil); err != nil {
			return nil, fmt.Errorf("encode gap %d: %w", i, err)
		}
	}
	sent := e.zip.EncodeAll(e.plain.Bytes(), nil)
	if len(sent) > MaxBatchBytes {
		return nil, fmt.Errorf("%w: %d bytes when compressed, more than %d", ErrTooLarge, len(sent), MaxBatchBytes)
	}
	return sent, nil
}

// write adds a line, unless it could not be made, and holds it to the limits.
func write(out *jsontext.Encoder, l line, err error) error {
	if err != nil {
		return err
	}
	before := out.OutputOffset()
	if err := json.MarshalEncode(out, &l); err != nil {
		return safe(err)
	}
	if n := out.OutputOffset() - before; n > MaxLineBytes {
		return fmt.Errorf("%w: the line is %d bytes long, more than %d", ErrTooLarge, n, MaxLineBytes)
	}
	if n := out.OutputOffset(); n > MaxBatchPlainBytes {
		return fmt.Errorf("%w: more than %d bytes", ErrTooLarge, MaxBatchPlainBytes)
	}
	return nil
}

func newEntityLine(e *connector.Entity) (*entityLine, error) {
	attributes, err := canonical(e.Attributes)
	return &entityLine{Kind: e.Kind, ID: e.ID, Name: e.Name, Type: e.Type, Identifiers: e.Identifiers, Attributes: attributes}, err
}

func newRelationshipLine(r *connector.Relationship) (*relationshipLine, error) {
	attributes, err := canonical(r.Attributes)
	if err != nil {
		return nil, err
	}
	terms, err := newTermsLine(r.Terms)
	return &relationshipLine{Kind: r.Kind, From: r.From, To: r.To, Key: r.Key, Terms: terms, Attributes: attributes}, err
}

// canonical sorts the names of an object and takes the space out of it. Numbers
// stay as they were written.
func canonical(raw []byte) (jsontext.Value, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	v := jsontext.Value(raw)
	if !v.IsValid() {
		return nil, errors.New("the attributes are not valid JSON or name something twice")
	}
	v = v.Clone()
	if err := v.Format(jsontext.ReorderRawObjects(true), jsontext.PreserveRawStrings(false)); err != nil {
		return nil, fmt.Errorf("the attributes are not valid JSON: %w", err)
	}
	return v, nil
}

// ErrTooLarge says that a batch exceeds a limit of the protocol.
var ErrTooLarge = errors.New("the batch is too large")

// DecodeBatch reads a batch from its sent form. It fails on anything it does not
// know, and it never holds more than the limits allow.
func DecodeBatch(sent io.Reader) (Header, *connector.Page, error) {
	zip, err := zstd.NewReader(sent, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(MaxBatchPlainBytes), zstd.WithDecoderLowmem(true))
	if err != nil {
		return Header{}, nil, fmt.Errorf("decompress the batch: %w", err)
	}
	defer zip.Close()
	limited := &limitedReader{r: zip, left: MaxBatchPlainBytes + 1} // so that one that is just small enough can end
	in := jsontext.NewDecoder(limited)
	strict := json.RejectUnknownMembers(true)
	var h Header
	if err := json.UnmarshalDecode(in, &h, strict); err != nil {
		return Header{}, nil, fmt.Errorf("read the batch's header: %w", safe(err))
	}
	page := &connector.Page{Next: h.Next}
	for n := 1; ; n++ {
		var l line
		before := in.InputOffset()
		err := json.UnmarshalDecode(in, &l, strict)
		if errors.Is(err, io.EOF) {
			return h, page, nil
		}
		if err != nil {
			return Header{}, nil, fmt.Errorf("read line %d of the batch: %w", n+1, safe(err))
		}
		if n > maxLines {
			return Header{}, nil, fmt.Errorf("%w: it has more than %d lines", ErrTooLarge, maxLines)
		}
		if size := in.InputOffset() - before; size > MaxLineBytes+1 { // and its line break
			return Header{}, nil, fmt.Errorf("%w: line %d is %d bytes long, more than %d", ErrTooLarge, n+1, size, MaxLineBytes)
		}
		if err := l.addTo(page); err != nil {
			return Header{}, nil, fmt.Errorf("line %d of the batch: %w", n+1, err)
		}
	}
}

func (l *line) addTo(page *connector.Page) error {
	switch {
	case l.Entity != nil && l.Relationship == nil && l.Gap == nil:
		e := l.Entity
		page.Entities = append(page.Entities, connector.Entity{
			Ref: connector.Ref{Kind: e.Kind, ID: e.ID}, Name: e.Name, Type: e.Type, Identifiers: e.Identifiers, Attributes: []byte(e.Attributes),
		})
	case l.Relationship != nil && l.Entity == nil && l.Gap == nil:
		r := l.Relationship
		page.Relationships = append(page.Relationships, connector.Relationship{
			Kind: r.Kind, From: r.From, To: r.To, Key: r.Key, Terms: r.Terms.terms(), Attributes: []byte(r.Attributes),
		})
	case l.Gap != nil && l.Entity == nil && l.Relationship == nil:
		page.Gaps = append(page.Gaps, *l.Gap.Error())
	default:
		return errors.New("it is not exactly one of entity, relationship and gap")
	}
	return nil
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

// limitedReader fails, rather than ends, at its limit.
type limitedReader struct {
	r    io.Reader
	left int64
}

func (l *limitedReader) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, int64(MaxBatchPlainBytes))
	}
	if int64(len(p)) > l.left {
		p = p[:l.left]
	}
	n, err := l.r.Read(p)
	l.left -= int64(n)
	return n, err
}
