package graph

import (
	"context"
	"sync"

	"github.com/gatehouse-project/gatehouse/internal/run"
)

// turns lets a worker send a batch while the one before it is still being stored:
// it is read and checked meanwhile, and then waits for its turn. It knows only the
// batches that came to this process. One whose predecessor went elsewhere is not
// held up here; the store, which alone decides, refuses it if it is too early.
type turns struct {
	mu sync.Mutex
	// taken are the batches at work, with what is closed when each has ended.
	taken map[turn]chan struct{}
}

type turn struct {
	fence  run.Fence
	number int64
}

// enter begins a batch's turn. wait returns when the batch before it has ended, if
// that was here when this one came; end has to be called when this one has.
func (t *turns) enter(f run.Fence, number int64) (wait func(context.Context) error, end func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.taken == nil {
		t.taken = map[turn]chan struct{}{}
	}
	before, ended := t.taken[turn{f, number - 1}], make(chan struct{})
	mine := turn{f, number}
	t.taken[mine] = ended
	wait = func(ctx context.Context) error {
		if before == nil {
			return nil
		}
		select {
		case <-before:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	end = func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		// The same batch may have come again meanwhile.
		if t.taken[mine] == ended {
			delete(t.taken, mine)
		}
		close(ended)
	}
	return wait, end
}
