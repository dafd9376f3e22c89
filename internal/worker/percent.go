package worker

import (
	"encoding/hex"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// withoutEscaped takes a value out of a text in which any of its bytes may be
// percent-encoded. Which ones are differs between a query, a path, the user
// information of a URL and what each language's library makes of them.
func withoutEscaped(text, value string) string {
	var clean strings.Builder
	copied := 0
	for at := 0; at < len(text); {
		length := escapedPrefix(text[at:], value)
		if length == 0 {
			at++
			continue
		}
		clean.WriteString(text[copied:at])
		clean.WriteString(secret.Placeholder)
		at += length
		copied = at
	}
	if copied == 0 {
		return text
	}
	clean.WriteString(text[copied:])
	return clean.String()
}

// escapedPrefix returns how many bytes at the beginning of a text stand for a
// value, or 0 when it does not begin with it.
func escapedPrefix(text, value string) int {
	at := 0
	for i := range len(value) {
		switch {
		case at+2 < len(text) && text[at] == '%' && isEscape(text[at+1:at+3], value[i]):
			at += 3
		case at < len(text) && (text[at] == value[i] || text[at] == '+' && value[i] == ' '):
			at++
		default:
			return 0
		}
	}
	return at
}

// isEscape reports whether two hexadecimal digits, large or small, are a byte's.
func isEscape(digits string, want byte) bool {
	var got [1]byte
	_, err := hex.Decode(got[:], []byte(digits))
	return err == nil && got[0] == want
}
