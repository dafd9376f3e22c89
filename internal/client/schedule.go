package client

import "encoding/json"

// SchedulePatch puts a schedule in the place of another.
type SchedulePatch Schedule

// MarshalJSON writes the merge patch: every field of the other schedule has to be
// named, those that have no meaning any more as null.
func (p SchedulePatch) MarshalJSON() ([]byte, error) {
	all := map[string]any{"type": p.Type, "hour": nil, "minute": nil, "weekday": nil, "cron": nil, "timezone": nil, "spread_minutes": nil}
	switch p.Type {
	case "weekly":
		all["weekday"], all["hour"], all["minute"] = p.Weekday, p.Hour, p.Minute
	case "daily":
		all["hour"], all["minute"] = p.Hour, p.Minute
	case "hourly":
		all["minute"] = p.Minute
	case "cron":
		all["cron"] = p.Cron
	}
	if p.Timezone != "" {
		all["timezone"] = p.Timezone
	}
	if p.SpreadMinutes != nil {
		all["spread_minutes"] = *p.SpreadMinutes
	}
	return json.Marshal(all)
}
