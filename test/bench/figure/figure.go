package figure

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
)

// Figure is one measurement.
type Figure struct {
	// Name says what was measured, Measured what came out.
	Name, Measured string
	// Limit is what it is compared with, from the same run; empty for none.
	Limit string
	// Ratio is the measurement divided by the limit.
	Ratio string
	// Target is what is promised; empty for a figure that only informs.
	Target string
	Met    bool
}

// Report gathers figures, and what explains them.
type Report struct {
	Figures []Figure
	out     io.Writer
}

// NewReport makes a report that writes explanations to out at once.
func NewReport(out io.Writer) *Report { return &Report{out: out} }

// Add adds a figure.
func (r *Report) Add(f Figure) { r.Figures = append(r.Figures, f) }

// Explain writes a line that is no figure.
func (r *Report) Explain(format string, args ...any) { fmt.Fprintf(r.out, format+"\n", args...) }

// Print writes all figures as one table and reports whether all targets are met.
func (r *Report) Print() bool {
	t := table.NewWriter()
	t.SetOutputMirror(r.out)
	t.SetStyle(table.StyleLight)
	t.AppendHeader(table.Row{"Figure", "Measured", "Limit in this run", "Ratio", "Target", "Verdict"})
	met := true
	for _, f := range r.Figures {
		verdict := ""
		if f.Target != "" {
			verdict = "met"
			if !f.Met {
				verdict, met = "MISSED", false
			}
		}
		t.AppendRow(table.Row{f.Name, f.Measured, f.Limit, f.Ratio, f.Target, verdict})
	}
	t.Render()
	return met
}

// Median returns the middle one of at least one value; of an even number the
// lower of the two.
func Median[T float64 | time.Duration](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)-1)/2]
}

// Percentile returns the smallest value that a share of at least one value does
// not exceed.
func Percentile(values []time.Duration, share float64) time.Duration {
	sorted := slices.Sorted(slices.Values(values))
	n := int(share*float64(len(sorted))+0.999999) - 1
	return sorted[min(max(n, 0), len(sorted)-1)]
}
