package wire

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"unicode/utf8"
)

// What can be wrong with a line, beside its end.
var (
	// ErrLineTooLong means that a line has more bytes than may be.
	ErrLineTooLong = errors.New("the line is too long")
	// ErrCutOff means that the last line has no end.
	ErrCutOff = errors.New("the last line is cut off")
)

// Reader reads messages line by line and holds no more than one line. It is for one
// goroutine.
type Reader struct {
	from *bufio.Reader
	most int
	line []byte
}

// readBytes is how much is asked for at once.
const readBytes = 64 << 10

// NewReader returns a reader of lines of at most [MaxLineBytes].
func NewReader(from io.Reader) *Reader {
	return &Reader{from: bufio.NewReaderSize(from, readBytes), most: MaxLineBytes}
}

// Read returns the next message. The error is [io.EOF] at the end, and otherwise says
// what is wrong with the line without repeating it; nothing can be read after it.
func (r *Reader) Read() (Message, error) {
	line, err := r.next()
	if err != nil {
		return Message{}, err
	}
	return Decode(line)
}

// next returns the next line without its end, valid until the next call.
func (r *Reader) next() ([]byte, error) {
	r.line = r.line[:0]
	for {
		piece, err := r.from.ReadSlice('\n')
		r.line = append(r.line, piece...)
		if len(bytes.TrimSuffix(r.line, []byte("\n"))) > r.most {
			return nil, fmt.Errorf("%w: more than %d bytes", ErrLineTooLong, r.most)
		}
		switch {
		case err == nil:
			return r.line[:len(r.line)-1], nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(r.line) > 0:
			return nil, ErrCutOff
		default:
			return nil, err
		}
	}
}

// Decode reads a message from a line, strictly: a field that is not known, such as a
// misspelt one, is an error that names it. What a call's result holds is read by
// [DecodeResult].
func Decode(line []byte) (Message, error) {
	var m Message
	if !utf8.Valid(line) {
		return m, errors.New("the line is not valid UTF-8")
	}
	if err := strictly(line, &m); err != nil {
		return Message{}, fmt.Errorf("the line is not a message: %w", err)
	}
	if m.Type == "" {
		return Message{}, errors.New(`the line is not a message: it has no "type"`)
	}
	return m, nil
}

// DecodeResult reads what a call gave, as strictly as [Decode].
func DecodeResult(raw json.RawMessage, into any) error {
	if len(raw) == 0 {
		return errors.New(`the answer has no "result"`)
	}
	if err := strictly(raw, into); err != nil {
		return fmt.Errorf("the result cannot be read: %w", err)
	}
	return nil
}

func strictly(raw []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return explained(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is something after the JSON object")
	}
	return nil
}

// explained leaves the value out of an error of the JSON package, which may be any
// part of a record.
func explained(err error) error {
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &kind):
		return fmt.Errorf("the field %q is not of the type %s", kind.Field, kind.Type)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the JSON is not complete")
	}
	return err
}

// Writer writes messages as lines. It is safe for concurrent use.
type Writer struct {
	mu sync.Mutex
	to io.Writer
}

// NewWriter returns a writer.
func NewWriter(to io.Writer) *Writer { return &Writer{to: to} }

// Write writes one message. The error is [ErrLineTooLong], in which case nothing was
// written, or that of the writer below.
func (w *Writer) Write(m Message) error {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(m); err != nil {
		return fmt.Errorf("encode a message: %w", err)
	}
	if n := line.Len() - 1; n > MaxLineBytes {
		return fmt.Errorf("%w: %d bytes, more than %d", ErrLineTooLong, n, MaxLineBytes)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err := w.to.Write(line.Bytes())
	return err
}
