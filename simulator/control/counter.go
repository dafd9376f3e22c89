package control

import (
	"maps"
	"sync"
)

// Counter counts calls by name, such as service:operation. The zero value is ready
// to use, by many goroutines.
type Counter struct {
	mu     sync.Mutex
	counts map[string]int
}

// Add counts a call, and returns how many there were by now.
func (c *Counter) Add(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = map[string]int{}
	}
	c.counts[name]++
	return c.counts[name]
}

// Snapshot returns the counts so far, never nil.
func (c *Counter) Snapshot() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		return map[string]int{}
	}
	return maps.Clone(c.counts)
}

// Reset counts from zero.
func (c *Counter) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts = nil
}
