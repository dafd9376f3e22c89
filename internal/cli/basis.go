package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// gapsShown bounds the gaps under an answer; json has all that the API tells.
const gapsShown = 5

// printBasis says below an answer what stands behind it: "nobody" and "we did
// not look" are different answers.
func (e *environment) printBasis(b client.Basis) error {
	var lines []string
	if b.Count != nil {
		atLeast := ""
		if b.CountIsLowerBound {
			atLeast = "at least "
		}
		lines = append(lines, fmt.Sprintf("%s%d in all.", atLeast, *b.Count))
	}
	for _, c := range b.Coverage {
		lines = append(lines, coverageLines(c)...)
	}
	if b.Truncated {
		lines = append(lines, "The graph around this is larger than one answer looks at: rows may be missing.")
	}
	if b.HistoryBegins != nil {
		lines = append(lines, fmt.Sprintf("History is kept from %s on.", output.Time(b.HistoryBegins)))
	}
	for i, line := range lines {
		if i == 0 {
			line = "\n" + output.Clean(line)
		} else {
			line = output.Clean(line)
		}
		if _, err := fmt.Fprintln(e.Out, line); err != nil {
			return err
		}
	}
	return nil
}

func coverageLines(c client.GraphCoverage) []string {
	switch c.Observation {
	case "complete":
		return []string{fmt.Sprintf("Everything behind this was read completely (%s, the oldest part at %s).", c.ConnectionID, output.Time(oldest(c)))}
	case "not_observed":
		return []string{fmt.Sprintf("Nothing of %s was ever read completely: start discovery.run, and see what its last run says.", c.ConnectionID)}
	}
	lines := []string{fmt.Sprintf("Not everything behind this was seen (%s, the oldest complete part at %s):", c.ConnectionID, output.Time(oldest(c)))}
	for i, g := range c.Gaps {
		if i == gapsShown {
			lines = append(lines, fmt.Sprintf("  and %d more; -o json lists them", len(c.Gaps)-i))
			break
		}
		why := strings.Trim(g.ReasonCode+": "+g.Message, ": ")
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("- %s %s", g.Stream, g.Partition))+fmt.Sprintf(" (%s) %s", g.Coverage, why))
	}
	return lines
}

// oldest returns when the part that was read completely longest ago was.
func oldest(c client.GraphCoverage) *time.Time {
	var first *time.Time
	for _, s := range c.Streams {
		if t := s.OldestComplete; t != nil && (first == nil || t.Before(*first)) {
			first = t
		}
	}
	return first
}
