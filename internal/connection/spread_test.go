package connection_test

import (
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Whatever the schedule and its spread: each due time has one start, which comes
// before the next due time and never later than the spread allows.
func TestEachDueTimeHasOneStartBeforeTheNext(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, after, of := anySchedule(t), anyTime(t), id.Connection(rapid.Int64Min(1).Draw(t, "connection"))
		due, ok := s.Next(after)
		require.True(t, ok)
		// The first starts may belong to a due time before.
		starts, stop := iter.Pull(s.Starts(of, due.Add(-time.Nanosecond)))
		defer stop()
		start, ok := starts()
		require.True(t, ok)
		if start.Before(due) {
			start, _ = starts()
		}
		for range 20 {
			next, ok := s.Next(due)
			require.True(t, ok)
			require.False(t, start.Before(due))
			require.True(t, start.Before(next), "%s starts %s, behind %s", due, start, next)
			late := start.Sub(due)
			if s.SpreadMinutes == nil {
				require.LessOrEqual(t, late, min(5*time.Minute, next.Sub(due)/20))
			} else {
				require.LessOrEqual(t, late, time.Duration(*s.SpreadMinutes)*time.Minute)
			}
			// The start is the first one from any moment before it.
			from := due.Add(time.Duration(rapid.Int64Range(-1, int64(late)-1).Draw(t, "from")))
			again, ok := s.NextStart(of, from)
			require.True(t, ok)
			require.Equal(t, start, again)
			due = next
			start, ok = starts()
			require.True(t, ok)
		}
	})
}

// A thousand connections that are all due at two are spread over the time that is
// there, each at the same time every day.
func TestConnectionsAreSpreadEvenly(t *testing.T) {
	t.Parallel()
	hour := 60
	s := connection.Schedule{Type: connection.Daily, Hour: 2, SpreadMinutes: &hour}
	due := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	perMinute := make([]int, hour)
	for of := range id.Connection(1000) {
		start, ok := s.NextStart(of+1, due.Add(-time.Second))
		require.True(t, ok)
		perMinute[int(start.Sub(due).Minutes())]++
		tomorrow, ok := s.NextStart(of+1, start)
		require.True(t, ok)
		require.Equal(t, start.AddDate(0, 0, 1), tomorrow)
	}
	require.Less(t, slices.Max(perMinute), 40, "of a thousand in an hour, 17 a minute: %v", perMinute)
	require.Greater(t, slices.Min(perMinute), 3, "%v", perMinute)
}

func TestNoSpreadIsTheMinuteItself(t *testing.T) {
	t.Parallel()
	exactly := 0
	for of := range id.Connection(50) {
		start, ok := connection.Schedule{Type: connection.Hourly, Minute: 15, SpreadMinutes: &exactly}.NextStart(of+1, time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC))
		require.True(t, ok)
		require.Equal(t, time.Date(2026, 3, 1, 2, 15, 0, 0, time.UTC), start)
	}
	_, ok := connection.Schedule{Type: connection.Manual}.NextStart(1, time.Unix(0, 0))
	require.False(t, ok)
}
