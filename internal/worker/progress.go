package worker

import (
	"sync"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// progress is how far a run has come in this attempt. It is safe for concurrent
// use.
type progress struct {
	mu      sync.Mutex
	current run.Progress
	// waiting says what is waited for, in place of what is read.
	waiting string
}

func (p *progress) now() run.Progress {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.current
	if p.waiting != "" {
		now.Message = p.waiting
	}
	return now
}

// waitsFor shows what is waited for, until it is told that it is nothing.
func (p *progress) waitsFor(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = run.Sanitise(what)
}

func (p *progress) planned(partitions int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.current.PartitionsAll = partitions
}

func (p *progress) begin(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.current.Message = run.Sanitise(what)
}

func (p *progress) ended() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.current.PartitionsDone++
}

func (p *progress) stored(entities, relationships int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.current.Entities += int64(entities)
	p.current.Relationships += int64(relationships)
}

// nameOf is what messages call a partition.
func nameOf(p connector.Partition) string {
	if p.Key == "" {
		return "stream " + p.Stream
	}
	return "stream " + p.Stream + ", " + p.Key
}
