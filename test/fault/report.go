package fault

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Report is what was done and what was found.
type Report struct {
	Seed uint64
	// Rounds and Took are of the whole; Injected counts faults by kind.
	Rounds   int
	Took     time.Duration
	Injected map[string]int
	// Runs counts runs by operation, outcome and reason, Starts what the gate
	// answered.
	Runs, Starts map[string]int
	// Writes are calls of workers that were accepted, Refused those that were not
	// because another worker held the run or it had ended.
	Writes, Refused int
	// Reads is how often the graph was compared in the midst of it all.
	Reads int
	// TakeOvers are how long runs were without a worker, in order; empty when
	// leases were ended in the database.
	TakeOvers []time.Duration
	// ByItself counts processes that ended without having been told to.
	ByItself int
	// Breaches is everything that must not be, with what it counts as.
	Breaches []string

	mu sync.Mutex
}

func (r *Report) inject(kind string)  { r.add(func() { r.Injected[kind]++ }) }
func (r *Report) answer(what string)  { r.add(func() { r.Starts[what]++ }) }
func (r *Report) breach(what string)  { r.add(func() { r.Breaches = append(r.Breaches, what) }) }
func (r *Report) add(change func())   { r.mu.Lock(); defer r.mu.Unlock(); change() }
func (r *Report) count(of string) int { return len(r.of(of)) }

func (r *Report) of(what string) (found []string) {
	for _, b := range r.Breaches {
		if strings.HasPrefix(b, what+":") {
			found = append(found, b)
		}
	}
	return found
}

// Faults is how many were injected.
func (r *Report) Faults() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, times := range r.Injected {
		n += times
	}
	return n
}

// Finished is how many runs there were.
func (r *Report) Finished() (n int) {
	for _, times := range r.Runs {
		n += times
	}
	return n
}

// Write prints the report; repeat is how to get the same faults again.
func (r *Report) Write(w io.Writer, repeat string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%d faults in %d rounds, %s, seed %d\n", r.Faults(), r.Rounds, r.Took.Round(time.Second), r.Seed)
	table(&b, "Faults injected", r.Injected)
	table(&b, "Answers of the gate", r.Starts)
	table(&b, fmt.Sprintf("Runs finished: %d", r.Finished()), r.Runs)
	fmt.Fprintf(&b, "\n%-52s %6d\n%-52s %6d\n%-52s %6d\n", "Runs lost", r.count(lost), "Runs doubled", r.count(doubled), "Stale writes accepted", r.count(stale))
	fmt.Fprintf(&b, "%-52s %6d\n%-52s %6d\n", "  of writes checked", r.Writes, "  refused, the run being another's or over", r.Refused)
	fmt.Fprintf(&b, "%-52s %6d\n%-52s %6d\n", "Graph other than without faults", r.count(graph), "  of comparisons in the midst of it", r.Reads)
	fmt.Fprintf(&b, "%-52s %6d\n", "Processes that ended by themselves", r.ByItself)
	if n := len(r.TakeOvers); n > 0 {
		fmt.Fprintf(&b, "%-52s %6d\n", "Runs taken over from a dead or stopped worker", n)
		for _, p := range []int{50, 99, 100} {
			fmt.Fprintf(&b, "  %-50s %6.1f s\n", fmt.Sprintf("time without a worker, p%d", p), r.TakeOvers[(n-1)*p/100].Seconds())
		}
	}
	for _, what := range r.Breaches {
		fmt.Fprintf(&b, "BREACH %s\n", what)
	}
	fmt.Fprintf(&b, "Again: %s\n", repeat)
	_, err := io.WriteString(w, b.String())
	return err
}

func table(b *strings.Builder, title string, rows map[string]int) {
	fmt.Fprintf(b, "\n%s\n", title)
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		fmt.Fprintf(b, "  %-50s %6d\n", name, rows[name])
	}
}
