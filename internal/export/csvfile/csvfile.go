package csvfile

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/export"
)

// Encoding writes CSV.
type Encoding struct{}

var _ export.TableEncoding = Encoding{}

// dangerous are the first characters of a cell by which spreadsheets tell a
// formula, and the apostrophe, so that taking one away always gives the value.
const dangerous = "=+-@\t\r'"

type writer struct {
	csv   *csv.Writer
	cells []string
}

// Open writes the header.
func (Encoding) Open(w io.Writer, t export.Table) (export.TableWriter, error) {
	out := &writer{csv: csv.NewWriter(w)}
	for _, c := range t.Columns {
		out.cells = append(out.cells, c.Name)
	}
	return out, out.csv.Write(out.cells)
}

// Write adds a line.
func (w *writer) Write(r export.Row) (err error) {
	for i, value := range r {
		if w.cells[i], err = cell(value); err != nil {
			return err
		}
	}
	return w.csv.Write(w.cells)
}

// Close writes what is buffered.
func (w *writer) Close() error {
	w.csv.Flush()
	return w.csv.Error()
}

func cell(value any) (string, error) {
	switch v := value.(type) {
	case nil:
		return "", nil
	case string:
		return guarded(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case bool:
		return strconv.FormatBool(v), nil
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano), nil
	}
	// Lists and objects begin with a bracket, so they are no formulas.
	encoded, err := export.AppendJSON(nil, value)
	return string(encoded), err
}

// guarded keeps a text from being a formula.
func guarded(text string) string {
	if text != "" && strings.IndexByte(dangerous, text[0]) >= 0 {
		return "'" + text
	}
	return text
}
