package worker

import (
	"errors"
	"log/slog"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/run"
)

// keepLease sends heartbeats until the run is let go. It asks the work to stop
// when the run was cancelled, and lets the run go when it is someone else's or
// may have become so. After a cancellation it goes on: the connector may need a
// while to stop.
func (e *execution) keepLease(log *slog.Logger) {
	every := time.Duration(e.assignment.HeartbeatSeconds) * time.Second
	wait := every
	var told run.Progress
	for failures := 0; failures > 0 && pause(e.hold, wait) || failures == 0 && e.untilDue(wait, told); {
		now := e.progress.now()
		cancel, err := e.call.heartbeat(e.hold, now)
		left := e.call.left()
		switch {
		case err == nil:
			failures, wait, told = 0, every, now
			if cancel {
				e.stop(errCancelled)
			}
		case e.hold.Err() != nil:
			return
		case errors.Is(err, errStale):
			e.letGo(err)
			return
		case left <= 0:
			e.letGo(errLeaseLost)
			return
		default:
			if failures == 0 {
				log.WarnContext(e.hold, "a heartbeat was not taken", slog.Any("error", err), slog.Duration("lease_left", left))
			}
			wait = min(callBackoff().after(failures), left)
			failures++
		}
	}
}

// progressEvery is how often those who watch a run hear of its progress.
const progressEvery = time.Second

// untilDue waits until the next heartbeat is due: after a time, or sooner when
// there is progress to tell. It reports false when the run was let go.
func (e *execution) untilDue(wait time.Duration, told run.Progress) bool {
	for wait > 0 {
		step := min(wait, progressEvery)
		if !pause(e.hold, step) {
			return false
		}
		if wait -= step; e.progress.now() != told {
			return true
		}
	}
	return true
}
