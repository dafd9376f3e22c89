package worker

import (
	"errors"
	"log/slog"
	"time"
)

// keepLease sends heartbeats until the run is let go. It asks the work to stop
// when the run was cancelled, and lets the run go when it is someone else's or
// may have become so. After a cancellation it goes on: the connector may need a
// while to stop.
func (e *execution) keepLease(log *slog.Logger) {
	every := time.Duration(e.assignment.HeartbeatSeconds) * time.Second
	wait := every
	for failures := 0; pause(e.hold, wait); {
		cancel, err := e.call.heartbeat(e.hold, e.progress.now())
		left := e.call.left()
		switch {
		case err == nil:
			failures, wait = 0, every
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
