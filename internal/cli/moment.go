package cli

import (
	"strconv"
	"strings"
	"time"
)

// parseMoment reads a moment that a flag names: a day, which begins at midnight
// UTC, a time with its offset, or how long ago. Nothing gives nil.
func parseMoment(flag, text string, now time.Time) (*time.Time, error) {
	if text == "" {
		return nil, nil
	}
	if at, ok := parseTime(text); ok {
		return &at, nil
	}
	if ago, ok := parseAgo(text); ok {
		at := now.Add(-ago)
		return &at, nil
	}
	return nil, usagef("%s: %q is no moment; write 2026-01-31, 2026-01-31T08:00:00Z, or how long ago, as 90m, 24h or 7d", flag, text)
}

// dating is the flag of questions about an earlier moment.
type dating struct {
	AsOf string `name:"as-of" placeholder:"WHEN" help:"The graph as it was: 2026-01-31, 2026-01-31T08:00:00Z, how long ago, as 24h or 7d, or when a run was published, as run_12."`
}

// moment is the flag as the API takes it; empty for now.
func (d dating) moment() (string, error) { return momentOf("--as-of", d.AsOf) }

// momentOf reads a moment that a flag names as the API takes it: the id of a run
// as it is, and any other as a time. Nothing gives nothing.
func momentOf(flag, text string) (string, error) {
	if strings.HasPrefix(text, "run_") {
		return text, nil
	}
	at, err := parseMoment(flag, text, time.Now())
	if err != nil || at == nil {
		return "", err
	}
	return at.UTC().Format(time.RFC3339Nano), nil
}

// parseEnd reads when something ends that a flag names: a day, at whose beginning
// in UTC it ends, a time with its offset, or how long after from. Nothing gives
// nil.
func parseEnd(flag, text string, from time.Time) (*time.Time, error) {
	if text == "" {
		return nil, nil
	}
	end, ok := parseTime(text)
	if !ok {
		var after time.Duration
		if after, ok = parseAgo(text); ok {
			end = from.Add(after)
		}
	}
	switch {
	case !ok:
		return nil, usagef("%s: %q is no end; write 2027-01-31, 2027-01-31T08:00:00Z, or how long, as 72h or 30d", flag, text)
	case !end.After(from):
		return nil, usagef("%s: %q is over already; must be in the future", flag, text)
	}
	end = end.UTC()
	return &end, nil
}

// parseTime reads a day or a time with its offset.
func parseTime(text string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

func parseAgo(text string) (time.Duration, bool) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		// Longer than any log, shorter than what a duration holds.
		const most = 36_500
		n, err := strconv.Atoi(days)
		return time.Duration(n) * 24 * time.Hour, err == nil && n >= 0 && n <= most
	}
	ago, err := time.ParseDuration(text)
	return ago, err == nil && ago >= 0
}
