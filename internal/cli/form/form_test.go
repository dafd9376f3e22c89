package form_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/cli/form"
)

// schema needs a secret unless auth is ambient, as connectors' schemas do.
const schema = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object", "additionalProperties": false,
  "properties": {
    "auth": {"type": "string", "enum": ["key", "ambient"]},
    "id": {"type": "string", "title": "Id", "description": "Whose key it is."},
    "secret": {"type": "string", "title": "Secret", "writeOnly": true, "minLength": 8},
    "enabled": {"type": "boolean"},
    "retries": {"type": "integer"},
    "ratio": {"type": "number"},
    "ports": {"type": "array", "items": {"type": "integer"}},
    "tags": {"type": "object"}
  },
  "dependentRequired": {"id": ["secret"]},
  "allOf": [{"if": {"not": {"properties": {"auth": {"const": "ambient"}}, "required": ["auth"]}}, "then": {"required": ["id"]}}]
}`

func compile(t *testing.T) *form.Schema {
	t.Helper()
	s, err := form.Compile("configuration", json.RawMessage(schema))
	require.NoError(t, err)
	return s
}

func TestMissingFollowsConditions(t *testing.T) {
	t.Parallel()
	s := compile(t)
	for given, want := range map[string][]string{
		`{}`:                           {"id"},
		`{"id":"x"}`:                   {"secret"},
		`{"id":"x","secret":"y"}`:      nil,
		`{"auth":"ambient"}`:           nil,
		`{"auth":"key","retries":"x"}`: {"id"},
	} {
		var values map[string]json.RawMessage
		require.NoError(t, json.Unmarshal([]byte(given), &values))
		missing, err := s.Missing(values)
		require.NoError(t, err)
		require.Equal(t, want, missing, given)
	}
}

func TestParseByType(t *testing.T) {
	t.Parallel()
	s := compile(t)
	for _, c := range []struct{ field, text, want string }{
		{"id", `a "b"`, `"a \"b\""`},
		{"id", "true", `"true"`},
		{"enabled", "true", `true`},
		{"retries", " 3 ", `3`},
		{"ratio", "1.5e3", `1.5e3`},
		{"ports", "1,2", `[1,2]`},
		{"ports", "[1, 2]", `[1, 2]`},
		{"ports", "", `[]`},
		{"tags", `{"a":"b"}`, `{"a":"b"}`},
		{"unknown", "1", `"1"`},
	} {
		field, _ := s.Field(c.field)
		got, err := field.Parse(c.text)
		require.NoError(t, err, c.field)
		require.Equal(t, c.want, string(got))
	}
	for _, c := range [][2]string{
		{"enabled", "yes"},
		{"retries", "1.5"},
		{"retries", "x"},
		{"ratio", `"1"`},
		{"ratio", "x"},
		{"ports", "1,x"},
		{"ports", "[1"},
		{"tags", "a"},
		{"tags", "null"},
	} {
		field, _ := s.Field(c[0])
		_, err := field.Parse(c[1])
		require.Error(t, err, c)
	}
}

func TestReadTakesSecretsFromFilesAndEnvironmentOnly(t *testing.T) {
	t.Parallel()
	s := compile(t)
	path := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(path, []byte("from file\r\n"), 0o600))
	in := form.Input{Flag: "--set", Stdin: strings.NewReader("from stdin\n\n"), Getenv: func(name string) (string, bool) {
		return "from env", name == "SECRET"
	}}

	for _, c := range []struct {
		files, env []string
		want       string
	}{
		{files: []string{"secret=" + path}, want: `"from file"`},
		{files: []string{"secret=-"}, want: `"from stdin\n"`},
		{env: []string{"secret=SECRET"}, want: `"from env"`},
	} {
		given := in
		given.Files, given.Env = c.files, c.env
		values, err := given.Read(s)
		require.NoError(t, err)
		require.Equal(t, c.want, string(values["secret"]))
	}

	in.Set = []string{"secret=hunter2"}
	_, err := in.Read(s)
	var wrong *form.InputError
	require.ErrorAs(t, err, &wrong)
	require.Equal(t, "configuration.secret", wrong.Field)
	require.Contains(t, wrong.Message, "--set-file secret=PATH")
	require.NotContains(t, err.Error(), "hunter2")
}

func TestReadTakesStandardInputOnce(t *testing.T) {
	t.Parallel()
	in := form.Input{Flag: "--set", Stdin: strings.NewReader("x"), Files: []string{"secret=-", "id=-"}}
	_, err := in.Read(compile(t))
	require.ErrorContains(t, err, "standard input is already read for secret")
}

func TestReadBoundsFiles(t *testing.T) {
	t.Parallel()
	in := form.Input{Flag: "--set", Stdin: strings.NewReader(strings.Repeat("x", 1<<20+1)), Files: []string{"secret=-"}}
	_, err := in.Read(compile(t))
	require.ErrorContains(t, err, "is larger than 1048576 bytes")
}

// script answers questions in order.
type script struct {
	answers []string
	asked   []string
	hidden  []bool
	said    []string
}

func (s *script) Ask(question string, hidden bool) (string, error) {
	s.asked, s.hidden = append(s.asked, question), append(s.hidden, hidden)
	if len(s.answers) == 0 {
		return "", errors.New("nobody answers")
	}
	first := s.answers[0]
	s.answers = s.answers[1:]
	return first, nil
}

func (s *script) Say(remark string) { s.said = append(s.said, remark) }

func TestCompleteAsksForWhatBecomesNecessary(t *testing.T) {
	t.Parallel()
	values := map[string]json.RawMessage{}
	person := &script{answers: []string{"AKIA", "hunter2hunter2"}}
	require.NoError(t, form.Complete(compile(t), values, person))
	require.Equal(t, []string{"Id: ", "Secret (not shown): "}, person.asked)
	require.Equal(t, []bool{false, true}, person.hidden)
	require.Equal(t, map[string]json.RawMessage{"id": []byte(`"AKIA"`), "secret": []byte(`"hunter2hunter2"`)}, values)
}

func TestCompleteLeavesEmptyAnswersToTheServer(t *testing.T) {
	t.Parallel()
	values := map[string]json.RawMessage{}
	require.NoError(t, form.Complete(compile(t), values, &script{answers: []string{""}}))
	require.Empty(t, values)
}

func TestAskRepeatsWhatIsNotOfTheType(t *testing.T) {
	t.Parallel()
	s := compile(t)
	values := map[string]json.RawMessage{}
	require.NoError(t, form.Ask(s, []string{"retries"}, values, &script{answers: []string{"many", "3"}}))
	require.Equal(t, `3`, string(values["retries"]))
	require.ErrorContains(t, form.Ask(s, []string{"retries"}, values, &script{answers: []string{"a", "b", "c"}}), "was not given in 3 tries")
	require.ErrorContains(t, form.Ask(s, []string{"nothing"}, values, &script{}), "is not a known field; known are auth, enabled")
	require.ErrorContains(t, form.Ask(s, []string{"id"}, values, &script{}), "nobody answers")
}

func TestAskRepeatsWhatTheFieldDoesNotTake(t *testing.T) {
	t.Parallel()
	s := compile(t)
	values := map[string]json.RawMessage{}
	person := &script{answers: []string{"kee", "key"}}
	require.NoError(t, form.Ask(s, []string{"auth"}, values, person))
	require.Equal(t, `"key"`, string(values["auth"]))
	require.Equal(t, []string{"auth must be one of key, ambient."}, person.said)
	require.NoError(t, form.Ask(s, []string{"secret"}, values, &script{answers: []string{"hunter2", "hunter2hunter2"}}))
	person = &script{answers: []string{"hunter2", "hunter2", "hunter2"}}
	require.ErrorContains(t, form.Ask(s, []string{"secret"}, values, person), "was not given in 3 tries")
	require.NotContains(t, strings.Join(person.said, ""), "hunter2", "a secret is not repeated")
}

func TestCompileRefusesSchemasThatReachOut(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{`{`, `{"$ref":"file:///etc/passwd"}`, `{"$ref":"https://example.com/x"}`, `{"type":7}`} {
		_, err := form.Compile("configuration", json.RawMessage(raw))
		require.Error(t, err, raw)
	}
	s, err := form.Compile("scope", nil)
	require.NoError(t, err)
	require.Empty(t, s.Names())
}

func TestUnknownFieldsAreNamedFirst(t *testing.T) {
	t.Parallel()
	s := compile(t)
	in := form.Input{Flag: "--set", Env: []string{"secret=NOT_SET", "retrys=X"}, Getenv: func(string) (string, bool) { return "", false }}
	_, err := in.Read(s)
	require.EqualError(t, err, "configuration.retrys: is not a known field; did you mean retries?")
	require.EqualError(t, s.CheckNames(map[string]json.RawMessage{"id": nil, "tagz": nil}), "configuration.tagz: is not a known field; did you mean tags?")
	require.NoError(t, s.CheckNames(map[string]json.RawMessage{"id": nil}))

	open, err := form.Compile("scope", json.RawMessage(`{"type":"object","properties":{"a":{}}}`))
	require.NoError(t, err)
	require.NoError(t, open.CheckNames(map[string]json.RawMessage{"b": nil}), "an open schema takes any field")
}
