package aws_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connectors/aws"
)

func compile(t *testing.T, raw json.RawMessage) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	require.NoError(t, c.AddResource("schema.json", doc))
	schema, err := c.Compile("schema.json")
	require.NoError(t, err)
	return schema
}

func validate(t *testing.T, schema *jsonschema.Schema, text string) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(text)))
	require.NoError(t, err)
	return schema.Validate(doc)
}

func TestConfigurationSchema(t *testing.T) {
	t.Parallel()
	schema := compile(t, aws.New().Manifest().Configuration)
	for _, good := range []string{
		`{"access_key_id":"AKIA","secret_access_key":"s","region":"us-east-1"}`,
		`{"access_key_id":"AKIA","secret_access_key":"s"}`,
		`{"auth_mode":"access_key","access_key_id":"AKIA","secret_access_key":"s","region":"us-gov-west-1","partition":"aws-us-gov"}`,
		`{"auth_mode":"assume_role","role_arn":"arn:aws:iam::123456789012:role/Gatehouse","external_id":"abc"}`,
		`{"auth_mode":"ambient","region":"ap-southeast-2"}`,
		`{"access_key_id":"AKIA","secret_access_key":"s","endpoint_url":"http://127.0.0.1:4566"}`,
	} {
		require.NoError(t, validate(t, schema, good), good)
	}
	for bad, says := range map[string]string{
		`{}`: "secret_access_key",
		`{"access_key_id":"AKIA","region":"us-east-1"}`:                                  "secret_access_key",
		`{"secret_access_key":"s"}`:                                                      "access_key_id",
		`{"auth_mode":"assume_role"}`:                                                    "role_arn",
		`{"auth_mode":"key","access_key_id":"AKIA","secret_access_key":"s"}`:             "auth_mode",
		`{"access_key_id":"AKIA","secret_access_key":"s","regoin":"us-east-1"}`:          "regoin",
		`{"access_key_id":"AKIA","secret_access_key":"s","region":"Frankfurt"}`:          "region",
		`{"access_key_id":"AKIA","secret_access_key":"s","endpoint_url":"127.0.0.1:80"}`: "endpoint_url",
	} {
		require.ErrorContains(t, validate(t, schema, bad), says, bad)
	}
}

func TestScopeSchema(t *testing.T) {
	t.Parallel()
	schema := compile(t, aws.New().Manifest().Scope)
	require.NoError(t, validate(t, schema, `{"aws_accounts":["123456789012"]}`))
	require.NoError(t, validate(t, schema, `{}`))
	for _, bad := range []string{`{"aws_accounts":["12345678901"]}`, `{"aws_accounts":["123456789012","123456789012"]}`, `{"accounts":[]}`, `{"aws_accounts":[]}`} {
		require.Error(t, validate(t, schema, bad), bad)
	}
}

// TestOpenRefusesContradictions covers callers that skip the schema.
func TestOpenRefusesContradictions(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]connector.Category{
		`{}`:                       connector.CredentialInvalid,
		`{"access_key_id":"AKIA"}`: connector.CredentialInvalid,
		`{"auth_mode":"assume_role","access_key_id":"AKIA","secret_access_key":"s"}`: connector.CredentialInvalid,
		`{"auth_mode":"other","access_key_id":"AKIA","secret_access_key":"s"}`:       connector.CredentialInvalid,
		`[]`: connector.CredentialInvalid,
	} {
		_, err := aws.New().Open(t.Context(), connector.Settings{Configuration: json.RawMessage(text)})
		var e *connector.Error
		require.ErrorAs(t, err, &e, text)
		require.Equal(t, want, e.Category, text)
	}
}
