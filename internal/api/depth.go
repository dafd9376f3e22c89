package api

// maxDepth is how deeply objects and arrays of a body may be inside one another.
// What the API takes has less than ten levels.
const maxDepth = 64

// depthMeter follows the nesting of JSON as it passes by, in constant memory and
// without decoding it. What is not JSON may confuse it; the decoder refuses that.
type depthMeter struct {
	depth   int
	text    bool
	escaped bool
}

// passes reads the next bytes and reports whether they stay within maxDepth.
func (m *depthMeter) passes(part []byte) bool {
	for _, b := range part {
		switch {
		case m.escaped:
			m.escaped = false
		case m.text:
			m.escaped = b == '\\'
			m.text = b != '"'
		case b == '"':
			m.text = true
		case b == '{' || b == '[':
			m.depth++
			if m.depth > maxDepth {
				return false
			}
		case b == '}' || b == ']':
			m.depth--
		}
	}
	return true
}
