package workerapi

import (
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/klauspost/compress/zstd"

	"github.com/gatehouse-project/gatehouse/connector"
)

// Encoder writes batches. It keeps its buffers from one to the next and is not
// safe for concurrent use.
type Encoder struct {
	plain []byte
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
	if e.plain = e.plain[:0]; cap(e.plain) > keptBytes {
		e.plain = nil
	}
	if err := e.marshal(&first); err != nil {
		return nil, fmt.Errorf("encode a batch: %w", err)
	}
	for i := range page.Entities {
		if err := e.line(func(dst []byte) ([]byte, error) { return appendEntity(dst, &page.Entities[i]) }); err != nil {
			return nil, fmt.Errorf("encode entity %d: %w", i, err)
		}
	}
	for i := range page.Relationships {
		if err := e.line(func(dst []byte) ([]byte, error) { return appendRelationship(dst, &page.Relationships[i]) }); err != nil {
			return nil, fmt.Errorf("encode relationship %d: %w", i, err)
		}
	}
	for i := range page.Gaps {
		if err := e.marshal(NewFailure(&page.Gaps[i])); err != nil {
			return nil, fmt.Errorf("encode gap %d: %w", i, err)
		}
	}
	sent := e.zip.EncodeAll(e.plain, nil)
	if len(sent) > MaxBatchBytes {
		return nil, fmt.Errorf("%w: %d bytes when compressed, more than %d", ErrTooLarge, len(sent), MaxBatchBytes)
	}
	return sent, nil
}

// marshal adds a line of what is not a record.
func (e *Encoder) marshal(what any) error {
	return e.line(func(dst []byte) ([]byte, error) {
		raw, err := json.Marshal(what)
		return append(dst, raw...), safe(err)
	})
}

// line adds a line and holds it to the limits.
func (e *Encoder) line(add func(dst []byte) ([]byte, error)) error {
	before := len(e.plain)
	with, err := add(e.plain)
	if err != nil {
		return err
	}
	with = append(with, '\n')
	e.plain = with
	if n := len(e.plain) - before; n > MaxLineBytes {
		return fmt.Errorf("%w: the line is %d bytes long, more than %d", ErrTooLarge, n, MaxLineBytes)
	}
	if n := len(e.plain); n > MaxBatchPlainBytes {
		return fmt.Errorf("%w: more than %d bytes", ErrTooLarge, MaxBatchPlainBytes)
	}
	return nil
}
