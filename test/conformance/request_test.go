package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"
)

// pair is a parameter as it is sent; names may come twice.
type pair struct{ name, value string }

// request is one that is still being made up.
type request struct {
	op     *operation
	method string
	path   map[string]string
	query  []pair
	header []pair
	key    string
	// body is nil where none is sent. raw is sent in its place when it is set.
	body  any
	raw   []byte
	media string
	// target replaces path and query when it is set.
	target string
	// spoilt says what was done to a request that fitted the document.
	spoilt []string
	// refused says that the answer has to be an error although the schemas do
	// not tell; status is the answer's, when it is known.
	refused bool
	status  int
	// loose says that parameters came in a form which no schema speaks of.
	loose bool
}

// draw makes up a request that fits what the document says of the operation.
func (a *actor) draw(t *rapid.T, op *operation) *request {
	r := &request{op: op, method: op.method, path: map[string]string{}, key: a.key, media: op.media}
	g := &generator{document: a.document, pool: a.pool, known: forParameters(a.workspace), operation: op.id}
	for _, p := range op.parameters {
		if !p.required && rapid.IntRange(0, 2).Draw(t, p.name+"?") > 0 {
			continue
		}
		drawn := g.value(t, p.name, p.node, 0)
		if several := list(drawn); several != nil || drawn == nil {
			for _, one := range several {
				r.query = append(r.query, pair{p.name, fmt.Sprint(one)})
			}
			continue
		}
		value := fmt.Sprint(drawn)
		switch {
		case p.in == "path":
			if strings.Trim(value, ".") == "" {
				value = "x" // without it, it is another path
			}
			r.path[p.name] = value
		case p.in == "query" && (value != "" || p.required):
			r.query = append(r.query, pair{p.name, value})
		case p.in == "header":
			r.header = append(r.header, pair{p.name, sendable(value)})
		}
	}
	a.spare(t, r)
	if op.body != nil {
		g.known = a.bodies
		r.body = g.value(t, "body", op.body.node, 0)
		if op.id == "create-export" && rapid.Bool().Draw(t, "a plain export") { // what narrows one does not fit all
			r.body = node{"what": rapid.SampledFrom([]string{"entities", "relationships"}).Draw(t, "what"), "format": "csv"}
		}
		a.configure(t, g, object(r.body), object(a.document.resolve(op.body.node)["properties"]))
	}
	return r
}

// sendable leaves out of a header's value what no client sends.
func sendable(value string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, value)
}

// spare keeps what the actor itself, or much of the rest, depends on: neither its
// workspace nor its own membership is changed, nor what was read first deleted.
func (a *actor) spare(t *rapid.T, r *request) {
	for name, value := range r.path {
		until, spared := a.spared[value]
		if spared && r.method != http.MethodGet && (until == "" || until == r.method) {
			r.path[name] = unknownID(t, idForm.FindStringSubmatch(value)[1])
		}
	}
}

// configure fills in the objects whose form an integration's own schemas say.
func (a *actor) configure(t *rapid.T, g *generator, body, properties node) {
	integrationID, _ := body["integration_id"].(string)
	if integrationID == "" {
		integrationID = "aws" // of a change
	}
	for _, name := range []string{"configuration", "scope"} {
		own, known := a.integrations[integrationID][name]
		if !known || properties[name] == nil {
			continue
		}
		_, drawn := body[name]
		if creates := properties["integration_id"] != nil && name == "configuration"; drawn || creates {
			body[name] = g.value(t, name, own, 0)
		}
	}
}

// text is the body as it is sent.
func (r *request) text() ([]byte, error) {
	if r.raw != nil || r.body == nil {
		return r.raw, nil
	}
	text, err := json.Marshal(r.body)
	for name, value := range verbatim() {
		text = bytes.ReplaceAll(text, []byte(`"`+name+`"`), []byte(value))
	}
	return text, err
}

