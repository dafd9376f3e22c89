package workerapi

import "bytes"

// deepest is how deeply values may nest that are scanned; deeper ones are left to
// the general decoder.
const deepest = 64

// scanner goes through JSON in the form in which [Encoder] writes it: no space, no
// escapes, names in order. It never says yes to what the general decoder would
// read differently; what it says no to may still be JSON, and the general decoder
// is then asked. That a text is valid UTF-8 is for its caller to see to.
//
// A batch is nearly always of this form, and reading it this way takes a quarter
// of the time.
type scanner struct {
	plain []byte
	at    int
}

// literal goes on if the text goes on in exactly these bytes.
func (s *scanner) literal(want string) bool {
	end := s.at + len(want)
	if end > len(s.plain) || string(s.plain[s.at:end]) != want {
		return false
	}
	s.at = end
	return true
}

// span is where something is in the scanned text.
type span struct{ first, end int }

// str goes past a string without escapes and says where its text is.
func (s *scanner) str() (text span, ok bool) {
	if s.at >= len(s.plain) || s.plain[s.at] != '"' {
		return span{}, false
	}
	first := s.at + 1
	for i, c := range s.plain[first:] {
		switch {
		case c == '"':
			s.at = first + i + 1
			return span{first, first + i}, true
		case c == '\\' || c < ' ':
			return span{}, false
		}
	}
	return span{}, false
}

// value goes past a value in canonical form, at most depth levels deep.
func (s *scanner) value(depth int) bool {
	if s.at >= len(s.plain) || depth == 0 {
		return false
	}
	switch s.plain[s.at] {
	case '{':
		return s.object(depth - 1)
	case '[':
		return s.array(depth - 1)
	case '"':
		_, ok := s.str()
		return ok
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	}
	return s.number()
}

// object goes past an object whose names are of ASCII and ascend, so that none
// comes twice.
func (s *scanner) object(depth int) bool {
	s.at++
	if s.literal("}") {
		return true
	}
	var before []byte
	for first := true; ; first = false {
		at, ok := s.str()
		if !ok {
			return false
		}
		name := s.plain[at.first:at.end]
		if !isASCII(name) || !first && bytes.Compare(name, before) <= 0 || !s.literal(":") || !s.value(depth) {
			return false
		}
		before = name
		if s.literal("}") {
			return true
		}
		if !s.literal(",") {
			return false
		}
	}
}

func (s *scanner) array(depth int) bool {
	s.at++
	if s.literal("]") {
		return true
	}
	for s.value(depth) {
		if s.literal("]") {
			return true
		}
		if !s.literal(",") {
			return false
		}
	}
	return false
}

// number goes past a number of JSON's grammar.
func (s *scanner) number() bool {
	s.literal("-")
	if !s.literal("0") && !s.digits() {
		return false
	}
	if s.literal(".") && !s.digits() {
		return false
	}
	if s.literal("e") || s.literal("E") {
		if !s.literal("+") {
			s.literal("-")
		}
		return s.digits()
	}
	return true
}

func (s *scanner) digits() bool {
	first := s.at
	for s.at < len(s.plain) && s.plain[s.at] >= '0' && s.plain[s.at] <= '9' {
		s.at++
	}
	return s.at > first
}

// isCanonical reports whether a text is a value in canonical form. That it is not
// is no more than a suspicion.
func isCanonical(text []byte) bool {
	s := scanner{plain: text}
	return s.value(deepest) && s.at == len(text)
}

func isASCII(s []byte) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
