package run

import (
	"context"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Changes tells when runs have changed.
type Changes interface {
	// Subscribe returns a channel that receives when the run has changed, once
	// for any number of changes since it last did, and a function that ends it.
	Subscribe(r id.Run) (changed <-chan struct{}, end func())
}

// lookEvery bounds how long whoever follows a run trusts that they would have
// been woken.
const lookEvery = 5 * time.Second

// Watch follows one run. It is for one goroutine and has to be ended.
type Watch struct {
	service *Service
	run     id.Run
	changed <-chan struct{}
	end     func()
}

// Watch begins to follow a run: what happens to it from now on is not missed.
func (s *Service) Watch(r id.Run) *Watch {
	w := &Watch{service: s, run: r}
	w.changed, w.end = s.Changed.Subscribe(r)
	return w
}

// End ends the watch.
func (w *Watch) End() { w.end() }

// Look returns the run as it is now, or NotFound.
func (w *Watch) Look(ctx context.Context, c workspace.Caller) (Run, error) {
	return w.service.Get(ctx, c, w.run)
}

// Wait returns when the run may have changed since the last look, after at most
// the given time or 5 s, or when the context ends.
func (w *Watch) Wait(ctx context.Context, atMost time.Duration) {
	timer := time.NewTimer(min(atMost, lookEvery))
	defer timer.Stop()
	select {
	case <-w.changed:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Await is Get once the run has completed, or after the given time.
func (s *Service) Await(ctx context.Context, c workspace.Caller, r id.Run, atMost time.Duration) (Run, error) {
	if atMost <= 0 {
		return s.Get(ctx, c, r)
	}
	w := s.Watch(r)
	defer w.End()
	end := time.Now().Add(atMost)
	for {
		found, err := w.Look(ctx, c)
		left := time.Until(end)
		if err != nil || found.Status == Completed || left <= 0 || ctx.Err() != nil {
			return found, err
		}
		w.Wait(ctx, left)
	}
}
