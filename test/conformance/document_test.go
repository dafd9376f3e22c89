package conformance

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
)

const documentPath = "../../docs/openapi.json"

// node is an object of the document or of a JSON Schema.
type node = map[string]any

// document is the checked-in OpenAPI document.
type document struct {
	root       node
	compiler   *jsonschema.Compiler
	operations []*operation
}

// operation is one of the document's.
type operation struct {
	id, method, path string
	// capability is what the caller needs, empty where none.
	capability string
	parameters []parameter
	// body is nil where none is taken.
	body      *schema
	media     string
	responses map[int]response
	// open says that no key is asked for.
	open bool
}

type parameter struct {
	name, in string
	required bool
	schema
}

// schema is both what values are drawn from and what they are compared with.
type schema struct {
	node     node
	compiled *jsonschema.Schema
}

type response struct {
	headers []string
	content map[string]*jsonschema.Schema
}

// lines is the type of answers that are a JSON value on each line.
const lines = "application/x-ndjson"

// resourceURL is what the document is called among the compiler's resources.
const resourceURL = "api:document"

func readDocument(t *testing.T) *document {
	t.Helper()
	text, err := os.ReadFile(documentPath)
	require.NoError(t, err)
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	d := &document{root: object(parsed), compiler: jsonschema.NewCompiler()}
	d.compiler.AssertFormat()
	require.NoError(t, d.compiler.AddResource(resourceURL, parsed))
	for path, item := range object(d.root["paths"]) {
		for method, described := range object(item) {
			d.operations = append(d.operations, d.readOperation(t, path, method, object(described)))
		}
	}
	slices.SortFunc(d.operations, func(a, b *operation) int { return cmp.Compare(a.id, b.id) })
	return d
}

func (d *document) readOperation(t *testing.T, path, method string, described node) *operation {
	t.Helper()
	at := []string{"paths", path, method}
	op := &operation{id: fmt.Sprint(described["operationId"]), method: strings.ToUpper(method), path: path, responses: map[int]response{}, capability: capabilityOf(described), open: len(list(described["security"])) == 0}
	for i, each := range list(described["parameters"]) {
		p := object(each)
		required, _ := p["required"].(bool)
		op.parameters = append(op.parameters, parameter{
			name: fmt.Sprint(p["name"]), in: fmt.Sprint(p["in"]), required: required,
			schema: d.schemaAt(t, object(p["schema"]), append(slices.Clone(at), "parameters", strconv.Itoa(i), "schema")...),
		})
	}
	for media, content := range object(object(described["requestBody"])["content"]) {
		body := d.schemaAt(t, object(object(content)["schema"]), append(slices.Clone(at), "requestBody", "content", media, "schema")...)
		op.body, op.media = &body, media
	}
	for code, each := range object(described["responses"]) {
		status, err := strconv.Atoi(code)
		require.NoError(t, err, "%s documents no number", op.id)
		r := response{content: map[string]*jsonschema.Schema{}}
		for name := range object(object(each)["headers"]) {
			r.headers = append(r.headers, name)
		}
		for media, content := range object(object(each)["content"]) {
			if object(content)["schema"] == nil || !strings.HasSuffix(media, "json") || media == lines {
				r.content[media] = nil // text of a documented type
				continue
			}
			r.content[media] = d.schemaAt(t, object(object(content)["schema"]), append(slices.Clone(at), "responses", code, "content", media, "schema")...).compiled
		}
		op.responses[status] = r
	}
	return op
}

// schemaAt compiles the schema that stands at a place of the document.
func (d *document) schemaAt(t *testing.T, n node, steps ...string) schema {
	t.Helper()
	escape := strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D", "+", "%2B")
	for i, step := range steps {
		steps[i] = escape.Replace(step)
	}
	compiled, err := d.compiler.Compile(resourceURL + "#/" + strings.Join(steps, "/"))
	require.NoError(t, err)
	return schema{n, compiled}
}

// resolve follows references within the document.
func (d *document) resolve(n node) node {
	for {
		ref, refers := n["$ref"].(string)
		if !refers {
			return n
		}
		at := d.root
		for step := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
			at = object(at[step])
		}
		n = at
	}
}

// operation finds an operation by its id.
func (d *document) operation(t *testing.T, id string) *operation {
	t.Helper()
	i := slices.IndexFunc(d.operations, func(op *operation) bool { return op.id == id })
	require.GreaterOrEqual(t, i, 0, "the document has no operation %q", id)
	return d.operations[i]
}

// methods are those that the document has for a path.
func (d *document) methods(path string) []string {
	var found []string
	for method := range object(object(d.root["paths"])[path]) {
		found = append(found, strings.ToUpper(method))
		if method == "get" {
			found = append(found, http.MethodHead)
		}
	}
	return found
}

func object(v any) node { n, _ := v.(node); return n }

func list(v any) []any { l, _ := v.([]any); return l }

// An object whose schema leaves open what else it may hold would let any answer
// pass.
func TestDocumentSaysWhatObjectsHold(t *testing.T) {
	t.Parallel()
	d := readDocument(t)
	require.NotEmpty(t, d.operations)
	var look func(at string, v any)
	look = func(at string, v any) {
		switch v := v.(type) {
		case node:
			if v["type"] == "object" && object(v["properties"]) != nil {
				require.Contains(t, v, "additionalProperties", at)
			}
			for name, below := range v {
				look(at+"/"+name, below)
			}
		case []any:
			for i, below := range v {
				look(fmt.Sprint(at, "/", i), below)
			}
		}
	}
	look("", d.root)
}

// capabilityOf is what the document says that the caller needs.
func capabilityOf(described node) string {
	needed, _ := described["x-capability"].(string)
	return needed
}
