package api

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// deepest decodes text token by token and returns how deep it gets.
func deepest(t require.TestingT, text string) (most int) {
	decoder, depth := json.NewDecoder(strings.NewReader(text)), 0
	for {
		token, err := decoder.Token()
		if token == nil && err != nil {
			return most
		}
		if d, ok := token.(json.Delim); ok {
			if d == '{' || d == '[' {
				depth++
			} else {
				depth--
			}
			most = max(most, depth)
		}
	}
}

// document draws JSON whose strings are full of what nests.
func document(depth int) *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any {
		kinds := 2
		if depth > 0 {
			kinds = 4
		}
		switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
		case 0:
			return rapid.StringMatching(`[\[\]{}"\\a]{0,10}`).Draw(t, "text")
		case 1:
			return rapid.Int().Draw(t, "number")
		case 2:
			return []any{document(depth-1).Draw(t, "element")}
		default:
			return map[string]any{rapid.StringMatching(`[\[\]{}"\\a]{0,5}`).Draw(t, "name"): document(depth-1).Draw(t, "value")}
		}
	})
}

// The meter agrees with a decoder, however the body is cut into parts.
func TestDepthIsThatOfADecoder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		inner, err := json.Marshal(document(12).Draw(r, "document"))
		require.NoError(r, err)
		around := rapid.IntRange(0, 70).Draw(r, "around")
		text := strings.Repeat(`{"a\"[":[`, around/2) + string(inner) + strings.Repeat("]}", around/2)
		m, passes := depthMeter{}, true
		for rest := []byte(text); len(rest) > 0 && passes; {
			n := rapid.IntRange(1, len(rest)).Draw(r, "part")
			passes = m.passes(rest[:n])
			rest = rest[n:]
		}
		require.Equal(r, deepest(r, text) <= maxDepth, passes, text)
	})
}

func TestDepthNeedsNoMemory(t *testing.T) {
	part := []byte(strings.Repeat(`[]{"a":"\""}`, 1000))
	require.Zero(t, testing.AllocsPerRun(10, func() {
		m := depthMeter{}
		if !m.passes(part) {
			t.Error("is not deep")
		}
	}))
}
