package postgres

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// bell wakes those who wait for runs to claim, after the commit that made one
// claimable. A notification inside that transaction would make every other one
// wait with its own until the disk has written this one: PostgreSQL keeps them in
// the order of their commits. What a crash in between leaves unsaid is noticed
// all the same, because whoever waits looks by himself now and then.
type bell struct {
	db *DB

	mu sync.Mutex
	// wanted says that something has become claimable since the last
	// notification was begun.
	ringing, wanted bool
}

const (
	// ringTimeout bounds one notification.
	ringTimeout = 5 * time.Second
	// ringPause is between two notifications. Each wakes everyone who listens, so
	// that thousands in a second would keep them busy with nothing else.
	ringPause = 10 * time.Millisecond
)

// ring returns at once. Notifications that are asked for while one is on its way
// become one.
func (b *bell) ring(ctx context.Context) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wanted = true
	if !b.ringing {
		b.ringing = true
		go b.work(context.WithoutCancel(ctx))
	}
}

func (b *bell) work(ctx context.Context) {
	for b.next() {
		b.notify(ctx)
		<-time.After(ringPause)
	}
}

func (b *bell) next() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ringing, b.wanted = b.wanted, false
	return b.ringing
}

// notify does not report a failure: there is nobody to tell, and nothing is lost.
func (b *bell) notify(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, ringTimeout)
	defer cancel()
	var both pgx.Batch
	// It changes nothing that would have to be on the disk.
	both.Queue("select set_config('synchronous_commit', 'off', true)")
	both.Queue("select pg_notify($1, $2)", runsChannel, runReady)
	_ = b.db.pool.SendBatch(ctx, &both).Close()
}
