package connection_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/connection"
)

// decades are zones in years in which their clocks did something: went forward and
// back by an hour or half of one, in the morning or at midnight, stayed forward,
// or went past a whole day.
func decades() map[string]int {
	return map[string]int{
		"": 2020, "Europe/Paris": 2020, "Europe/London": 2020, "America/New_York": 2020, "America/Santiago": 2020, "Asia/Kolkata": 2020,
		"Australia/Lord_Howe": 2020, "Pacific/Chatham": 2020, "Asia/Beirut": 2016, "Asia/Gaza": 2016, "Africa/Casablanca": 2016,
		"America/Sao_Paulo": 2010, "Pacific/Apia": 2006, "Asia/Pyongyang": 2012, "Europe/Istanbul": 2010, "Antarctica/Troll": 2016,
	}
}

// startsIn lists the starts of a schedule from one time to another.
func startsIn(t *testing.T, s connection.Schedule, from, to time.Time) (all []time.Time) {
	t.Helper()
	require.NoError(t, s.Validate())
	for start := range s.Starts(1, from) {
		if !start.Before(to) {
			return all
		}
		all = append(all, start)
	}
	return all
}

// Each day that a zone has, and only those, has one start, wherever clocks change.
func TestEveryDayOfADecadeHasOneStart(t *testing.T) {
	t.Parallel()
	exactly := 0
	for zone, year := range decades() {
		t.Run(zone, func(t *testing.T) {
			t.Parallel()
			loc, err := time.LoadLocation(zone)
			require.NoError(t, err)
			from := time.Date(year, 1, 1, 0, 0, 0, 0, loc).Add(-time.Nanosecond)
			var days []time.Time // one moment of each
			for d := from.Add(12 * time.Hour); d.Before(from.AddDate(10, 0, 0)); d = d.Add(time.Hour) {
				if len(days) == 0 || days[len(days)-1].Day() != d.Day() {
					days = append(days, d)
				}
			}
			for _, clock := range [][2]int{{0, 0}, {0, 30}, {1, 45}, {2, 30}, {23, 59}} {
				for _, s := range []connection.Schedule{
					{Type: connection.Daily, Hour: clock[0], Minute: clock[1], Timezone: zone, SpreadMinutes: &exactly},
					{Type: connection.Cron, Cron: fmt.Sprintf("%d %d * * *", clock[1], clock[0]), Timezone: zone, SpreadMinutes: &exactly},
				} {
					starts := startsIn(t, s, from, from.AddDate(10, 0, 0))
					require.Len(t, starts, len(days), "%+v", s)
					for i, start := range starts {
						// What a change at midnight skips comes at the first moment of the next day.
						belongs := start.Add(-time.Nanosecond)
						if clock == [2]int{0, 0} || start.In(loc).Hour() > 0 || start.In(loc).Minute() > 0 {
							belongs = start
						}
						require.Equal(t, days[i].Format(time.DateOnly), belongs.In(loc).Format(time.DateOnly), "%+v", s)
					}
				}
			}
		})
	}
}

// Around every change of the clocks, an hourly start comes an hour after the one
// before, unless the clocks' minutes change in between.
func TestHourlyStartsGoByTheTimeThatPasses(t *testing.T) {
	t.Parallel()
	exactly := 0
	for zone, year := range decades() {
		t.Run(zone, func(t *testing.T) {
			t.Parallel()
			loc, err := time.LoadLocation(zone)
			require.NoError(t, err)
			s := connection.Schedule{Type: connection.Hourly, Minute: 45, Timezone: zone, SpreadMinutes: &exactly}
			var wrong []string
			from := time.Date(year, 1, 1, 0, 0, 0, 0, loc)
			for change := from; change.Before(from.AddDate(10, 0, 0)); {
				starts := startsIn(t, s, change.AddDate(0, 0, -2), change.AddDate(0, 0, 2))
				for i, start := range starts {
					if i == 0 {
						continue
					}
					passed := start.Sub(starts[i-1])
					_, was := starts[i-1].In(loc).Zone()
					_, is := start.In(loc).Zone()
					right := passed == time.Hour
					if (is-was)%3600 != 0 {
						right = passed == 30*time.Minute || passed == 90*time.Minute
					}
					if start.In(loc).Minute() != 45 || !right {
						wrong = append(wrong, fmt.Sprintf("%s, %s after the one before", start, passed))
					}
				}
				if _, change = change.ZoneBounds(); change.IsZero() {
					break
				}
			}
			require.Empty(t, wrong)
		})
	}
}
