package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// runsChannel carries notifications about runs; Admit, Claim and every ending
// send one in their transaction.
const runsChannel = "gatehouse_runs"

// relistenAfter is how long a listener waits before it connects again.
const relistenAfter = time.Second

// Listener wakes waits when something about runs has changed. It is only ever
// early: whoever it wakes looks again, and whoever it misses looks by itself.
type Listener struct {
	db     *DB
	logger *slog.Logger

	mu    sync.Mutex
	woken chan struct{}
}

// NewListener makes a listener; it hears nothing until [Listener.Run].
func NewListener(db *DB, logger *slog.Logger) *Listener {
	return &Listener{db: db, logger: logger, woken: make(chan struct{})}
}

// Wait returns when something has changed, after at most the given time, or when
// the context ends.
func (l *Listener) Wait(ctx context.Context, atMost time.Duration) {
	l.mu.Lock()
	woken := l.woken
	l.mu.Unlock()
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	select {
	case <-woken:
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
	for {
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return fmt.Errorf("wait for a notification: %w", err)
		}
		l.wake()
	}
}

func (l *Listener) wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.woken)
	l.woken = make(chan struct{})
}
