package run

import (
	"regexp"
	"strings"
	"sync"
	"unicode"
)

// removed stands where something may have been a secret.
const removed = "[removed]"

// announced matches private keys in PEM, keys of our own, and what follows a
// word that announces a secret. Compiled once: each heartbeat needs it.
var announced = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?is)-----BEGIN[^-]*-----.*?(-----END[^-]*-----|$)` +
		`|(gk_|gr_|gs_)[a-z0-9._-]{8,}` +
		`|authorization["']?\s*[:=]\s*["']?([a-z0-9-]+\s+)?\S+` +
		`|(bearer|basic)\s+[a-z0-9._~+/=-]{8,}` +
		`|(secret|password|passwd|passphrase|pwd|token|signature|credential|api[_-]?key|access[_-]?key|private[_-]?key)s?["']?\s*[:=]\s*("[^"]*"|'[^']*'|\S+)`)
})

// opaque matches runs of text that are long enough to be a secret and made of
// the characters that encoded secrets are made of.
var opaque = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[A-Za-z0-9+/_~.=-]{32,}`) })

// harmless matches text that is kept although it may look random: names in AWS,
// ids of requests, tenants and applications, and permissions that are named by a
// service and words, such as organizations:ListOrganizationalUnitsForParent.
var harmless = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(arn:aws[a-z-]*:[a-z0-9-]*:[a-z0-9-]*:[0-9]*:\S+` +
		`|[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}` +
		`|[a-z][a-z0-9-]{1,30}:([A-Z][a-z]+)+)$`)
})

// hexadecimal matches a piece that is no word, whatever its letters.
var hexadecimal = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[0-9A-Fa-f]{32,}`) })

// Sanitise makes a provider's or connector's text safe to store and show: one
// line, at most 1,000 bytes, nothing that looks like a secret. It removes rather
// too much than too little.
func Sanitise(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Cf, r):
			// Nothing is seen of it, and it could reorder what is, or stand in the
			// middle of a secret.
			return -1
		case unicode.IsControl(r), unicode.In(r, unicode.Zl, unicode.Zp):
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "�"))
	random, keep := opaque(), harmless()
	words := strings.Split(s, " ")
	for i, w := range words {
		if !keep.MatchString(strings.Trim(w, `"'()[]<>{},;:.`)) {
			words[i] = cleanWord(w, random, keep)
		}
	}
	// After the random ones, which may hold by chance what announces a secret:
	// the part in front of it would be too short to be told.
	s = announced().ReplaceAllString(strings.Join(words, " "), removed)
	if len(s) > maxMessageBytes {
		s = strings.ToValidUTF8(s[:maxMessageBytes-len("…")], "") + "…"
	}
	return s
}

// cleanWord removes what looks random from a word without spaces. Of a URL it
// also removes user, query and fragment; a path is looked at piece by piece.
func cleanWord(w string, random, keep *regexp.Regexp) string {
	clean := func(s string) string {
		return random.ReplaceAllStringFunc(s, func(run string) string {
			if keep.MatchString(run) || !looksRandom(run) {
				return run
			}
			return removed
		})
	}
	scheme, rest, isURL := strings.Cut(w, "://")
	if !isURL {
		return clean(w)
	}
	tail := ""
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		rest, tail = rest[:i], rest[i:i+1]+removed
	}
	pieces := strings.Split(rest, "/")
	if at := strings.LastIndex(pieces[0], "@"); at >= 0 {
		pieces[0] = removed + pieces[0][at:]
	}
	for i := range pieces {
		pieces[i] = clean(pieces[i])
	}
	return clean(scheme) + "://" + strings.Join(pieces, "/") + tail
}

// looksRandom tells encoded bytes from words. A long piece of hexadecimal is
// none; else it counts how often neighbouring letters differ in kind: in random
// base64 two of three do; in names made of words about one in five, and hardly
// anywhere two of five, which gives a secret away behind a long name.
func looksRandom(s string) bool {
	if hexadecimal().MatchString(s) {
		return true
	}
	const window = 32
	for i := 0; i+window <= len(s); i++ {
		if pairs, changes := kindChanges(s[i : i+window]); 5*changes >= 2*max(pairs, window/2) {
			return true
		}
	}
	pairs, changes := kindChanges(s)
	return pairs > 0 && 4*changes >= pairs
}

// kindChanges counts neighbouring letters and digits, and how many of these
// pairs are not of one kind: small, capital, digit.
func kindChanges(s string) (pairs, changes int) {
	const small, capital, digit = 'a', 'A', '0'
	last := rune(0)
	for _, r := range s {
		kind := rune(0)
		switch {
		case unicode.IsDigit(r):
			kind = digit
		case unicode.IsUpper(r):
			kind = capital
		case unicode.IsLower(r):
			kind = small
		}
		if kind != 0 && last != 0 {
			pairs++
			if kind != last {
				changes++
			}
		}
		last = kind
	}
	return pairs, changes
}
