package integration_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/integration"
)

const canary = "canary-secret"

// described is a connector that is nothing but its manifest.
type described struct {
	connector.Connector
	manifest connector.Manifest
}

func (d described) Manifest() connector.Manifest { return d.manifest }

func example() connector.Manifest {
	return connector.Manifest{
		IntegrationID: "example", ConnectorID: "example-discovery", ContractVersion: connector.ContractVersion, ConfigurationVersion: "1",
		Configuration: json.RawMessage(`{"type":"object","additionalProperties":false,"required":["user","password"],"properties":{
			"user":{"type":"string","minLength":1},"password":{"type":"string","minLength":3,"writeOnly":true},
			"region":{"type":"string","enum":["north","south"]}}}`),
		Scope: json.RawMessage(`{"type":"object","additionalProperties":false,"properties":{"accounts":{"type":"array","items":{"type":"string"}}}}`),
	}
}

func entry(t *testing.T) *integration.Integration {
	t.Helper()
	catalog, err := integration.NewCatalog([]connector.Connector{described{manifest: example()}})
	require.NoError(t, err)
	found, err := catalog.Get("example")
	require.NoError(t, err)
	return found
}

func TestConfigurationIsSplitAndJoined(t *testing.T) {
	t.Parallel()
	whole := `{"user":"u","password":"` + canary + `","region":"north"}`
	c, err := entry(t).Validate(json.RawMessage(whole))
	require.NoError(t, err)
	require.JSONEq(t, `{"user":"u","region":"north"}`, string(c.Config))
	require.JSONEq(t, `{"password":"`+canary+`"}`, c.Secrets.RevealString())
	require.Equal(t, []string{"password"}, c.SecretNames)
	joined, err := integration.Join(c.Config, c.Secrets.Reveal())
	require.NoError(t, err)
	require.JSONEq(t, whole, string(joined))
}

func TestWrongConfigurationNamesFieldsAndNoValues(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]fault.Field{
		`{"user":"u"}`: {Path: "configuration.password", Message: "is missing"},
		`{"user":"u","pasword":"` + canary + `","password":"abc"}`:  {Path: "configuration.pasword", Message: "is not a known field; did you mean password?"},
		`{"user":"u","password":["` + canary + `"]}`:                {Path: "configuration.password", Message: "must be of type string, not array"},
		`{"user":"u","password":"ca"}`:                              {Path: "configuration.password", Message: "must be at least 3 characters long"},
		`{"user":"u","password":"abc","region":"` + canary + `"}`:   {Path: "configuration.region", Message: "must be one of north, south"},
		`["` + canary + `"]`:                                        {Path: "configuration", Message: "must be a JSON object"},
		`{"` + canary:                                               {Path: "configuration", Message: "must be valid JSON"},
		`{"user":"\u0000","password":"` + canary + `"}`:             {Path: "configuration", Message: "must not contain the NUL character"},
		`{"user":"u","password":"abc","qqqqqqqqqqqqqqqqqqqqq":"x"}`: {Path: "configuration.qqqqqqqqqqqqqqqqqqqqq", Message: "is not a known field; known are password, region, user"},
	} {
		_, err := entry(t).Validate(json.RawMessage(text))
		f, ok := fault.As(err)
		require.True(t, ok, text)
		require.Equal(t, []fault.Field{want}, f.Fields)
		require.NotContains(t, err.Error(), canary)
	}
}

// TestFieldThatAnotherNeedsIsMissing looks at a field that the schema asks for
// in two ways: it is one mistake, told once.
func TestFieldThatAnotherNeedsIsMissing(t *testing.T) {
	t.Parallel()
	m := example()
	m.Configuration = json.RawMessage(`{"type":"object","properties":{"id":{"type":"string"},"secret":{"type":"string","writeOnly":true}},
		"dependentRequired":{"id":["secret"]},"allOf":[{"if":{"required":["id"]},"then":{"required":["secret"]}}]}`)
	catalog, err := integration.NewCatalog([]connector.Connector{described{manifest: m}})
	require.NoError(t, err)
	found, err := catalog.Get("example")
	require.NoError(t, err)
	_, err = found.Validate(json.RawMessage(`{"id":"i"}`))
	f, ok := fault.As(err)
	require.True(t, ok)
	require.Equal(t, []fault.Field{{Path: "configuration.secret", Message: "is missing"}}, f.Fields)
}

func TestMergeKeepsWhatIsNotNamed(t *testing.T) {
	t.Parallel()
	stored := json.RawMessage(`{"user":"u","password":"` + canary + `","region":"north"}`)
	c, err := entry(t).Merge(stored, json.RawMessage(`{"user":"v","region":null}`))
	require.NoError(t, err)
	require.JSONEq(t, `{"user":"v"}`, string(c.Config))
	require.JSONEq(t, `{"password":"`+canary+`"}`, c.Secrets.RevealString())
	_, err = entry(t).Merge(stored, json.RawMessage(`{"password":null}`))
	require.Equal(t, fault.Invalid, fault.KindOf(err))
	c, err = entry(t).Merge(stored, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"password"}, c.SecretNames)
}

func TestScopeMayBeLeftOut(t *testing.T) {
	t.Parallel()
	scope, err := entry(t).ValidateScope(nil)
	require.NoError(t, err)
	require.JSONEq(t, `{}`, string(scope))
	_, err = entry(t).ValidateScope(json.RawMessage(`{"accounts":"one"}`))
	require.ErrorContains(t, err, "scope.accounts")
}

func TestUnusableManifestsAreRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*connector.Manifest){
		"another contract": func(m *connector.Manifest) { m.ContractVersion = "0" },
		"id":               func(m *connector.Manifest) { m.IntegrationID = "Not A Word" },
		"schema":           func(m *connector.Manifest) { m.Scope = json.RawMessage(`{"type":7}`) },
		"no JSON":          func(m *connector.Manifest) { m.Configuration = json.RawMessage(`{`) },
	} {
		m := example()
		change(&m)
		_, err := integration.NewCatalog([]connector.Connector{described{manifest: m}})
		require.Error(t, err, name)
	}
	twice := described{manifest: example()}
	_, err := integration.NewCatalog([]connector.Connector{twice, twice})
	require.ErrorContains(t, err, "two connectors")
}
