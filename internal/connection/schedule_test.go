package connection_test

import (
	"encoding/json"
	"fmt"
	"strconv"
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
		{connection.Schedule{Type: connection.Daily, Hour: 2, Minute: 30, Timezone: "Europe/Paris"}, "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"},
		{connection.Schedule{Type: connection.Daily, Hour: 2, Minute: 30, Timezone: "Europe/Paris"}, "2026-10-25T01:30:00Z", "2026-10-26T01:30:00Z"},
		{connection.Schedule{Type: connection.Daily, Hour: 2, Minute: 30, Timezone: "Europe/Paris"}, "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"},
		{connection.Schedule{Type: connection.Cron, Cron: "30 2 * * 1-5"}, "2026-02-06T03:00:00Z", "2026-02-09T02:30:00Z"},
		{connection.Schedule{Type: connection.Cron, Cron: "0 0 29 2 *"}, "2026-02-06T03:00:00Z", "2028-02-29T00:00:00Z"},
		{connection.Schedule{Type: connection.Cron, Cron: "0 6 13 * FRI"}, "2026-02-07T03:00:00Z", "2026-02-13T06:00:00Z"},
		{connection.Schedule{Type: connection.Cron, Cron: "0 6 13 * FRI"}, "2026-02-13T06:00:00Z", "2026-02-20T06:00:00Z"},
		{connection.Schedule{Type: connection.Cron, Cron: "*/20 * * * *", Timezone: "Europe/Paris"}, "2026-10-25T00:40:00Z", "2026-10-25T01:00:00Z"},
	} {
		got, ok := c.schedule.Next(at(c.after))
		require.True(t, ok)
		require.Equal(t, at(c.want), got, "%+v after %s", c.schedule, c.after)
	}
	_, ok := connection.Schedule{Type: connection.Manual}.Next(at("2026-02-06T10:12:00Z"))
	require.False(t, ok)
}

// zones change their clocks by an hour, by half an hour, at midnight, by a
// whole day, or not at all.
func zones() []string {
	return []string{"", "Europe/Paris", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo", "Africa/Casablanca", "Asia/Beirut"}
}

func anySchedule(t *rapid.T) connection.Schedule {
	s := connection.Schedule{
		Type:     rapid.SampledFrom([]connection.ScheduleType{connection.Hourly, connection.Daily, connection.Weekly, connection.Cron}).Draw(t, "type"),
		Timezone: rapid.SampledFrom(zones()).Draw(t, "zone"),
	}
	if spread := rapid.IntRange(-1, connection.MaxSpread).Draw(t, "spread"); spread >= 0 {
		s.SpreadMinutes = &spread
	}
	if s.Type == connection.Cron {
		field := func(name string, most int) string {
			n := rapid.IntRange(0, most).Draw(t, name)
			return rapid.SampledFrom([]string{strconv.Itoa(n), fmt.Sprintf("%d-%d", n, most), fmt.Sprintf("%d,%d", n/2, n), "*/" + strconv.Itoa(n/2+1)}).Draw(t, name+" form")
		}
		s.Cron = field("minute", 59) + " " + field("hour", 23) + " * * " + rapid.SampledFrom([]string{"*", "1-5", "SUN"}).Draw(t, "weekday")
		return s
	}
	s.Minute = rapid.IntRange(0, 59).Draw(t, "minute")
	if s.Type != connection.Hourly {
		s.Hour = rapid.IntRange(0, 23).Draw(t, "hour")
	}
	if s.Type == connection.Weekly {
		s.Weekday = rapid.IntRange(0, 6).Draw(t, "weekday")
	}
	return s
}

func anyTime(t *rapid.T) time.Time {
	return time.Unix(rapid.Int64Range(1_262_304_000, 2_524_608_000).Draw(t, "after"), 0).UTC()
}

func TestEveryValidScheduleComesDueInTime(t *testing.T) {
	t.Parallel()
	longest := map[connection.ScheduleType]time.Duration{
		connection.Hourly: 2 * time.Hour, connection.Daily: 50 * time.Hour,
		connection.Weekly: 15 * 24 * time.Hour, // Apia once left a whole day out
		connection.Cron:   15 * 24 * time.Hour,
	}
	rapid.Check(t, func(t *rapid.T) {
		s, after := anySchedule(t), anyTime(t)
		require.NoError(t, s.Validate())
		due, ok := s.Next(after)
		require.True(t, ok)
		require.True(t, due.After(after))
		require.LessOrEqual(t, due.Sub(after), longest[s.Type])
		// It is the first one: nothing earlier follows from an earlier moment.
		between := after.Add(time.Duration(rapid.Int64Range(0, int64(due.Sub(after))-1).Draw(t, "between")))
		again, ok := s.Next(between)
		require.True(t, ok)
		require.Equal(t, due, again)
	})
}

func TestSchedulesSurviveTheirJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := anySchedule(t)
		raw, err := json.Marshal(s)
		require.NoError(t, err)
		back, err := connection.ParseSchedule(raw)
		require.NoError(t, err)
		require.Equal(t, s, back)
	})
}

func TestWrongScheduleDocumentsNameEveryField(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string][]string{
		`{"type":"daily","hour":"two","minute":0.5,"colour":1}`: {"schedule.colour", "schedule.hour", "schedule.minute"},
		`{"type":"weekly","hour":24,"minute":60,"weekday":7}`:   {"schedule.minute", "schedule.hour", "schedule.weekday"},
		`{"type":"daily","hour":null}`:                          {"schedule.hour"},
		`{"type":"daily","spread_minutes":721}`:                 {"schedule.spread_minutes"},
		`{"type":"daily","spread_minutes":"5"}`:                 {"schedule.spread_minutes"},
		`{"type":"manual","spread_minutes":0}`:                  {"schedule.spread_minutes"},
		`{"type":"cron","cron":"61 * * * *"}`:                   {"schedule.cron"},
		`{"type":"cron","cron":"0 0 30 2 *"}`:                   {"schedule.cron"},
		`{"type":"cron","cron":"@daily"}`:                       {"schedule.cron"},
		`{"type":"cron","cron":"TZ=0 * * * *"}`:                 {"schedule.cron"},
		`{"type":"cron","cron":"* * * *"}`:                      {"schedule.cron"},
		`{"type":"cron","timezone":"Mars/Base"}`:                {"schedule.timezone", "schedule.cron"},
		`[]`:                                                    {"schedule"}, `null`: {"schedule"}, `{}`: {"schedule.type"},
	} {
		_, err := connection.ParseSchedule(json.RawMessage(raw))
		f, ok := fault.As(err)
		require.True(t, ok, raw)
		var got []string
		for _, field := range f.Fields {
			got = append(got, field.Path)
		}
		require.Equal(t, want, got, raw)
	}
}

func TestWrongSchedulesNameTheField(t *testing.T) {
	t.Parallel()
	for field, s := range map[string]connection.Schedule{
		"schedule.type":     {Type: "fortnightly"},
		"schedule.hour":     {Type: connection.Daily, Hour: 24},
		"schedule.minute":   {Type: connection.Hourly, Minute: -1},
		"schedule.weekday":  {Type: connection.Daily, Weekday: 1},
		"schedule.timezone": {Type: connection.Daily, Timezone: "Local"},
		"schedule.cron":     {Type: connection.Daily, Cron: "* * * * *"},
	} {
		f, ok := fault.As(s.Validate())
		require.True(t, ok, field)
		require.Equal(t, fault.Invalid, f.Kind)
		require.Equal(t, field, f.Fields[0].Path)
	}
}