// waitingBriefly is the query, which says how long to wait where nothing says so:
// a run that waits would be followed for minutes.
func (r *request) waitingBriefly() []pair {
	if !slices.ContainsFunc(r.op.parameters, func(p parameter) bool { return p.name == "wait" }) {
		return r.query
	}
	query := slices.DeleteFunc(slices.Clone(r.query), func(p pair) bool { return p.name == "wait" && p.value == "" })
	if !slices.ContainsFunc(query, func(p pair) bool { return p.name == "wait" }) {
		query = append(query, pair{"wait", "20ms"})
	}
	return query
}

// address is path and query as they are sent.
func (r *request) address() string {
	if r.target != "" {
		return r.target
	}
	path := r.op.path
	for name, value := range r.path {
		path = strings.ReplaceAll(path, "{"+name+"}", url.PathEscape(value))
	}
	var query []string
	for _, p := range r.waitingBriefly() {
		query = append(query, url.QueryEscape(p.name)+"="+url.QueryEscape(p.value))
	}
	if len(query) > 0 {
		path += "?" + strings.Join(query, "&")
	}
	return path
}

// misfit says why the document's schemas do not allow the request, "" when they do.
func (r *request) misfit() string {
	if r.refused {
		return strings.Join(r.spoilt, ", ")
	}
	if r.loose {
		return ""
	}
	values := map[string][]string{}
	for _, p := range r.query {
		values["query "+p.name] = append(values["query "+p.name], p.value)
	}
	for name, value := range r.path {
		values["path "+name] = []string{value}
	}
	for _, p := range r.op.parameters {
		value, sent := values[p.in+" "+p.name]
		delete(values, p.in+" "+p.name)
		if p.in == "header" {
			continue
		}
		if !sent && p.required {
			return p.name + " is missing"
		}
		if sent && p.compiled.Validate(sentAs(value, p.node)) != nil {
			return p.name + " does not fit its schema"
		}
	}
	for name := range values {
		return name + " is not documented"
	}
	if r.op.body == nil {
		return ""
	}
	text, err := r.text()
	if err != nil || len(text) == 0 {
		return "" // whether a body may be left out is tried, and not judged
	}
	body, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		return "the body is no JSON"
	}
	if r.op.body.compiled.Validate(withoutNulls(body)) != nil {
		return "the body does not fit its schema"
	}
	return ""
}

// withoutNulls leaves out what is null: the API takes an optional property that
// is null as one that is not there.
func withoutNulls(body any) any {
	switch v := body.(type) {
	case node:
		kept := node{}
		for name, below := range v {
			if below != nil {
				kept[name] = withoutNulls(below)
			}
		}
		return kept
	case []any:
		kept := make([]any, len(v))
		for i, below := range v {
			kept[i] = withoutNulls(below)
		}
		return kept
	}
	return body
}

// parsed reads a parameter as its schema's type.
// sentAs is what the values of a parameter stand for: of one that is no list, the
// last counts.
func sentAs(values []string, n node) any {
	if types := list(n["type"]); !slices.Contains(types, any("array")) && n["type"] != "array" {
		return parsed(values[len(values)-1], n)
	}
	all := []any{}
	for _, value := range values {
		all = append(all, parsed(value, object(n["items"])))
	}
	return all
}

func parsed(value string, n node) any {
	switch n["type"] {
	case "integer", "number":
		var number json.Number
		if json.Unmarshal([]byte(value), &number) == nil {
			return number
		}
	case "boolean":
		// Also 1 and 0 and the like, as forms send them.
		if truth, err := strconv.ParseBool(value); err == nil {
			return truth
		}
	}
	return value
}

// shown is the request for whoever has to repeat it.
func (r *request) shown() string {
	const most = 2000
	text, err := r.text()
	if err != nil {
		text = []byte(err.Error())
	}
	if len(text) > most {
		text = append(text[:most:most], "…"...)
	}
	how := "fits the document"
	if len(r.spoilt) > 0 {
		how = strings.Join(r.spoilt, ", ")
	}
	return fmt.Sprintf("%s (%s)\n%s %s\n%v\n%s", r.op.id, how, r.method, r.address(), r.header, text)
}
