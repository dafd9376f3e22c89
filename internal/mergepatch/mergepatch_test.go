package mergepatch_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/internal/mergepatch"
)

// TestApplyAsTheStandardSays has the test cases of RFC 7396, appendix A.
func TestApplyAsTheStandardSays(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]string{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`["a","b"]`, `["c","d"]`, `["c","d"]`},
		{`{"a":"b"}`, `["c"]`, `["c"]`},
		{`{"a":"foo"}`, `null`, `null`},
		{`{"a":"foo"}`, `"bar"`, `"bar"`},
		{`{"e":null}`, `{"a":1}`, `{"a":1,"e":null}`},
		{`[1,2]`, `{"a":"b","c":null}`, `{"a":"b"}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
		{``, `{"a":1}`, `{"a":1}`},
		{`{"n":1.50,"big":123456789012345678901234567890}`, `{"t":"<&>"}`, `{"big":123456789012345678901234567890,"n":1.50,"t":"<&>"}`},
	} {
		got, err := mergepatch.Apply(json.RawMessage(c[0]), json.RawMessage(c[1]))
		require.NoError(t, err)
		require.Equal(t, c[2], string(got), "%s with %s", c[0], c[1])
	}
	for _, patch := range []string{``, `{`, `{} {}`} {
		_, err := mergepatch.Apply(json.RawMessage(`{}`), json.RawMessage(patch))
		require.Error(t, err, patch)
	}
}

func anyValue(t *rapid.T, depth int) any {
	kinds := []string{"null", "text", "list", "object"}
	if depth == 0 {
		kinds = kinds[:2]
	}
	switch rapid.SampledFrom(kinds).Draw(t, "kind") {
	case "text":
		return rapid.SampledFrom([]string{"x", "y"}).Draw(t, "text")
	case "list":
		return []any{"x"}
	case "object":
		object := map[string]any{}
		for _, name := range rapid.SliceOfDistinct(rapid.SampledFrom([]string{"a", "b", "c"}), rapid.ID).Draw(t, "names") {
			object[name] = anyValue(t, depth-1)
		}
		return object
	}
	return nil
}

func TestApplyingAPatchTwiceChangesNothingMore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		document, patch := anyValue(t, 3), anyValue(t, 3)
		before, err := json.Marshal(document)
		require.NoError(t, err)
		once := mergepatch.Merge(document, patch)
		require.Equal(t, once, mergepatch.Merge(once, patch))
		after, err := json.Marshal(document)
		require.NoError(t, err)
		require.Equal(t, string(before), string(after), "the document itself stays as it was")
	})
}
