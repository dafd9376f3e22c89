package workerapi

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/zstd"

	"github.com/gatehouse-project/gatehouse/connector"
)

// Encoder writes batches. It keeps its buffers from one to the next and is not
// safe for concurrent use.
type Encoder struct {
	plain bytes.Buffer
	zip   *zstd.Encoder
}

// encoderWindow is how far back the compression looks. The default of 4 MB would
// be the largest thing in a worker's memory, and compresses no better: records
// resemble those just before them.
const encoderWindow = 256 << 10

// NewEncoder makes an encoder.
func NewEncoder() (*Encoder, error) {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(encoderWindow))
	if err != nil {
		return nil, fmt.Errorf("make a batch encoder: %w", err)
	}
	return &Encoder{zip: z}, nil
}

// keptBytes is how large a buffer an encoder keeps for the next batch.
const keptBytes = 8 << 20

// Encode returns a batch as it is sent. Attributes are put into canonical form,
// so that the same object always looks the same, whoever wrote it. A page that
// exceeds a limit of the protocol gives ErrTooLarge.
func (e *Encoder) Encode(h Header, page *connector.Page) ([]byte, error) {
	first := headerLine{h, len(page.Entities), len(page.Relationships), len(page.Gaps)}
	if n := first.lines(); n > maxLines {
		return nil, fmt.Errorf("%w: it has %d lines, more than %d", ErrTooLarge, n, maxLines)
	}
	if e.plain.Reset(); e.plain.Cap() > keptBytes {
		e.plain = bytes.Buffer{}
	}
	out := jsontext.NewEncoder(&e.plain, jsontext.AllowDuplicateNames(true))
	if err := json.MarshalEncode(out, &first); err != nil {
		return nil, fmt.Errorf("encode a batch: %w", err)
	}
	for i := range page.Entities {
		l, err := newEntityLine(&page.Entities[i])
		if err = write(out, l, err); err != nil {
			return nil, fmt.Errorf("encode entity %d: %w", i, err)
		}
	}
	for i := range page.Relationships {
		l, err := newRelationshipLine(&page.Relationships[i])
		if err = write(out, l, err); err != nil {
			return nil, fmt.Errorf("encode relationship %d: %w", i, err)
		}
	}
	for i := range page.Gaps {
		if err := write(out, NewFailure(&page.Gaps[i]), nil); err != nil {
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
func write[L any](out *jsontext.Encoder, l *L, err error) error {
	if err != nil {
		return err
	}
	before := out.OutputOffset()
	if err := json.MarshalEncode(out, l); err != nil {
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
	v := jsontext.Value(raw).Clone()
	if err := v.Format(jsontext.ReorderRawObjects(true), jsontext.PreserveRawStrings(false)); err != nil {
		return nil, errors.New("the attributes are not valid JSON or name something twice")
	}
	return v, nil
}
