package connection

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/mergepatch"
)

// ScheduleType says how often a connection is discovered by itself.
type ScheduleType string

// The schedule types.
const (
	Manual ScheduleType = "manual"
	Hourly ScheduleType = "hourly"
	Daily  ScheduleType = "daily"
	Weekly ScheduleType = "weekly"
	Cron   ScheduleType = "cron"
)

// maxCronLength bounds a cron expression, in bytes.
const maxCronLength = 200

// MaxSpread bounds [Schedule.SpreadMinutes].
const MaxSpread = 12 * 60

// Schedule says when a connection is discovered by itself.
type Schedule struct {
	Type ScheduleType
	// Hour is 0 to 23, for daily and weekly.
	Hour int
	// Minute is 0 to 59, for hourly, daily and weekly.
	Minute int
	// Weekday is 0 (Sunday) to 6, for weekly.
	Weekday int
	// Cron is minute, hour, day of month, month and day of week, for cron.
	Cron string
	// Timezone is an IANA name; UTC when empty.
	Timezone string
	// SpreadMinutes is how long after a due time starts may come, 0 to [MaxSpread];
	// nil leaves it to [Schedule.NextStart].
	SpreadMinutes *int
}

// spreadField is the schedule's field that every type but manual has.
const spreadField = "spread_minutes"

// fields lists the fields that have a meaning for the type.
func (t ScheduleType) fields() []string {
	switch t {
	case Manual:
		return []string{"type"}
	case Hourly:
		return []string{"type", "minute", "timezone", spreadField}
	case Daily:
		return []string{"type", "hour", "minute", "timezone", spreadField}
	case Weekly:
		return []string{"type", "weekday", "hour", "minute", "timezone", spreadField}
	case Cron:
		return []string{"type", "cron", "timezone", spreadField}
	}
	return nil
}

// parts are the schedule's fields by name.
func (s *Schedule) parts() map[string]any {
	return map[string]any{
		"type": &s.Type, "hour": &s.Hour, "minute": &s.Minute, "weekday": &s.Weekday, "cron": &s.Cron, "timezone": &s.Timezone,
		spreadField: &s.SpreadMinutes,
	}
}

// MarshalJSON writes the fields that have a meaning for the type, also those
// that are zero.
func (s Schedule) MarshalJSON() ([]byte, error) {
	shown, parts := map[string]any{}, s.parts()
	for _, name := range s.Type.fields() {
		shown[name] = parts[name]
	}
	if s.Timezone == "" {
		delete(shown, "timezone")
	}
	if s.SpreadMinutes == nil {
		delete(shown, spreadField)
	}
	return json.Marshal(shown)
}

// UnmarshalJSON reads what MarshalJSON wrote; see [ParseSchedule] for what a
// caller sends. A page of connections reads one for each.
func (s *Schedule) UnmarshalJSON(raw []byte) error {
	var written struct {
		Type          ScheduleType `json:"type"`
		Hour          int          `json:"hour"`
		Minute        int          `json:"minute"`
		Weekday       int          `json:"weekday"`
		Cron          string       `json:"cron"`
		Timezone      string       `json:"timezone"`
		SpreadMinutes *int         `json:"spread_minutes"`
	}
	if err := json.Unmarshal(raw, &written); err != nil {
		return fmt.Errorf("read a schedule: %w", err)
	}
	*s = Schedule(written)
	return nil
}

// ParseSchedule reads a schedule. The error is Invalid and names each field that
// is wrong.
func ParseSchedule(raw json.RawMessage) (Schedule, error) {
	s, wrong := decodeSchedule(raw)
	if len(wrong) > 0 {
		return Schedule{}, fault.InvalidFields(wrong...)
	}
	return s, s.Validate()
}

func decodeSchedule(raw json.RawMessage) (s Schedule, wrong []fault.Field) {
	var given map[string]json.RawMessage
	if json.Unmarshal(raw, &given) != nil || given == nil {
		return s, []fault.Field{{Path: "schedule", Message: "must be a JSON object"}}
	}
	parts := s.parts()
	for _, name := range slices.Sorted(maps.Keys(given)) {
		into, known := parts[name]
		switch {
		case !known:
			wrong = append(wrong, fault.Field{Path: "schedule." + name, Message: "is not a known field; known are " + strings.Join(slices.Sorted(maps.Keys(parts)), ", ")})
		case bytes.Equal(given[name], []byte("null")) || json.Unmarshal(given[name], into) != nil:
			kind := "a whole number"
			switch into.(type) {
			case *string, *ScheduleType:
				kind = "a text"
			}
			wrong = append(wrong, fault.Field{Path: "schedule." + name, Message: "must be " + kind})
		}
	}
	return s, wrong
}

