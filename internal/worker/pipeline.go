package worker

import (
	"fmt"
	"sync"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

// pipeline encodes pages and sends them as numbered batches, in order, while the
// connector reads on. Pages of a partition that come while another batch is on
// its way wait and go together: a slow or distant platform is asked less often.
// It holds the batches of one window, one that is encoded and the pages of one more,
// whatever the size of the run. Its methods are for one goroutine.
type pipeline struct {
	e       *execution
	encoder *workerapi.Encoder
	parcels chan parcel
	groups  chan []parcel
	sealed  chan sealedParcel
	// open counts the parcels that are on their way.
	open sync.WaitGroup
	ends sync.WaitGroup

	mu     sync.Mutex
	failed error
}

// parcel is a page on its way.
type parcel struct {
	header workerapi.Header
	page   connector.Page
	// name says in messages which page it is.
	name string
}

// sealedParcel is an encoded batch of pages; the pages themselves are let go. One
// that could not be encoded goes the same way, so that those before it are still
// sent.
type sealedParcel struct {
	body                           []byte
	err                            error
	pages, entities, relationships int
	name                           string
}

// newPipeline starts a pipeline whose first batch has the given number. It has
// to be closed.
func newPipeline(e *execution, first int64) (*pipeline, error) {
	encoder, err := workerapi.NewEncoder()
	if err != nil {
		return nil, err
	}
	p := &pipeline{e: e, encoder: encoder, parcels: make(chan parcel), groups: make(chan []parcel), sealed: make(chan sealedParcel)}
	p.ends.Go(p.gather)
	p.ends.Go(p.encode)
	p.ends.Go(func() { p.send(first) })
	return p, nil
}

// put hands a parcel over. An error is that of an earlier one; after it
// everything is refused until flush.
func (p *pipeline) put(next parcel) error {
	if err := p.failure(); err != nil {
		return err
	}
	p.open.Add(1)
	p.parcels <- next
	return nil
}

// flush waits until everything is stored. It returns the first failure and
// forgets it; what came after that was not sent. A page that cannot be sent is
// a [*connector.Error] of category contract violation.
func (p *pipeline) flush() error {
	p.open.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.failed
	p.failed = nil
	return err
}

// close drops what is not stored yet, unless it was flushed.
func (p *pipeline) close() {
	close(p.parcels)
	p.ends.Wait()
}

func (p *pipeline) failure() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failed
}

func (p *pipeline) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed == nil {
		p.failed = err
	}
}

// gather makes groups of what comes while the encoder is busy.
func (p *pipeline) gather() {
	defer close(p.groups)
	var group []parcel
	for {
		in, out := p.parcels, p.groups
		if len(group) == 0 {
			out = nil
		}
		if len(group) == workerapi.MaxBatchPages {
			in = nil
		}
		select {
		case next, more := <-in:
			if len(group) > 0 && (!more || !belongs(next, group)) {
				p.groups <- group
				group = nil
			}
			if !more {
				return
			}
			group = append(group, next)
		case out <- group:
			group = nil
		}
	}
}

// belongs reports whether a page may go with those before it.
func belongs(next parcel, group []parcel) bool {
	last := group[len(group)-1].header
	return last.End == "" && last.Stream == next.header.Stream && last.Partition == next.header.Partition
}

// merge makes one page of a group, with the cursor and end of the last.
func merge(group []parcel) parcel {
	if len(group) == 1 {
		return group[0]
	}
	first, last := group[0], group[len(group)-1]
	all := parcel{header: last.header, name: first.name + " to " + last.name, page: connector.Page{Next: last.page.Next}}
	for i := range group {
		page := &group[i].page
		all.page.Entities = append(all.page.Entities, page.Entities...)
		all.page.Relationships = append(all.page.Relationships, page.Relationships...)
		all.page.Gaps = append(all.page.Gaps, page.Gaps...)
	}
	return all
}

func (p *pipeline) encode() {
	defer close(p.sealed)
	for group := range p.groups {
		if p.failure() != nil {
			p.open.Add(-len(group))
			continue
		}
		whole := p.seal(merge(group), len(group))
		if whole.err == nil || len(group) == 1 {
			p.sealed <- whole
			continue
		}
		// What cannot be sent may be one page of several, or all together.
		for _, one := range group {
			p.sealed <- p.seal(one, 1)
		}
	}
}

func (p *pipeline) seal(what parcel, pages int) sealedParcel {
	body, err := p.encoder.Encode(what.header, &what.page)
	if err != nil {
		err = &connector.Error{Category: connector.ContractViolation, Message: fmt.Sprintf("%s: %v", what.name, err), Cause: err}
	}
	return sealedParcel{body, err, pages, len(what.page.Entities), len(what.page.Relationships), what.name}
}
