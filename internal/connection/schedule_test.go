package connection_test

import (
	"testing"
	"time"
	_ "time/tzdata" // the zones are needed on machines without them, too

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
)

func TestNextIsTheFirstDueTimeAfter(t *testing.T) {
	t.Parallel()
	at := func(text string) time.Time {
		parsed, err := time.Parse(time.RFC3339, text)
		require.NoError(t, err)
		return parsed
	}
	for _, c := range []struct {
		schedule    connection.Schedule
		after, want string
	}{
		{connection.Schedule{Type: connection.Hourly, Minute: 15}, "2026-02-06T10:12:00Z", "2026-02-06T10:15:00Z"},
		{connection.Schedule{Type: connection.Hourly, Minute: 15}, "2026-02-06T10:15:00Z", "2026-02-06T11:15:00Z"},
		{connection.Schedule{Type: connection.Hourly, Timezone: "Asia/Kolkata"}, "2026-02-06T10:12:00Z", "2026-02-06T10:30:00Z"},
		{connection.Schedule{Type: connection.Daily, Hour: 2}, "2026-02-06T01:59:59Z", "2026-02-06T02:00:00Z"},
		{connection.Schedule{Type: connection.Daily, Hour: 2}, "2026-02-06T02:00:00Z", "2026-02-07T02:00:00Z"},
		{connection.Schedule{Type: connection.Daily, Hour: 2, Timezone: "Europe/Paris"}, "2026-07-06T02:00:00Z", "2026-07-07T00:00:00Z"},
		{connection.Schedule{Type: connection.Weekly, Weekday: 1, Hour: 9}, "2026-02-06T10:00:00Z", "2026-02-09T09:00:00Z"},
		{connection.Schedule{Type: connection.Weekly, Weekday: 5, Hour: 9}, "2026-02-06T10:00:00Z", "2026-02-13T09:00:00Z"},
		// 02:30 does not exist that night, and exists twice in the other.
		{connection.Schedule{Type: connection.Daily, Hour: 2, Minute: 30, Timezone: "Europe/Paris"}, "2026-03-28T12:00:00Z", "2026-03-29T01:30:00Z"},
		{connection.Schedule{Type: connection.Daily, Hour: 2, Minute: 30, Timezone: "Europe/Paris"}, "2026-10-25T01:30:00Z", "2026-10-26T01:30:00Z"},
	} {
		got, ok := c.schedule.Next(at(c.after))
		require.True(t, ok)
		require.Equal(t, at(c.want), got, "%+v after %s", c.schedule, c.after)
	}
	_, ok := connection.Schedule{Type: connection.Manual}.Next(at("2026-02-06T10:12:00Z"))
	require.False(t, ok)
}

func TestEveryValidScheduleComesDueInTime(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := connection.Schedule{
			Type:     rapid.SampledFrom([]connection.ScheduleType{connection.Hourly, connection.Daily, connection.Weekly}).Draw(t, "type"),
			Minute:   rapid.IntRange(0, 59).Draw(t, "minute"),
			Timezone: rapid.SampledFrom([]string{"", "Europe/Paris", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia"}).Draw(t, "zone"),
		}
		longest := 2 * time.Hour
		if s.Type != connection.Hourly {
			s.Hour = rapid.IntRange(0, 23).Draw(t, "hour")
			longest = 50 * time.Hour
		}
		if s.Type == connection.Weekly {
			s.Weekday = rapid.IntRange(0, 6).Draw(t, "weekday")
			longest = 15 * 24 * time.Hour // Apia once left a whole day out
		}
		require.NoError(t, s.Validate())
		after := time.Unix(rapid.Int64Range(1_262_304_000, 2_524_608_000).Draw(t, "after"), 0)
		due, ok := s.Next(after)
		require.True(t, ok)
		require.True(t, due.After(after))
		require.LessOrEqual(t, due.Sub(after), longest)
	})
}

func TestWrongSchedulesNameTheField(t *testing.T) {
	t.Parallel()
	for field, s := range map[string]connection.Schedule{
		"schedule.type":     {Type: "fortnightly"},
		"schedule.hour":     {Type: connection.Daily, Hour: 24},
		"schedule.minute":   {Type: connection.Hourly, Minute: -1},
		"schedule.weekday":  {Type: connection.Daily, Weekday: 1},
		"schedule.timezone": {Type: connection.Daily, Timezone: "Local"},
	} {
		f, ok := fault.As(s.Validate())
		require.True(t, ok, field)
		require.Equal(t, fault.Invalid, f.Kind)
		require.Equal(t, field, f.Fields[0].Path)
	}
}
