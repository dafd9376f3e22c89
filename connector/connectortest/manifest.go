package connectortest

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
)

// secretName finds fields that hold a secret by what they are usually called.
var secretName = regexp.MustCompile(`(?i)(secret|password|private_key|(^|_)token$)`)

// testManifest checks what the catalog, validation and prompts are made from.
func (s suite) testManifest(t *testing.T) {
	t.Parallel()
	m := s.manifest
	require.Equal(t, connector.ContractVersion, m.ContractVersion, "the contract version is not the suite's")
	require.Regexp(t, `^[a-z][a-z0-9_]*$`, m.IntegrationID)
	require.NotEmpty(t, m.ConnectorID)
	require.NotEmpty(t, m.Name)
	require.NotEmpty(t, m.ProviderSystem)
	require.NotEmpty(t, m.ConnectorType)
	require.NotEmpty(t, m.Version)
	require.NotEmpty(t, m.ConfigurationVersion)
	require.Contains(t, []connector.Status{connector.Available, connector.Beta, connector.Deprecated}, m.Status)
	require.NotEmpty(t, m.AuthTypes, "no way of authentication is declared")
	require.Equal(t, slices.Contains(m.Operations, "connection.test"), m.SupportsTest, "the operations and supports_test contradict each other")
	require.NotEmpty(t, m.LimitsBlindSpots, "every connector has blind spots; none is declared")
	checkSchema(t, "configuration", m.Configuration)
	checkSchema(t, "scope", m.Scope)
	checkStreams(t, m.Streams)
	for _, host := range m.Hosts {
		require.Regexp(t, `^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$`, host, "a host is a name in lower case, or \"*.\" and a domain")
	}

	scopes := map[string]bool{}
	for _, scope := range m.ThrottleScopes {
		require.NoError(t, scope.Validate())
		require.False(t, scopes[scope.Name], "two throttle scopes are called %s", scope.Name)
		scopes[scope.Name] = true
	}

	a, err := json.Marshal(m)
	require.NoError(t, err)
	b, err := json.Marshal(s.Connector.Manifest())
	require.NoError(t, err)
	require.JSONEq(t, string(a), string(b), "the manifest differs from call to call")
}

func checkSchema(t *testing.T, what string, raw json.RawMessage) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	require.NoError(t, err, what)
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	require.NoError(t, c.AddResource("schema.json", doc), what)
	_, err = c.Compile("schema.json")
	require.NoError(t, err, "the %s schema does not compile", what)

	var schema struct {
		Type                 string `json:"type"`
		AdditionalProperties *bool  `json:"additionalProperties"`
		Properties           map[string]struct {
			Title       string `json:"title"`
			Description string `json:"description"`
			WriteOnly   bool   `json:"writeOnly"`
		} `json:"properties"`
	}
	require.NoError(t, json.Unmarshal(raw, &schema), what)
	require.Equal(t, "object", schema.Type, what)
	require.NotNil(t, schema.AdditionalProperties, "the %s schema lets misspelt fields pass", what)
	require.False(t, *schema.AdditionalProperties, "the %s schema lets misspelt fields pass", what)
	for field, p := range schema.Properties {
		require.NotEmpty(t, p.Title, "%s.%s has no title for prompts", what, field)
		require.NotEmpty(t, p.Description, "%s.%s has no description for documentation", what, field)
		if secretName.MatchString(field) {
			require.True(t, p.WriteOnly, "%s.%s looks like a secret and is not writeOnly", what, field)
		}
	}
}

func checkStreams(t *testing.T, streams []connector.Stream) {
	t.Helper()
	require.NotEmpty(t, streams, "no stream is declared")
	known := map[string]connector.Stream{}
	for _, s := range streams {
		require.NotEmpty(t, s.Name)
		require.NotContains(t, known, s.Name, "two streams have one name")
		require.NotEmpty(t, s.Description, "stream %s has no description", s.Name)
		require.NotZero(t, len(s.Entities)+len(s.Relationships), "stream %s emits nothing", s.Name)
		for _, k := range s.Entities {
			require.Contains(t, connector.EntityKinds(), k, "stream %s", s.Name)
		}
		for _, k := range s.Relationships {
			require.Contains(t, connector.RelationshipKinds(), k, "stream %s", s.Name)
		}
		for _, p := range s.Permissions {
			require.NotEmpty(t, p.Name, "stream %s", s.Name)
			require.NotEmpty(t, p.Why, "permission %s of stream %s says not why", p.Name, s.Name)
		}
		known[s.Name] = s
	}
	state := map[string]int{} // 1 while on the way, 2 when done
	var visit func(name string)
	visit = func(name string) {
		require.NotEqual(t, 1, state[name], "stream %s depends on itself", name)
		if state[name] == 2 {
			return
		}
		state[name] = 1
		for _, d := range known[name].DependsOn {
			require.Contains(t, known, d, "stream %s depends on an unknown one", name)
			visit(d)
		}
		state[name] = 2
	}
	for _, s := range streams {
		visit(s.Name)
	}
}
