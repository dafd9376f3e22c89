package control

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"
)

// MaxDelay bounds how late slow answers come.
const MaxDelay = 10 * time.Minute

// Schedule chooses which of the calls that match a fault it hits.
type Schedule struct {
	// After lets the first matching calls pass.
	After int
	// Every hits each n-th of the calls that follow; 0 and 1 hit each.
	Every int
	// Times ends the fault after so many hits; 0 never ends it.
	Times int
	// Delay is how late the answers come.
	Delay time.Duration
}

// Validate says what is wrong with a schedule.
func (s Schedule) Validate() error {
	if s.After < 0 || s.Every < 0 || s.Times < 0 || s.Delay < 0 {
		return errors.New("fault counts and delays are not negative")
	}
	if s.Delay > MaxDelay {
		return fmt.Errorf("fault delay is at most %s", MaxDelay)
	}
	return nil
}

// Hits reports whether the count-th matching call is hit, of a fault that has hit so
// many before.
func (s Schedule) Hits(count, before int) bool {
	return count > s.After && (s.Times == 0 || before < s.Times) && (s.Every <= 1 || (count-s.After)%s.Every == 0)
}

// Faults are those in force. R is what a simulator keeps of each: the fault as it
// was asked for, and what it counts. The zero value holds none; it is safe for
// concurrent use.
type Faults[R any] struct {
	mu   sync.Mutex
	next int
	held []held[R]
}

type held[R any] struct {
	id   string
	rule *R
}

// Add puts a fault in force; begin makes it, given its identifier.
func (f *Faults[R]) Add(begin func(id string) *R) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next++
	id := "fault-" + strconv.Itoa(f.next)
	f.held = append(f.held, held[R]{id, begin(id)})
}

// Each visits the faults in the order in which they were added, alone: what a visit
// reads and changes of them nobody else does meanwhile.
func (f *Faults[R]) Each(visit func(*R)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, h := range f.held {
		visit(h.rule)
	}
}

// Remove ends one fault, or all when id is empty; it says whether any ended.
func (f *Faults[R]) Remove(id string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	before := len(f.held)
	f.held = slices.DeleteFunc(f.held, func(h held[R]) bool { return id == "" || h.id == id })
	return len(f.held) < before
}
