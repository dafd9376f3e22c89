package output

import (
	"strings"
	"time"
	"unicode"
)

// Clean replaces characters that a terminal would act upon, and those that
// reorder what is read, by a visible placeholder.
func Clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// none stands where there is nothing to show.
const none = "-"

// OrNone returns s, or a dash for the empty string.
func OrNone(s string) string {
	if s == "" {
		return none
	}
	return s
}

// Time shows a moment in UTC to the second; a dash when there is none.
func Time(t *time.Time) string {
	if t == nil || t.IsZero() {
		return none
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

// YesNo shows a truth value.
func YesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
