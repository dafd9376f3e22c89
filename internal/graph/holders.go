package graph

import (
	"sync"

	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// subject is what a run is about.
type subject struct {
	connection  id.Connection
	integration integration.ID
}

// maxKnown bounds how many fences are remembered; a fleet has fewer workers.
const maxKnown = 1000

// holders remembers which fences have proven to hold a run. A run's subject never
// changes, and a fence names the run, so nothing here can be wrong; that its
// holder may have lost the run since is for the store to find.
type holders struct {
	mu    sync.Mutex
	known map[run.Fence]subject
}

func (h *holders) get(f run.Fence) (s subject, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s, ok = h.known[f]
	return s, ok
}

func (h *holders) put(f run.Fence, s subject) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.known == nil || len(h.known) >= maxKnown {
		h.known = map[run.Fence]subject{}
	}
	h.known[f] = s
}
