package dataplane

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Step is a statement and the time it took in all its executions.
type Step struct {
	Statement string
	Times     int
	Took      time.Duration
}

// Steps runs fn and returns what statements the server took longest for
// meanwhile, as it logged them itself.
func (p *Plane) Steps(ctx context.Context, fn func(ctx context.Context) error) ([]Step, error) {
	log, err := p.serverLog()
	if err != nil {
		return nil, err
	}
	defer log.Close()
	if err := fn(ctx); err != nil {
		return nil, err
	}
	return readSteps(log)
}

// durationLine is how PostgreSQL logs a statement's time; the statement goes on
// in lines that begin with a tab.
var durationLine = regexp.MustCompile(`duration: ([0-9.]+) ms  (?:statement|(?:parse|bind|execute) [^:]*): (.*)`)

func readSteps(log *os.File) ([]Step, error) {
	found := map[string]*Step{}
	var text string
	var took float64
	inside := false
	add := func() {
		if !inside {
			return
		}
		name := shorten(text)
		s := found[name]
		if s == nil {
			s = &Step{Statement: name}
			found[name] = s
		}
		s.Times++
		s.Took += time.Duration(took * float64(time.Millisecond))
		inside = false
	}
	lines := bufio.NewReader(log)
	for {
		line, err := lines.ReadString('\n')
		if rest, more := strings.CutPrefix(line, "\t"); more && inside {
			text += " " + rest
		} else {
			add()
			if m := durationLine.FindStringSubmatch(line); m != nil {
				if took, err = strconv.ParseFloat(m[1], 64); err != nil {
					return nil, fmt.Errorf("read the server's log: %w", err)
				}
				text, inside = m[2], true
				continue
			}
		}
		if errors.Is(err, io.EOF) {
			add()
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read the server's log: %w", err)
		}
	}
	steps := make([]Step, 0, len(found))
	for _, s := range found {
		steps = append(steps, *s)
	}
	slices.SortFunc(steps, func(a, b Step) int { return int(b.Took - a.Took) })
	return steps, nil
}

// longestStatement is how much of a statement is shown.
const longestStatement = 96

var numbers = regexp.MustCompile(`_[0-9]+\b`)

// shorten takes line breaks and the numbers of tables out of a statement.
func shorten(text string) string {
	text = numbers.ReplaceAllString(strings.Join(strings.Fields(text), " "), "_N")
	if len(text) > longestStatement {
		text = text[:longestStatement] + "…"
	}
	return text
}
