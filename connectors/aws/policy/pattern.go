package policy

import (
	"slices"
	"strings"
)

// The signs of a pattern that are no characters.
const (
	star     rune = -1 - iota // any characters, or none
	inside                    // a star that does not reach across a colon
	question                  // any one character
	one                       // a question mark that does not match a colon
	hole                      // the value of a variable that is not known
)

// pattern is a text in which * and ? stand for others.
type pattern []rune

// literal takes every character as itself.
func literal(text string) pattern { return pattern(text) }

// wild takes * and ? as wildcards.
func wild(text string) pattern {
	p := pattern(text)
	for i, r := range p {
		switch r {
		case '*':
			p[i] = star
		case '?':
			p[i] = question
		}
	}
	return p
}

// arnColons is how many colons stand before the last part of an ARN.
const arnColons = 5

// inARN keeps wildcards within the first five parts of an ARN from reaching
// across a colon, except for a star at the end of a part, which may (IAM user
// guide, "Resource": "If the * wildcard is the last character of a resource
// ARN segment, it can expand to match beyond the colon boundaries").
func (p pattern) inARN() pattern {
	colons := 0
	for i := 0; i < len(p) && colons < arnColons; i++ {
		switch p[i] {
		case ':':
			colons++
		case question:
			p[i] = one
		case star:
			if i+1 < len(p) && p[i+1] != ':' {
				p[i] = inside
			}
		}
	}
	return p
}

// segmented keeps all wildcards of the first five parts within their part, as
// the ARN condition operators do.
func (p pattern) segmented() pattern {
	colons := 0
	for i := 0; i < len(p) && colons < arnColons; i++ {
		switch p[i] {
		case ':':
			colons++
		case question:
			p[i] = one
		case star:
			p[i] = inside
		}
	}
	return p
}

func (p pattern) hasHole() bool { return slices.Contains(p, hole) }

// matches compares a pattern with a text. When open, the text is the beginning
// of one whose rest is not known. When the work is spent nothing is known.
func (p pattern) matches(text string, open bool, w *work) Truth {
	if !w.take(len(p) + len(text)) {
		return Unknown
	}
	value := []rune(text)
	if !open && !slices.Contains(p, inside) && !p.hasHole() {
		return p.fits(value, w)
	}
	if p.run(value, open, false, w) {
		return True
	}
	if (open || p.hasHole()) && p.run(value, open, true, w) || w.spent() {
		return Unknown
	}
	return False
}

// run moves the set of places in the pattern along the text: linear in each,
// whatever the wildcards. Lenient, a hole stands for anything and the rest of
// an open text is whatever the pattern needs; otherwise a hole matches nothing
// and the rest is matched by a star alone.
func (p pattern) run(value []rune, open, lenient bool, w *work) bool {
	at, next := make([]bool, len(p)+1), make([]bool, len(p)+1)
	at[0] = true
	skips := func(r rune) bool { return r == star || r == inside || lenient && r == hole }
	for _, v := range value {
		if !w.take(len(p)) {
			return false
		}
		alive := false
		for i := range p {
			if !at[i] {
				continue
			}
			alive = true
			r := p[i]
			if skips(r) {
				at[i+1] = true
				if r != inside || v != ':' {
					next[i] = true
				}
				continue
			}
			if r == v || r == question || r == one && v != ':' {
				next[i+1] = true
			}
		}
		if !alive {
			return false
		}
		at, next = next, at
		clear(next)
	}
	for i := range p {
		if !at[i] {
			continue
		}
		if open && (lenient || p[i] == star && allStars(p[i:])) {
			return true
		}
		if skips(p[i]) {
			at[i+1] = true
		}
	}
	return at[len(p)] && (!open || lenient)
}

// fits is run for the many patterns whose stars all reach anywhere: then only
// the last star met needs to be tried again.
func (p pattern) fits(value []rune, w *work) Truth {
	at, i, last, from := 0, 0, -1, 0
	for i < len(value) {
		if !w.take(1) {
			return Unknown
		}
		switch {
		case at < len(p) && p[at] == star:
			last, from = at, i
			at++
		case at < len(p) && (p[at] == value[i] || p[at] == question || p[at] == one && value[i] != ':'):
			at++
			i++
		case last >= 0:
			from++
			at, i = last+1, from
		default:
			return False
		}
	}
	return truthOf(allStars(p[at:]))
}

func allStars(p pattern) bool {
	return !slices.ContainsFunc(p, func(r rune) bool { return r != star })
}

// matchAction compares names of actions, in which case does not count.
func matchAction(text, action string, w *work) Truth {
	if !w.take(len(text)) {
		return Unknown
	}
	return wild(strings.ToLower(text)).fits([]rune(strings.ToLower(action)), w)
}
