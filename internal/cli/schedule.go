package cli

import (
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// scheduleForms is what --schedule accepts, for messages.
const scheduleForms = "manual, hourly@15, daily@02:00, weekly@mon@02:00, cron@30 2 * * 1-5, with @Europe/Paris behind it for a time zone, and ~30 at the end to have starts spread over 30 minutes"

// maxSpread is how many minutes starts may be spread over.
const maxSpread = 720

// parseSchedule reads the short form of a schedule.
func parseSchedule(text string) (*client.Schedule, error) {
	times, spread, spreads := strings.Cut(text, "~")
	parts := strings.Split(times, "@")
	s := &client.Schedule{Type: parts[0]}
	rest := parts[1:]
	ok := true
	take := func() string {
		if len(rest) == 0 {
			ok = false
			return ""
		}
		first := rest[0]
		rest = rest[1:]
		return first
	}
	switch s.Type {
	case "manual":
	case "hourly":
		ok = number(take(), 59, &s.Minute)
	case "daily":
		ok = clock(take(), s)
	case "weekly":
		day := weekday(take())
		s.Weekday = max(day, 0)
		ok = clock(take(), s) && day >= 0
	case "cron":
		s.Cron = take()
		ok = s.Cron != ""
	default:
		ok = false
	}
	if ok && len(rest) == 1 && s.Type != "manual" {
		s.Timezone = rest[0]
		rest = nil
		// Go reads "Local" as this machine's zone, which means nothing elsewhere.
		if _, err := time.LoadLocation(s.Timezone); err != nil || s.Timezone == "Local" {
			return nil, usagef("--schedule: %q is no time zone; name it as in Europe/Paris, or leave it out for UTC", s.Timezone)
		}
	}
	if spreads && ok {
		minutes, err := strconv.Atoi(spread)
		ok = err == nil && minutes >= 0 && minutes <= maxSpread && s.Type != "manual"
		s.SpreadMinutes = &minutes
	}
	if !ok || len(rest) > 0 {
		return nil, usagef("--schedule: %q is not a schedule; accepted are %s", text, scheduleForms)
	}
	return s, nil
}

// clock reads hours and minutes such as 02:00.
func clock(text string, s *client.Schedule) bool {
	hour, minute, found := strings.Cut(text, ":")
	return found && number(hour, 23, &s.Hour) && number(minute, 59, &s.Minute)
}

func number(text string, most int, into *int) bool {
	n, err := strconv.Atoi(text)
	*into = n
	return err == nil && n >= 0 && n <= most && len(text) <= 2
}

// weekday returns the number of a day named by its first three letters or more;
// -1 for no day.
func weekday(text string) int {
	for day := time.Sunday; day <= time.Saturday; day++ {
		if len(text) >= 3 && strings.HasPrefix(strings.ToLower(day.String()), strings.ToLower(text)) {
			return int(day)
		}
	}
	return -1
}

// scheduleState is the short form, and whether it is paused.
func scheduleState(c client.Connection) string {
	text := formatSchedule(c.Schedule)
	if c.SchedulePausedAt != nil {
		text += " (paused)"
	}
	return text
}

// formatSchedule writes the short form.
func formatSchedule(s client.Schedule) string {
	two := func(n int) string { return strings.Repeat("0", max(0, 2-len(strconv.Itoa(n)))) + strconv.Itoa(n) }
	text := s.Type
	switch s.Type {
	case "hourly":
		text += "@" + two(s.Minute)
	case "daily":
		text += "@" + two(s.Hour) + ":" + two(s.Minute)
	case "weekly":
		day := time.Weekday(s.Weekday).String()
		text += "@" + strings.ToLower(day[:3]) + "@" + two(s.Hour) + ":" + two(s.Minute)
	case "cron":
		text += "@" + s.Cron
	default:
		return output.OrNone(text)
	}
	if s.Timezone != "" {
		text += "@" + s.Timezone
	}
	if s.SpreadMinutes != nil {
		text += "~" + strconv.Itoa(*s.SpreadMinutes)
	}
	return text
}
