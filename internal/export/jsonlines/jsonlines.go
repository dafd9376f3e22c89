package jsonlines

import (
	"io"
	"strconv"

	"github.com/gatehouse-project/gatehouse/internal/export"
)

// Encoding writes JSON lines.
type Encoding struct{}

var _ export.TableEncoding = Encoding{}

type writer struct {
	to io.Writer
	// names are the columns as they stand in a line, from the comma or brace
	// before to the colon behind.
	names []string
	line  []byte
}

// Open writes nothing yet.
func (Encoding) Open(w io.Writer, t export.Table) (export.TableWriter, error) {
	out := &writer{to: w}
	for i, c := range t.Columns {
		before := ","
		if i == 0 {
			before = "{"
		}
		out.names = append(out.names, before+strconv.Quote(c.Name)+":")
	}
	return out, nil
}

// Write adds a line.
func (w *writer) Write(r export.Row) (err error) {
	w.line = w.line[:0]
	for i, value := range r {
		if w.line, err = export.AppendJSON(append(w.line, w.names[i]...), value); err != nil {
			return err
		}
	}
	w.line = append(w.line, '}', '\n')
	_, err = w.to.Write(w.line)
	return err
}

// Close has nothing left to write.
func (*writer) Close() error { return nil }
