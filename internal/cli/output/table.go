package output

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Table is rows under a header. Columns are stable: a column without values
// stays.
type Table struct {
	Header []string
	Rows   [][]string
	// Empty is said instead when there are no rows.
	Empty string
}

// Write prints the table. Lines longer than width columns are cut with an
// ellipsis; a width of 0 cuts nothing, as output to a file or pipe wants it.
func (t Table) Write(w io.Writer, width int) error {
	if len(t.Rows) == 0 && t.Empty != "" {
		_, err := fmt.Fprintln(w, t.Empty)
		return err
	}
	pretty := table.NewWriter()
	pretty.SetStyle(plainStyle())
	pretty.SuppressTrailingSpaces()
	pretty.AppendHeader(row(t.Header))
	for _, r := range t.Rows {
		pretty.AppendRow(row(r))
	}
	for _, line := range strings.Split(pretty.Render(), "\n") {
		if _, err := fmt.Fprintln(w, cut(line, width)); err != nil {
			return err
		}
	}
	return nil
}

// Field is a name and its value in a list of fields.
type Field struct {
	Name  string
	Value string
}

// Fields prints one field a line, values aligned; those without a value are
// left out. Values are not cut: a list of fields is where to see all of them.
func Fields(w io.Writer, fields []Field) error {
	widest := 0
	for _, f := range fields {
		if f.Value != "" {
			widest = max(widest, text.StringWidthWithoutEscSequences(f.Name))
		}
	}
	for _, f := range fields {
		if f.Value == "" {
			continue
		}
		if _, err := fmt.Fprintf(w, "%s  %s\n", text.Pad(f.Name, widest, ' '), Clean(f.Value)); err != nil {
			return err
		}
	}
	return nil
}

func row(cells []string) table.Row {
	r := make(table.Row, len(cells))
	for i, cell := range cells {
		r[i] = Clean(cell)
	}
	return r
}

func cut(line string, width int) string {
	if width <= 0 {
		return line
	}
	return strings.TrimRight(text.Snip(line, width, "…"), " ")
}

// plainStyle is columns with two spaces between them and no lines: it reads
// well and can be cut by column.
func plainStyle() table.Style {
	style := table.StyleDefault
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	style.Options = table.OptionsNoBordersAndSeparators
	style.Format.Header = text.FormatUpper
	return style
}
