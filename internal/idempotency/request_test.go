package idempotency_test

import (
	"crypto/sha256"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/idempotency"
)

const key = "7f0c2f0a-6f0e-4ad6-9f2b-7c7b1a6a0a11"

func request(t require.TestingT, key, operation, content string) *idempotency.Request {
	r, err := idempotency.NewRequest(7, operation, key, json.RawMessage(content))
	require.NoError(t, err)
	return r
}

func TestSameRequestIsRecognisedHoweverItIsWritten(t *testing.T) {
	t.Parallel()
	first := request(t, key, "create", `{"a":1.50,"b":{"x":null,"y":[1,2]}}`)
	require.Equal(t, first, request(t, key, "create", ` { "b": {"y": [1,2], "x": null}, "a": 1.50 }`))
	for _, other := range []*idempotency.Request{
		request(t, key, "create", `{"a":1.51,"b":{"x":null,"y":[1,2]}}`),
		request(t, key, "create", `{"a":1.50,"b":{"x":null,"y":[2,1]}}`),
		request(t, key, "change", `{"a":1.50,"b":{"x":null,"y":[1,2]}}`),
		request(t, key+"0", "create", `{"a":1.50,"b":{"x":null,"y":[1,2]}}`),
	} {
		require.NotEqual(t, first.Content, other.Content)
	}
}

// TestHashesAreNoOracle tries what a reader of the database could: to find the
// content's hash from the content alone, without the key.
func TestHashesAreNoOracle(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		content, err := json.Marshal(map[string]string{"pin": rapid.StringMatching(`[0-9]{4}`).Draw(t, "secret")})
		require.NoError(t, err)
		one, two := request(t, key, "create", string(content)), request(t, key+"x", "create", string(content))
		require.NotEqual(t, one.Content, two.Content, "the same content has another hash under another key")
		require.NotEqual(t, one.Content, sha256.Sum256(content))
		require.NotEqual(t, one.Key, sha256.Sum256([]byte(key)))
	})
}

func TestKeysThatCouldBeGuessedAreRefused(t *testing.T) {
	t.Parallel()
	for _, wrong := range []string{"", "1", strings.Repeat("k", 15), strings.Repeat("k", 256), strings.Repeat("k", 16) + " ", strings.Repeat("ü", 16), strings.Repeat("k", 16) + "\n"} {
		_, err := idempotency.NewRequest(7, "create", wrong, nil)
		f, ok := fault.As(err)
		require.True(t, ok, wrong)
		require.Equal(t, "header.Idempotency-Key", f.Fields[0].Path)
	}
}
