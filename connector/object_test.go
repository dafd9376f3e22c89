package connector

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// What encoding/json calls valid is accepted, unless a rule of the contract says
// otherwise, and nothing else is.
func FuzzObjectIsJSON(f *testing.F) {
	for _, seed := range []string{
		`{}`, ` {"a" : [1, -0.5e+3, true, false, null, "x\u00e9\ud83d\ude00\n"]} `, `{"a":{"b":[[]]}}`, `{"a":01}`, `{"a":1.}`, `{"a":"\x"}`,
		`{"a":1}}`, `[1]`, `{"a"}`, `{"a":1,}`, `{,}`, `[,]`, `{"a":tru}`, `{"a":"\ud800"}`, `{"a":"\udc00"}`, `{"a":"\u0000"}`, `{"a":1e401}`, "{\"a\":\"\x01\"}", `{"a":--1}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		err := validateObject("attributes", raw, MaxAttributesBytes)
		switch {
		case len(raw) == 0:
			require.NoError(t, err)
		case err == nil:
			require.True(t, json.Valid(raw), "%q", raw)
			require.Equal(t, byte('{'), bytes.TrimLeft(raw, " \t\r\n")[0])
		case strings.Contains(err.Error(), errGrammar.Error()):
			require.False(t, json.Valid(raw) && utf8.Valid(raw), "%q", raw)
		}
	})
}

func TestObjectRefusesWhatCannotBeStored(t *testing.T) {
	t.Parallel()
	deep := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }
	for _, c := range []struct {
		raw string
		why error
	}{
		{`{"a":"\u0000"}`, errNUL},
		{`{"a\u0000":1}`, errNUL},
		{`{"a":"\ud800"}`, errSurrogate},
		{`{"a":"\ud800x"}`, errSurrogate},
		{`{"a":"\ud800\n"}`, errSurrogate},
		{`{"a":"\ud800\u0041"}`, errSurrogate},
		{`{"a":"\uDC00"}`, errSurrogate},
		{`{"a":"\ud83d\ude00"}`, nil},
		{`{"a":"\\u0000"}`, nil},
		{`{"a":1e400}`, nil},
		{`{"a":1e-400}`, nil},
		{`{"a":1e401}`, errNumber},
		{`{"a":1E+00000000000000000000401}`, errNumber},
		{`{"a":1e99999999999999999999}`, errNumber},
		{`{"a":` + strings.Repeat("7", MaxNumberBytes) + `}`, nil},
		{`{"a":` + strings.Repeat("7", MaxNumberBytes+1) + `}`, errNumber},
		{deep(MaxAttributesDepth), nil},
		{deep(MaxAttributesDepth + 1), errDeep},
		{strings.Repeat(`{"a":`, 10000), errDeep},
		{`{"a":"\u00g0"}`, errGrammar},
		{`{"a":"\u00`, errGrammar},
		{"{\"a\":\"\xff\"}", errGrammar},
	} {
		err := validateObject("attributes", json.RawMessage(c.raw), MaxAttributesBytes)
		require.ErrorIs(t, err, c.why, "%.80s", c.raw)
	}
	require.EqualError(t, validateObject("conditions", json.RawMessage(`[1]`), MaxConditionsBytes), "conditions are not a JSON object")
}
