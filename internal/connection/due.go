package connection

import (
	"sort"
	"time"

	"github.com/robfig/cron/v3"
)

// Next returns the first due time after the given one; ok is false for manual.
//
// A schedule that names hours goes by the clock on the wall: a local time that a
// change of the clocks skips comes due at the first moment that exists, one that
// is repeated comes due once, the first time. A schedule of every hour goes by
// the time that passes. A day that a zone left out altogether has no due time.
func (s Schedule) Next(after time.Time) (due time.Time, ok bool) {
	c, loc, ok := s.calendar()
	if !ok {
		return time.Time{}, false
	}
	return c.next(loc, after)
}

// calendar returns the local times of the schedule and where they are local; ok is
// false for manual and for what is not valid.
func (s Schedule) calendar() (c calendar, loc *time.Location, ok bool) {
	loc, err := s.location()
	if err != nil || s.Validate() != nil {
		return c, nil, false
	}
	switch s.Type {
	case Hourly:
		c = calendar{minutes: 1 << s.Minute, hours: everyHour, days: everything, months: everything, weekdays: everything}
	case Daily:
		c = calendar{minutes: 1 << s.Minute, hours: 1 << s.Hour, days: everything, months: everything, weekdays: everything}
	case Weekly:
		c = calendar{minutes: 1 << s.Minute, hours: 1 << s.Hour, days: everything, months: everything, weekdays: 1 << s.Weekday}
	case Cron:
		spec, err := parseCron(s.Cron)
		if err != nil {
			return c, nil, false
		}
		c = calendarOf(spec)
	default:
		return c, nil, false
	}
	return c, loc, true
}

// calendar is the local times at which a schedule is due: sets of numbers, one
// bit each.
type calendar struct {
	minutes, hours, days, months, weekdays uint64
	// either says that a day fits by its number or by its weekday, as cron has it
	// when both are restricted.
	either bool
}

const (
	everything = ^uint64(0)
	everyHour  = uint64(1)<<24 - 1
	// unrestricted is set by the parser for a field that is a star.
	unrestricted = uint64(1) << 63
)

func calendarOf(s *cron.SpecSchedule) calendar {
	return calendar{
		minutes: s.Minute, hours: s.Hour, days: s.Dom, months: s.Month, weekdays: s.Dow,
		either: s.Dom&unrestricted == 0 && s.Dow&unrestricted == 0,
	}
}

// farthest is how many days ahead is looked: 29 February comes after eight
// years at the latest, and after 28 on a weekday's name.
const farthest = 12 * 366

func (c calendar) next(loc *time.Location, after time.Time) (time.Time, bool) {
	today := after.In(loc)
	// The day before, because what a change of the clocks skips comes due late.
	for ahead := -1; ahead < farthest; ahead++ {
		day := time.Date(today.Year(), today.Month(), today.Day()+ahead, 0, 0, 0, 0, time.UTC)
		if !c.fits(day) || leftOut(loc, day) {
			continue
		}
		look := c.byTheClock
		if c.hours&everyHour == everyHour {
			look = c.byTime
		}
		if due, ok := look(loc, day, after); ok {
			return due.UTC(), true
		}
	}
	return time.Time{}, false
}

func (c calendar) fits(day time.Time) bool {
	number, weekday := c.days&(1<<day.Day()) != 0, c.weekdays&(1<<day.Weekday()) != 0
	if c.months&(1<<day.Month()) == 0 {
		return false
	}
	if c.either {
		return number || weekday
	}
	return number && weekday
}

// leftOut reports whether clocks went from the day before straight to the day
// after, as in Samoa at the end of 2011.
func leftOut(loc *time.Location, day time.Time) bool {
	return moment(loc, day).Equal(moment(loc, day.AddDate(0, 0, 1)))
}

// byTheClock looks through the local times of a day, of which a later one never
// comes before an earlier one.
func (c calendar) byTheClock(loc *time.Location, day, after time.Time) (time.Time, bool) {
	var walls []time.Time
	for hour := range 24 {
		for minute := range 60 {
			if c.hours&(1<<hour) != 0 && c.minutes&(1<<minute) != 0 {
				walls = append(walls, day.Add(time.Duration(hour)*time.Hour+time.Duration(minute)*time.Minute))
			}
		}
	}
	first := sort.Search(len(walls), func(i int) bool { return moment(loc, walls[i]).After(after) })
	if first == len(walls) {
		return time.Time{}, false
	}
	return moment(loc, walls[first]), true
}

// byTime looks through the minutes that pass during a day.
func (c calendar) byTime(loc *time.Location, day, after time.Time) (time.Time, bool) {
	end := moment(loc, day.AddDate(0, 0, 1))
	t := moment(loc, day)
	if passed := after.Sub(t); passed > 0 {
		t = t.Add(passed.Truncate(time.Minute))
	}
	for ; t.Before(end); t = t.Add(time.Minute) {
		local := t.In(loc)
		if t.After(after) && local.Day() == day.Day() && c.minutes&(1<<local.Minute()) != 0 {
			return t, true
		}
	}
	return time.Time{}, false
}

// moment returns when clocks in loc show what wall, in UTC, says: the first time
// if they show it twice, and the moment at which they pass it if they never do.
func moment(loc *time.Location, wall time.Time) time.Time {
	shown := func(t time.Time) time.Time {
		_, offset := t.In(loc).Zone()
		return t.UTC().Add(time.Duration(offset) * time.Second)
	}
	t := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), 0, 0, loc)
	start, end := t.ZoneBounds()
	switch {
	case shown(t).Before(wall):
		return end
	case shown(t).After(wall):
		return start
	case !start.IsZero():
		before := start.Add(-time.Nanosecond)
		if earlier := t.Add(shown(t).Sub(t.UTC()) - shown(before).Sub(before.UTC())); earlier.Before(start) {
			return earlier
		}
	}
	return t
}
