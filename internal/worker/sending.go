package worker

import (
	"errors"
	"fmt"
	"net/http/httptrace"
	"sync"

	"github.com/gatehouse-project/gatehouse/connector"
)

// window is how many batches may be on their way: while the platform stores one it
// reads and checks the next.
const window = 2

// flight is a batch on its way.
type flight struct {
	sealedParcel
	number int64
	// written is closed when it has been sent for the first time, landed when the
	// answer is there, which is err.
	written, landed chan struct{}
	err             error
}

// stored waits for the answer and reports whether the batch is stored; then those
// before it are as well.
func (f *flight) stored() bool {
	<-f.landed
	return f.err == nil
}

// sender numbers the batches of a pipeline and sends them. They are stored in order:
// after one that is not, those behind it are not either, and its number is the next
// one's.
type sender struct {
	*pipeline
	number int64
	// out are the batches on their way, the oldest first.
	out []*flight
}

func (p *pipeline) send(first int64) {
	s := sender{pipeline: p, number: first}
	for in := p.sealed; in != nil || len(s.out) > 0; {
		free, landed := in, (chan struct{})(nil)
		if len(s.out) == window {
			free = nil
		}
		if len(s.out) > 0 {
			landed = s.out[0].landed
		}
		select {
		case next, more := <-free:
			if !more {
				in = nil
				continue
			}
			s.take(next)
		case <-landed:
			s.land()
		}
	}
}

// take sends a batch, unless it could not be encoded or one before it was not
// stored.
func (s *sender) take(next sealedParcel) {
	for next.err != nil && len(s.out) > 0 {
		s.land() // what came before it is stored first
	}
	if next.err != nil {
		s.fail(next.err)
	}
	if s.failure() != nil {
		s.open.Add(-next.pages)
		return
	}
	f := &flight{sealedParcel: next, number: s.number, written: make(chan struct{}), landed: make(chan struct{})}
	var before *flight
	if len(s.out) > 0 {
		before = s.out[len(s.out)-1]
	}
	s.number++
	s.out = append(s.out, f)
	go s.fly(f, before)
}

// land waits for the oldest batch and counts it.
func (s *sender) land() {
	f := s.out[0]
	s.out = s.out[1:]
	<-f.landed
	if f.err != nil && len(s.out) > 0 {
		// Its answer may have been lost, and the platform knows it again only as
		// long as none behind it is stored.
		if behind := s.out[0]; behind.stored() {
			f.err = nil
		}
	}
	switch {
	case f.err == nil:
		s.count(f.sealedParcel)
	case s.failure() == nil:
		s.fail(f.err)
		s.number = f.number
	}
	s.open.Add(-f.pages)
}

// fly sends a batch once the one before it has been sent. One that overtook it all
// the same is refused, which looks as if the run were someone else's; it is sent
// again behind it.
func (p *pipeline) fly(f, before *flight) {
	defer close(f.landed)
	written := sync.OnceFunc(func() { close(f.written) })
	defer written()
	send := func() error {
		ctx := httptrace.WithClientTrace(p.e.work, &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { written() }})
		return batchFailure(f.name, p.e.call.batch(ctx, f.number, f.body))
	}
	if before == nil {
		f.err = send()
		return
	}
	<-before.written
	f.err = send()
	if errors.Is(f.err, errStale) && before.stored() {
		f.err = send()
	}
}

// count makes known that a batch is stored.
func (p *pipeline) count(s sealedParcel) {
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
