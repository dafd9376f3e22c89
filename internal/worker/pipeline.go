package worker

import (
	"errors"
	"fmt"
	"sync"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

// pipeline encodes pages and sends them as numbered batches, in order, while the
// connector reads on. It holds one page that is being encoded and one or two
// batches that are being sent, whatever the size of the run. Its methods are for
// one goroutine.
type pipeline struct {
	e       *execution
	encoder *workerapi.Encoder
	parcels chan parcel
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

// sealedParcel is an encoded parcel; the page itself is let go. One that could
// not be encoded goes the same way, so that those before it are still sent.
type sealedParcel struct {
	body                    []byte
	err                     error
	entities, relationships int
	name                    string
}

// newPipeline starts a pipeline whose first batch has the given number. It has
// to be closed.
func newPipeline(e *execution, first int64) (*pipeline, error) {
	encoder, err := workerapi.NewEncoder()
	if err != nil {
		return nil, err
	}
	p := &pipeline{e: e, encoder: encoder, parcels: make(chan parcel), sealed: make(chan sealedParcel)}
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

func (p *pipeline) encode() {
	defer close(p.sealed)
	for next := range p.parcels {
		if p.failure() != nil {
			p.open.Done()
			continue
		}
		body, err := p.encoder.Encode(next.header, &next.page)
		if err != nil {
			err = &connector.Error{Category: connector.ContractViolation, Message: fmt.Sprintf("%s: %v", next.name, err), Cause: err}
		}
		p.sealed <- sealedParcel{body, err, len(next.page.Entities), len(next.page.Relationships), next.name}
	}
}

func (p *pipeline) send(number int64) {
	for next := range p.sealed {
		err := next.err
		if err == nil && p.failure() == nil {
			if err = batchFailure(next.name, p.e.call.batch(p.e.work, number, next.body)); err == nil {
				number++
				p.stored(next)
			}
		}
		if err != nil {
			p.fail(err)
		}
		p.open.Done()
	}
}

func (p *pipeline) stored(s sealedParcel) {
	p.e.progress.stored(s.entities, s.relationships)
	m := p.e.worker.metrics
	m.batches.Inc()
	m.records.WithLabelValues("entity").Add(float64(s.entities))
	m.records.WithLabelValues("relationship").Add(float64(s.relationships))
}

// batchFailure tells a batch that the platform will never take from a platform
// that does not take any.
func batchFailure(name string, err error) error {
	var refused *callError
	if errors.As(err, &refused) && !refused.temporary() && !refused.notOurs() {
		reason := refused.detail
		if reason == "" {
			reason = fmt.Sprintf("status %d", refused.status)
		}
		return &connector.Error{Category: connector.ContractViolation, Message: fmt.Sprintf("%s: the platform refused it: %s", name, reason), Cause: err}
	}
	return err
}
