package run

import (
	"regexp"
	"strings"
	"unicode"
)

// secretShapes are patterns of text that may be a secret and is never shown,
// whatever else a message says: AWS keys' secret halves and tokens, bearer
// tokens, keys of our own, and anything after a word that announces a secret.
func secretShapes() *regexp.Regexp {
	return regexp.MustCompile(`(?i)(gk_|gr_)[a-z0-9._-]{8,}|bearer\s+\S+|(secret|password|token|signature|credential)s?["']?\s*[:=]\s*\S+|[A-Za-z0-9+/]{40,}={0,2}`)
}

// Sanitise makes a provider's or connector's text safe to store and show: one
// line, at most 1,000 bytes, nothing that looks like a secret.
func Sanitise(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "�"))
	s = secretShapes().ReplaceAllString(s, "[removed]")
	if len(s) > maxMessageBytes {
		s = strings.ToValidUTF8(s[:maxMessageBytes], "") + "…"
	}
	return s
}
