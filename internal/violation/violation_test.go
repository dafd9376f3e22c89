package violation_test

import (
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/violation"
)

const canary = "hunter2-canary"

func TestEachViolationIsSaidWithoutTheValue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ schema, value, want string }{
		{`{"enum":["north","south"]}`, `"` + canary + `"`, "must be one of north, south"},
		{`{"const":"x"}`, `"` + canary + `"`, "must be x"},
		{`{"pattern":"^[0-9]+$"}`, `"` + canary + `"`, "must match ^[0-9]+$"},
		{`{"type":["integer","null"]}`, `"` + canary + `"`, "must be of type null or integer, not string"},
		{`{"minLength":40}`, `"` + canary + `"`, "must be at least 40 characters long"},
		{`{"maxLength":3}`, `"` + canary + `"`, "must be at most 3 characters long"},
		{`{"minItems":2}`, `["` + canary + `"]`, "must have at least 2 items"},
		{`{"maxItems":0}`, `["` + canary + `"]`, "must have at most 0 items"},
		{`{"uniqueItems":true}`, `["` + canary + `","` + canary + `"]`, "must not name anything twice"},
		{`{"minimum":5}`, `3`, "must be at least 5"},
		{`{"maximum":2.5}`, `4711`, "must be at most 2.5"},
		{`{"exclusiveMinimum":4711}`, `4711`, "must be more than 4711"},
		{`{"exclusiveMaximum":1}`, `4711`, "must be less than 1"},
		{`{"multipleOf":2}`, `4711`, "must be a multiple of 2"},
		{`{"items":{"pattern":"^a"}}`, `["` + canary + `"]`, "0 must match ^a"},
		{`{"not":{"type":"string"}}`, `"` + canary + `"`, "is not valid"},
		{`false`, `"` + canary + `"`, "is not allowed together with the other fields"},
	} {
		message := say(t, c.schema, c.value)
		require.Equal(t, c.want, message, c.schema)
		require.NotContains(t, message, canary)
	}
	_, ok := violation.First(nil)
	require.False(t, ok)
}

func say(t *testing.T, schema, value string) string {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(schema))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("schema:test", doc))
	compiled, err := c.Compile("schema:test")
	require.NoError(t, err)
	instance, err := jsonschema.UnmarshalJSON(strings.NewReader(value))
	require.NoError(t, err)
	message, _ := violation.First(compiled.Validate(instance))
	return message
}
