package integration_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/integration"
)

func TestReferenceStandsWhereASecretDoes(t *testing.T) {
	t.Parallel()
	whole := json.RawMessage(`{"user":"u","password":{"$ref":"env:P"}}`)
	c, err := entry(t).Validate(whole)
	require.NoError(t, err)
	require.Equal(t, map[string]integration.Reference{"password": {Kind: "env", Target: "P"}}, c.References)
	require.Equal(t, map[string]string{"password": "env"}, c.ReferenceKinds())
	require.JSONEq(t, `{"user":"u"}`, string(c.Config), "the reference is sealed")
	require.JSONEq(t, `{"password":{"$ref":"env:P"}}`, c.Secrets.RevealString())

	c, err = entry(t).Merge(whole, json.RawMessage(`{"user":"v"}`))
	require.NoError(t, err)
	require.Len(t, c.References, 1, "an edit keeps it")
	c, err = entry(t).Merge(whole, json.RawMessage(`{"password":"abc"}`))
	require.NoError(t, err)
	require.Empty(t, c.References)

	resolved, err := integration.Resolve(whole, []string{"password"}, func(field string, r integration.Reference) (string, error) {
		require.Equal(t, "password", field)
		return "from " + r.String(), nil
	})
	require.NoError(t, err)
	require.JSONEq(t, `{"user":"u","password":"from env:P"}`, string(resolved))
	failure := errors.New("not there")
	_, err = integration.Resolve(whole, []string{"password"}, func(string, integration.Reference) (string, error) { return "", failure })
	require.ErrorIs(t, err, failure)
}

func TestReferencesThatAreNone(t *testing.T) {
	t.Parallel()
	for text, path := range map[string]string{
		`{"user":"u","password":{"$ref":"` + canary + `"}}`:             "configuration.password",
		`{"user":"u","password":{"$ref":"vault:` + canary + `"}}`:       "configuration.password",
		`{"user":"u","password":{"$ref":"env:"}}`:                       "configuration.password",
		`{"user":"u","password":{"$ref":7}}`:                            "configuration.password",
		`{"user":"u","password":{"$ref":"env:A","x":"` + canary + `"}}`: "configuration.password",
		`{"user":"u","password":{}}`:                                    "configuration.password",
		`{"user":{"$ref":"env:A"},"password":"abc"}`:                    "configuration.user",
		`{"password":{"$ref":"env:A"}}`:                                 "configuration.user",
	} {
		_, err := entry(t).Validate(json.RawMessage(text))
		f, ok := fault.As(err)
		require.True(t, ok, text)
		require.Equal(t, path, f.Fields[0].Path, text)
		require.NotContains(t, err.Error(), canary)
	}
}
