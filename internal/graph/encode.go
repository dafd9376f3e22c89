package graph

import (
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/identifier"
)

// appendIdentifiers adds identifiers as JSON, as they are stored.
func appendIdentifiers(dst []byte, all []connector.Identifier) []byte {
	dst = append(dst, '[')
	for i, one := range all {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendIdentifier(dst, one), '}')
	}
	return append(dst, ']')
}

// appendNormalised adds the identifiers of a principal with their normal forms,
// by which publishing finds out who is the same.
func appendNormalised(dst []byte, all []connector.Identifier) []byte {
	dst = append(dst, '[')
	for i, one := range all {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendIdentifier(dst, one)
		if form, ok := identifier.Of(one); ok {
			dst = appendString(append(dst, `,"key":`...), form.Value)
			dst = appendString(append(dst, `,"standing":`...), string(form.Standing))
		}
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

// appendIdentifier adds an identifier without its closing brace.
func appendIdentifier(dst []byte, one connector.Identifier) []byte {
	dst = appendString(append(dst, `{"type":`...), string(one.Type))
	dst = appendString(append(dst, `,"value":`...), one.Value)
	if one.Unverified {
		dst = append(dst, `,"unverified":true`...)
	}
	return dst
}

// appendTerms adds terms as JSON, as encoding/json would.
func appendTerms(dst []byte, t *connector.Terms) []byte {
	first := len(dst)
	if t.Effect != "" {
		dst = appendString(append(dst, `,"effect":`...), string(t.Effect))
	}
	dst = appendStrings(dst, `,"actions":[`, t.Actions)
	dst = appendStrings(dst, `,"not_actions":[`, t.NotActions)
	if len(t.Conditions) > 0 {
		dst = append(append(dst, `,"conditions":`...), t.Conditions...)
	}
	if t.Given != "" {
		dst = appendString(append(dst, `,"given":`...), string(t.Given))
	}
	if t.ExpiresAt != nil {
		dst = append(t.ExpiresAt.AppendFormat(append(dst, `,"expires_at":"`...), time.RFC3339Nano), '"')
	}
	if len(dst) == first {
		return append(dst, '{', '}')
	}
	dst[first] = '{' // in place of the first member's comma
	return append(dst, '}')
}

func appendStrings(dst []byte, member string, list []string) []byte {
	if len(list) == 0 {
		return dst
	}
	dst = append(dst, member...)
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, s)
	}
	return append(dst, ']')
}

// appendString adds a text, which is valid UTF-8, as a JSON string. It has the
// escapes that JSON asks for and no others.
func appendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[from:i]...)
		if from = i + 1; c < ' ' {
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		} else {
			dst = append(dst, '\\', c)
		}
	}
	return append(append(dst, s[from:]...), '"')
}
