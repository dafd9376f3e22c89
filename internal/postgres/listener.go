package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
)

// runsChannel carries notifications about runs; Admit, Claim and every ending
// send one in their transaction.
const runsChannel = "gatehouse_runs"

// What a notification says: that a run may have become claimable, or which one
// has changed.
const (
	runReady   = "ready"
	runChanged = "changed "
)

// notifyChanged tells those who follow a run, once the transaction commits.
func notifyChanged(ctx context.Context, q *dbsqlc.Queries, r id.Run) error {
	return q.NotifyRuns(ctx, runChanged+r.String())
}

// relistenAfter is how long a listener waits before it connects again.
const relistenAfter = time.Second

// Listener wakes waits for runs: claims when one may be claimable, and whoever
// follows a run when that one has changed. It is only ever early: whoever it
// wakes looks again, and whoever it misses looks by itself.
type Listener struct {
	db     *DB
	logger *slog.Logger

	mu    sync.Mutex
	ready chan struct{}
	// followers by the run's id as notifications have it.
	followers map[string]map[chan<- struct{}]struct{}
}

// NewListener makes a listener; it hears nothing until [Listener.Run].
func NewListener(db *DB, logger *slog.Logger) *Listener {
	return &Listener{db: db, logger: logger, ready: make(chan struct{}), followers: map[string]map[chan<- struct{}]struct{}{}}
}

// Subscribe returns a channel that receives when the run has changed, once for
// any number of changes since it last did, and a function that ends it.
func (l *Listener) Subscribe(r id.Run) (changed <-chan struct{}, end func()) {
	told, name := make(chan struct{}, 1), r.String()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.followers[name] == nil {
		l.followers[name] = map[chan<- struct{}]struct{}{}
	}
	l.followers[name][told] = struct{}{}
	return told, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.followers[name], told)
		if len(l.followers[name]) == 0 {
			delete(l.followers, name)
		}
	}
}

// Wait returns when a run may be claimable, after at most the given time, or when
// the context ends.
func (l *Listener) Wait(ctx context.Context, atMost time.Duration) {
	l.mu.Lock()
	ready := l.ready
	l.mu.Unlock()
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	select {
	case <-ready:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Run listens until the context ends, and connects again when it must.
func (l *Listener) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := l.listen(ctx); ctx.Err() == nil {
			l.logger.WarnContext(ctx, "stopped listening for runs; will listen again", "error", err)
		}
		timer := time.NewTimer(relistenAfter)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
	return nil
}

func (l *Listener) listen(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, l.db.pool.Config().ConnConfig)
	if err != nil {
		return fmt.Errorf("connect to listen: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "listen "+pgx.Identifier{runsChannel}.Sanitize()); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	// Nobody knows what was missed until now.
	l.wakeAll()
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return fmt.Errorf("wait for a notification: %w", err)
		}
		if run, ok := strings.CutPrefix(n.Payload, runChanged); ok {
			l.wakeFollowers(run)
		} else {
			l.wakeClaims()
		}
	}
}

func (l *Listener) wakeClaims() {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.ready)
	l.ready = make(chan struct{})
}

func (l *Listener) wakeFollowers(run string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for told := range l.followers[run] {
		select {
		case told <- struct{}{}:
		default: // it has yet to look after the last change
		}
	}
}

func (l *Listener) wakeAll() {
	l.wakeClaims()
	l.mu.Lock()
	runs := slices.Collect(maps.Keys(l.followers))
	l.mu.Unlock()
	for _, run := range runs {
		l.wakeFollowers(run)
	}
}
