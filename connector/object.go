package connector

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// What a JSON object may not hold, although JSON's grammar lets it. Whoever
// stores records may rely on it that none of this comes.
var (
	errGrammar   = errors.New("are not valid JSON")
	errNUL       = errors.New("hold a NUL character")
	errSurrogate = errors.New("hold half of a surrogate pair")
	errDeep      = fmt.Errorf("are nested more than %d deep", MaxAttributesDepth)
	errNumber    = fmt.Errorf("hold a number of more than %d bytes or with an exponent beyond %d", MaxNumberBytes, MaxNumberExponent)
)

// validateObject accepts nothing, or one JSON object within the limits.
func validateObject(field string, raw json.RawMessage, most int) error {
	if len(raw) == 0 {
		return nil
	}
	if len(raw) > most {
		return fmt.Errorf("%s are %d bytes long, more than %d", field, len(raw), most)
	}
	if !utf8.Valid(raw) {
		return fmt.Errorf("%s %w", field, errGrammar)
	}
	text := jsonText{raw: raw}
	text.space()
	object := text.next() == '{'
	if err := text.value(0); err != nil {
		return fmt.Errorf("%s %w", field, err)
	}
	if text.space(); text.at != len(raw) {
		return fmt.Errorf("%s %w", field, errGrammar)
	}
	if !object {
		return fmt.Errorf("%s are not a JSON object", field)
	}
	return nil
}

// jsonText goes through JSON once and checks grammar, depth, escapes and numbers
// on the way. Every record passes here twice, in the worker and in the service,
// and a pass for each check took most of the time of checking.
type jsonText struct {
	raw []byte
	at  int
}

// next is the byte at hand, or 0 at the end.
func (t *jsonText) next() byte {
	if t.at == len(t.raw) {
		return 0
	}
	return t.raw[t.at]
}

func (t *jsonText) space() {
	for t.at < len(t.raw) {
		switch t.raw[t.at] {
		case ' ', '\t', '\r', '\n':
			t.at++
		default:
			return
		}
	}
}

// take goes on if the text goes on with a byte.
func (t *jsonText) take(c byte) bool {
	if t.next() != c {
		return false
	}
	t.at++
	return true
}

// value goes past a value that is nested depth deep.
func (t *jsonText) value(depth int) error {
	switch c := t.next(); c {
	case '{', '[':
		if depth == MaxAttributesDepth {
			return errDeep
		}
		t.at++
		if c == '{' {
			return t.members(depth + 1)
		}
		return t.elements(depth + 1)
	case '"':
		return t.str()
	case 't':
		return t.word("true")
	case 'f':
		return t.word("false")
	case 'n':
		return t.word("null")
	}
	return t.number()
}

// members goes past the rest of an object.
func (t *jsonText) members(depth int) error {
	if t.space(); t.take('}') {
		return nil
	}
	for {
		if t.space(); t.next() != '"' {
			return errGrammar
		}
		if err := t.str(); err != nil {
			return err
		}
		if t.space(); !t.take(':') {
			return errGrammar
		}
		t.space()
		if err := t.value(depth); err != nil {
			return err
		}
		if t.space(); t.take('}') {
			return nil
		}
		if !t.take(',') {
			return errGrammar
		}
	}
}

// elements goes past the rest of an array.
func (t *jsonText) elements(depth int) error {
	if t.space(); t.take(']') {
		return nil
	}
	for {
		t.space()
		if err := t.value(depth); err != nil {
			return err
		}
		if t.space(); t.take(']') {
			return nil
		}
		if !t.take(',') {
			return errGrammar
		}
	}
}

func (t *jsonText) word(w string) error {
	if len(t.raw)-t.at < len(w) || string(t.raw[t.at:t.at+len(w)]) != w {
		return errGrammar
	}
	t.at += len(w)
	return nil
}

// str goes past a string.
func (t *jsonText) str() error {
	for t.at++; t.at < len(t.raw); t.at++ {
		switch c := t.raw[t.at]; {
		case c == '"':
			t.at++
			return nil
		case c < ' ':
			return errGrammar
		case c == '\\':
			if err := t.escape(); err != nil {
				return err
			}
		}
	}
	return errGrammar
}

// escape goes from a backslash to the last byte of what it escapes.
func (t *jsonText) escape() error {
	t.at++
	switch t.next() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return nil
	case 'u':
	default:
		return errGrammar
	}
	unit, err := t.hex()
	switch {
	case err != nil:
		return err
	case unit == 0:
		return errNUL
	case unit>>10 == low:
		return errSurrogate
	case unit>>10 != high:
		return nil
	}
	if t.at++; !t.take('\\') || t.next() != 'u' {
		return errSurrogate
	}
	if unit, err = t.hex(); err == nil && unit>>10 != low {
		err = errSurrogate
	}
	return err
}

// The upper six bits of the two halves of a surrogate pair.
const (
	high = 0xd800 >> 10
	low  = 0xdc00 >> 10
)

// hex goes from the u of an escape to its last digit and returns the unit of
// UTF-16 that it stands for.
func (t *jsonText) hex() (unit uint64, err error) {
	if len(t.raw)-t.at <= 4 {
		return 0, errGrammar
	}
	for _, c := range t.raw[t.at+1 : t.at+5] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = (c | 0x20) - 'a' + 10
		default:
			return 0, errGrammar
		}
		unit = unit<<4 | uint64(c)
	}
	t.at += 4
	return unit, nil
}

// number goes past a number.
func (t *jsonText) number() error {
	first := t.at
	t.take('-')
	if !t.take('0') && !t.digits() {
		return errGrammar
	}
	if t.take('.') && !t.digits() {
		return errGrammar
	}
	exponent := "0"
	if t.take('e') || t.take('E') {
		if !t.take('+') {
			t.take('-')
		}
		from := t.at
		if !t.digits() {
			return errGrammar
		}
		exponent = string(t.raw[from:t.at])
	}
	if n, err := strconv.Atoi(exponent); err != nil || n > MaxNumberExponent || t.at-first > MaxNumberBytes {
		return errNumber
	}
	return nil
}

func (t *jsonText) digits() bool {
	first := t.at
	for c := t.next(); c >= '0' && c <= '9'; c = t.next() {
		t.at++
	}
	return t.at > first
}