// patched applies a JSON merge patch. What has no meaning for the type that
// comes out is dropped, unless the patch named it. The error is Invalid and
// names each field that is wrong; a patch that is null makes the schedule
// manual.
func (s Schedule) patched(patch json.RawMessage) (Schedule, error) {
	if bytes.Equal(bytes.TrimSpace(patch), []byte("null")) {
		return Schedule{Type: Manual}, nil
	}
	var named map[string]json.RawMessage
	if json.Unmarshal(patch, &named) != nil || named == nil {
		return s, fault.InvalidField("schedule", "must be a JSON object")
	}
	before, err := json.Marshal(s)
	if err != nil {
		return s, fmt.Errorf("encode schedule: %w", err)
	}
	after, err := mergepatch.Apply(before, patch)
	if err != nil {
		return s, fault.InvalidField("schedule", "must be valid JSON")
	}
	merged, wrong := decodeSchedule(after)
	if len(wrong) > 0 {
		return s, fault.InvalidFields(wrong...)
	}
	var empty Schedule
	zero, parts := empty.parts(), merged.parts()
	for name := range parts {
		if _, asked := named[name]; asked || slices.Contains(merged.Type.fields(), name) || merged.Type.fields() == nil {
			continue
		}
		switch into := parts[name].(type) {
		case *int:
			*into = *zero[name].(*int)
		case *string:
			*into = *zero[name].(*string)
		case **int:
			*into = nil
		}
	}
	return merged, merged.Validate()
}

// Validate returns an Invalid error that names each wrong field.
func (s Schedule) Validate() error {
	var wrong []fault.Field
	add := func(name, format string, args ...any) {
		wrong = append(wrong, fault.Field{Path: "schedule." + name, Message: fmt.Sprintf(format, args...)})
	}
	used := s.Type.fields()
	within := func(name string, value, most int) {
		switch {
		case !slices.Contains(used, name) && (value != 0 || name == spreadField):
			add(name, "has no meaning for type %s", s.Type)
		case value < 0 || value > most:
			add(name, "must be 0 to %d", most)
		}
	}
	if used == nil {
		add("type", "must be manual, hourly, daily, weekly or cron")
	} else {
		within("minute", s.Minute, 59)
		within("hour", s.Hour, 23)
		within("weekday", s.Weekday, 6)
		if s.SpreadMinutes != nil {
			within(spreadField, *s.SpreadMinutes, MaxSpread)
		}
		if s.Type != Cron && s.Cron != "" {
			add("cron", "has no meaning for type %s", s.Type)
		}
	}
	if _, err := s.location(); err != nil {
		add("timezone", "must be an IANA time zone such as Europe/Paris")
	}
	if s.Type == Cron {
		switch spec, err := parseCron(s.Cron); {
		case err != nil:
			add("cron", "%s", err)
		case len(wrong) == 0:
			if _, due := calendarOf(spec).next(time.UTC, time.Unix(0, 0)); !due {
				add("cron", "never comes due: no month has such a day")
			}
		}
	}
	if len(wrong) > 0 {
		return fault.InvalidFields(wrong...)
	}
	return nil
}

// parseCron reads the five fields of an expression. Its error is fit for a
// caller.
func parseCron(expression string) (*cron.SpecSchedule, error) {
	const form = "must be five fields: minute, hour, day of month, month and day of week, such as 30 2 * * 1-5"
	strange := func(r rune) bool {
		return !strings.ContainsRune("*/,-? ", r) && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}
	if len(expression) > maxCronLength || len(strings.Fields(expression)) != 5 || strings.ContainsFunc(expression, strange) {
		return nil, fmt.Errorf("%s", form)
	}
	parsed, err := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow).Parse(expression)
	if err != nil {
		return nil, fmt.Errorf("is not understood (%w); it %s", err, form)
	}
	spec, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return nil, fmt.Errorf("%s", form)
	}
	return spec, nil
}

func (s Schedule) location() (*time.Location, error) {
	if s.Timezone == "Local" {
		return nil, fmt.Errorf("time zone of the machine is not a setting")
	}
	return time.LoadLocation(s.Timezone)
}
