package auditsink

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/auditlog"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/ocsf"
)

// Bounds of a forwarder's work.
const (
	// lookEvery is how often it looks for events when there were none.
	lookEvery = 2 * time.Second
	// batchSize is the most events of one delivery.
	batchSize = 100
	// workspacesAtOnce is the most workspaces of one look.
	workspacesAtOnce = 100
	// firstPause and longestPause bound the pauses after failures.
	firstPause   = time.Second
	longestPause = 5 * time.Minute
)

// Sink takes events. Deliver returns nil only once they are safe there; what it
// returns an error for comes again. The id is the same whenever the same events
// come again. Each event is one JSON object without a line break.
type Sink interface {
	Deliver(ctx context.Context, id string, events [][]byte) error
}

// Store keeps how far each sink is.
type Store interface {
	// HoldSink calls fn while no other process holds the sink, and returns at
	// once when one does.
	HoldSink(ctx context.Context, sink string, fn func(ctx context.Context) error) error
	// Undelivered returns workspaces with entries that the sink lacks, those
	// that waited longest first.
	Undelivered(ctx context.Context, sink string, most int) ([]Undelivered, error)
	// EntriesFrom returns entries of a workspace's log.
	EntriesFrom(ctx context.Context, scope id.Scope, from int64, limit int) ([]auditlog.StoredEntry, error)
	// Advance notes the first entry that the sink does not have yet.
	Advance(ctx context.Context, sink string, w id.Workspace, next int64) error
}

// Undelivered is what a sink lacks of a workspace's log.
type Undelivered struct {
	Workspace id.Workspace
	// Next is the first entry that is lacking, Size where the log ends.
	Next, Size int64
	// Waiting is for how long the oldest has been there.
	Waiting time.Duration
}

// Observer is told how a sink fares.
type Observer interface {
	// Lag is how long the oldest undelivered event has waited, 0 for none.
	Lag(sink string, d time.Duration)
	// Delivered and Failed count events and attempts.
	Delivered(sink string, events int)
	Failed(sink string)
}

// Forwarder keeps one sink up to date. It is not for concurrent use.
type Forwarder struct {
	Name     string
	Sink     Sink
	Store    Store
	Tenant   id.Tenant
	Log      *slog.Logger
	Observer Observer

	// failures counts the batches of a workspace that failed one after another.
	failures map[id.Workspace]int
}

// Run forwards until ctx ends. It returns an error for nothing: a sink that is
// down must not take the service with it.
func (f *Forwarder) Run(ctx context.Context) error {
	pause := time.Duration(0)
	for ctx.Err() == nil {
		sent := 0
		err := f.Store.HoldSink(ctx, f.Name, func(ctx context.Context) (err error) {
			sent, err = f.Forward(ctx)
			return err
		})
		switch {
		case err != nil && ctx.Err() == nil:
			if sent > 0 {
				// Other workspaces go on.
				pause = 0
			}
			pause = min(max(2*pause, firstPause), longestPause)
			f.Observer.Failed(f.Name)
			f.Log.LogAttrs(ctx, slog.LevelWarn, "audit events could not be sent to a sink, and will be again", slog.String("sink", f.Name),
				slog.Duration("pause", pause), slog.Any("error", err))
			wait(ctx, pause/2+rand.N(pause/2+1))
		case sent == 0:
			pause = 0
			wait(ctx, lookEvery)
		default:
			pause = 0
		}
	}
	return nil
}

// Forward delivers one batch of each workspace that has something, and returns
// how many events that were. The first failure ends the round: a destination that
// is down is not asked once for each workspace. The workspace whose batch failed
// comes behind the others from then on, until one of its batches is taken, so
// that events that a destination never takes keep no other workspace back.
func (f *Forwarder) Forward(ctx context.Context) (sent int, err error) {
	behind, err := f.Store.Undelivered(ctx, f.Name, workspacesAtOnce)
	if err != nil {
		return 0, err
	}
	lag := time.Duration(0)
	for _, u := range behind {
		lag = max(lag, u.Waiting)
	}
	f.Observer.Lag(f.Name, lag)
	slices.SortStableFunc(behind, func(a, b Undelivered) int { return f.failures[a.Workspace] - f.failures[b.Workspace] })
	for _, u := range behind {
		n, err := f.deliver(ctx, u)
		if err != nil {
			if f.failures == nil {
				f.failures = map[id.Workspace]int{}
			}
			f.failures[u.Workspace]++
			return sent, fmt.Errorf("audit events of %s: %w", u.Workspace, err)
		}
		delete(f.failures, u.Workspace)
		sent += n
	}
	return sent, nil
}

func (f *Forwarder) deliver(ctx context.Context, u Undelivered) (int, error) {
	entries, err := f.Store.EntriesFrom(ctx, id.Scope{Tenant: f.Tenant, Workspace: u.Workspace}, u.Next, int(min(batchSize, u.Size-u.Next)))
	if err != nil || len(entries) == 0 {
		return 0, err
	}
	last := entries[len(entries)-1].Number
	var events [][]byte
	for _, e := range entries {
		if e.Record == nil {
			// Deleted behind the log's back: verifying tells, sending cannot.
			continue
		}
		event, err := ocsf.Marshal(e.Number, *e.Record)
		if err != nil {
			return 0, err
		}
		events = append(events, event)
	}
	if len(events) > 0 {
		name := fmt.Sprintf("aud-%s-%d-%d", u.Workspace, u.Next, last)
		if err := f.Sink.Deliver(ctx, name, events); err != nil {
			return 0, err
		}
	}
	if err := f.Store.Advance(ctx, f.Name, u.Workspace, last+1); err != nil {
		return 0, err
	}
	f.Observer.Delivered(f.Name, len(events))
	return len(entries), nil
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
