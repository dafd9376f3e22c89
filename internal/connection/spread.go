package connection

import (
	"crypto/sha256"
	"encoding/binary"
	"iter"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/id"
)

// What a schedule that names no spread has: a twentieth of the time to the next
// due time, and not more than some minutes.
const (
	spreadShare = 20
	spreadMost  = 5 * time.Minute
)

// NextStart returns when the schedule starts the connection first after the given
// time; ok is false for manual.
//
// Starts are spread, so that all that is due at two o'clock does not come at once:
// a connection's start comes a part of the spread after its due time, which is
// the same part every time and takes nothing but the connection's id to know. No
// start comes as late as the next due time.
func (s Schedule) NextStart(of id.Connection, after time.Time) (start time.Time, ok bool) {
	for start := range s.Starts(of, after) {
		return start, true
	}
	return time.Time{}, false
}

// Starts are the start that NextStart returns and all that follow.
func (s Schedule) Starts(of id.Connection, after time.Time) iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		c, loc, ok := s.calendar()
		if !ok {
			return
		}
		due, ok := s.lastDue(c, loc, after)
		for part := partOf(of); ok; {
			following, more := c.next(loc, due)
			if start := due.Add(s.delay(part, due, following, more)); start.After(after) && !yield(start) {
				return
			}
			due, ok = following, more
		}
	}
}

// nextStart is NextStart for a column that may be null.
func (s Schedule) nextStart(of id.Connection, after time.Time) *time.Time {
	if start, ok := s.NextStart(of, after); ok {
		return &start
	}
	return nil
}

// lastDue returns the last time that came due and may start later, or else one
// that comes due after.
func (s Schedule) lastDue(c calendar, loc *time.Location, after time.Time) (due time.Time, ok bool) {
	longest := s.longestSpread()
	for back := time.Minute; ; back *= 2 {
		due, ok = c.next(loc, after.Add(-min(back, longest)).Add(-time.Nanosecond))
		if !ok || !due.After(after) || back >= longest {
			return due, ok
		}
	}
}

func (s Schedule) longestSpread() time.Duration {
	if s.SpreadMinutes == nil {
		return spreadMost
	}
	return time.Duration(*s.SpreadMinutes) * time.Minute
}

// delay is how long after due a start comes, in whole seconds.
func (s Schedule) delay(part float64, due, following time.Time, more bool) time.Duration {
	spread := s.longestSpread()
	if more {
		most := following.Sub(due)
		if s.SpreadMinutes == nil {
			most /= spreadShare
		}
		spread = min(spread, most)
	}
	return time.Duration(part * float64(spread)).Truncate(time.Second)
}

// partOf is the connection's part of every spread: 0 to less than 1, and as good
// as random among connections.
func partOf(of id.Connection) float64 {
	sum := sha256.Sum256([]byte("schedule " + of.String()))
	const bits = 53 // as many as a float64 tells apart
	return float64(binary.BigEndian.Uint64(sum[:8])>>(64-bits)) / (1 << bits)
}
