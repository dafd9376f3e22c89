package app

import (
	"bytes"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
)

// document is the OpenAPI document that a listener serves.
type document struct {
	compiler *jsonschema.Compiler
	paths    map[string]any
}

func readDocument(t *testing.T, text string) *document {
	t.Helper()
	parsed, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	require.NoError(t, err)
	root, ok := parsed.(map[string]any)
	require.True(t, ok)
	paths, ok := root["paths"].(map[string]any)
	require.True(t, ok)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	require.NoError(t, c.AddResource("api:document", parsed))
	return &document{compiler: c, paths: paths}
}

// requireFits fails unless an answer is one that the document describes.
func (d *document) requireFits(t *testing.T, method, path string, got answer) {
	t.Helper()
	path, _, _ = strings.Cut(path, "?")
	for template := range d.paths {
		form := regexp.MustCompile(`\\\{[a-z_]+\\\}`).ReplaceAllString(regexp.QuoteMeta(template), "[^/]+")
		if !regexp.MustCompile("^" + form + "$").MatchString(path) {
			continue
		}
		operation, ok := d.paths[template].(map[string]any)[strings.ToLower(method)].(map[string]any)
		require.True(t, ok, "%s %s is not documented", method, template)
		responses, ok := operation["responses"].(map[string]any)
		require.True(t, ok)
		status := fmt.Sprint(got.status)
		require.Contains(t, responses, status, "%s %s may answer %s", method, template, status)
		if got.text == "" {
			described, _ := responses[status].(map[string]any)
			content, _ := described["content"].(map[string]any)
			require.NotContains(t, content, "application/json", "only a stream of lines may be empty")
			return
		}
		media, _, _ := strings.Cut(got.header.Get("Content-Type"), ";")
		pointer := "api:document#/paths/" + escape(template) + "/" + strings.ToLower(method) + "/responses/" + status + "/content/" + escape(media) + "/schema"
		schema, err := d.compiler.Compile(pointer)
		require.NoError(t, err)
		if media == "text/event-stream" {
			require.NoError(t, schema.Validate(got.text))
			return
		}
		body, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(got.text)))
		require.NoError(t, err)
		require.NoError(t, schema.Validate(body), "%s %s: %s", method, path, got.text)
		return
	}
	require.Equal(t, http.StatusNotFound, got.status, "%s %s is not documented", method, path)
}

// escape makes one step of a JSON pointer in a URL's fragment.
func escape(step string) string {
	return strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D", "+", "%2B").Replace(step)
}
