package connection

import (
	"fmt"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/fault"
)

// ScheduleType says how often a connection is discovered by itself.
type ScheduleType string

// The schedule types.
const (
	Manual ScheduleType = "manual"
	Hourly ScheduleType = "hourly"
	Daily  ScheduleType = "daily"
	Weekly ScheduleType = "weekly"
)

// Schedule says when a connection is discovered by itself.
type Schedule struct {
	Type ScheduleType `json:"type"`
	// Hour is 0 to 23, for daily and weekly.
	Hour int `json:"hour,omitempty"`
	// Minute is 0 to 59, for all but manual.
	Minute int `json:"minute,omitempty"`
	// Weekday is 0 (Sunday) to 6, for weekly.
	Weekday int `json:"weekday,omitempty"`
	// Timezone is an IANA name; UTC when empty.
	Timezone string `json:"timezone,omitempty"`
}

// Validate returns an Invalid error that names each wrong field.
func (s Schedule) Validate() error {
	var wrong []fault.Field
	within := func(name string, value, most int, used bool) {
		switch {
		case !used && value != 0:
			wrong = append(wrong, fault.Field{Path: "schedule." + name, Message: fmt.Sprintf("has no meaning for type %s", s.Type)})
		case value < 0 || value > most:
			wrong = append(wrong, fault.Field{Path: "schedule." + name, Message: fmt.Sprintf("must be 0 to %d", most)})
		}
	}
	switch s.Type {
	case Manual, Hourly, Daily, Weekly:
		within("minute", s.Minute, 59, s.Type != Manual)
		within("hour", s.Hour, 23, s.Type == Daily || s.Type == Weekly)
		within("weekday", s.Weekday, 6, s.Type == Weekly)
	default:
		wrong = append(wrong, fault.Field{Path: "schedule.type", Message: "must be manual, hourly, daily or weekly"})
	}
	if _, err := s.location(); err != nil {
		wrong = append(wrong, fault.Field{Path: "schedule.timezone", Message: "must be an IANA time zone such as Europe/Paris"})
	}
	if len(wrong) > 0 {
		return fault.InvalidFields(wrong...)
	}
	return nil
}

// Next returns the first due time after the given one; ok is false for manual.
// Local times that a daylight-saving change skips move to the first moment that
// exists; those it repeats come once.
func (s Schedule) Next(after time.Time) (due time.Time, ok bool) {
	loc, err := s.location()
	if err != nil || s.Type == Manual || s.Type == "" {
		return time.Time{}, false
	}
	local := after.In(loc)
	if s.Type == Hourly {
		// Not every zone is whole hours away from UTC.
		_, seconds := local.Zone()
		offset := time.Duration(seconds) * time.Second
		due := after.Add(offset).Truncate(time.Hour).Add(time.Duration(s.Minute)*time.Minute - offset)
		if !due.After(after) {
			due = due.Add(time.Hour)
		}
		return due.UTC(), true
	}
	for day := 0; ; day++ {
		due := time.Date(local.Year(), local.Month(), local.Day()+day, s.Hour, s.Minute, 0, 0, loc)
		if due.After(after) && (s.Type == Daily || int(due.Weekday()) == s.Weekday) {
			return due.UTC(), true
		}
	}
}

func (s Schedule) location() (*time.Location, error) {
	if s.Timezone == "Local" {
		return nil, fmt.Errorf("time zone of the machine is not a setting")
	}
	return time.LoadLocation(s.Timezone)
}
