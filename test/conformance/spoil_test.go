package conformance

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// spoiling is one way to make a request worse.
type spoiling struct {
	name string
	// can says whether the request has what is spoilt.
	can func(r *request) bool
	do  func(t *rapid.T, a *actor, r *request)
}

func always(*request) bool       { return true }
func hasBody(r *request) bool    { return r.body != nil && r.raw == nil }
func hasQuery(r *request) bool   { return len(r.query) > 0 && r.target == "" }
func hasPath(r *request) bool    { return len(r.path) > 0 && r.target == "" }
func hasKey(r *request) bool     { return r.status == 0 && !r.op.open }
func takesQuery(r *request) bool { return r.target == "" }

// spoilings are all ways.
func spoilings() []spoiling {
	return slices.Concat(bodySpoilings(), parameterSpoilings(), envelopeSpoilings())
}

func bodySpoilings() []spoiling {
	return []spoiling{
		{"an odd value in the body", hasBody, func(t *rapid.T, _ *actor, r *request) {
			all := slots(&r.body)
			all[rapid.IntRange(0, len(all)-1).Draw(t, "place")].set(rapid.SampledFrom(oddValues()).Draw(t, "value"))
		}},
		{"a property missing", hasBody, func(t *rapid.T, _ *actor, r *request) {
			if body := object(r.body); len(body) > 0 {
				delete(body, rapid.SampledFrom(slices.Sorted(maps.Keys(body))).Draw(t, "property"))
			}
		}},
		{"a property too many", hasBody, func(t *rapid.T, _ *actor, r *request) {
			objects := []node{}
			for _, slot := range slots(&r.body) {
				if n := object(slot.get()); n != nil {
					objects = append(objects, n)
				}
			}
			if len(objects) > 0 {
				name := rapid.SampledFrom([]string{"colour", "Name", "workspace_id", "$ref", "__proto__", "", "a\x00b", "\u202e"}).Draw(t, "name")
				rapid.SampledFrom(objects).Draw(t, "object")[name] = rapid.SampledFrom(oddValues()).Draw(t, "value")
			}
		}},
		{"JSON cut off", hasBody, rawBody(func(t *rapid.T, text []byte) []byte {
			return text[:rapid.IntRange(1, len(text)-1).Draw(t, "length")]
		}, true)},
		{"something after the JSON", hasBody, rawBody(func(t *rapid.T, text []byte) []byte {
			return append(text, rapid.SampledFrom([]string{"{}", "]", "null", "\x00", "garbage"}).Draw(t, "more")...)
		}, true)},
		{"a byte of the body", hasBody, rawBody(func(t *rapid.T, text []byte) []byte {
			text[rapid.IntRange(0, len(text)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
			return text
		}, false)},
		{"a property twice", hasBody, rawBody(func(_ *rapid.T, text []byte) []byte {
			return bytes.Replace(text, []byte("{"), []byte(`{"name":"first","name":7,`), 1)
		}, false)},
		{"no body", hasBody, rawBody(func(*rapid.T, []byte) []byte { return []byte{} }, false)},
		{"another kind of body", hasBody, rawBody(func(t *rapid.T, _ []byte) []byte {
			return []byte(rapid.SampledFrom([]string{"null", "[]", `"text"`, "7", "true", "\ufeff{}", "a=b&c=d", "<a/>", strings.Repeat(" ", 100)}).Draw(t, "body"))
		}, true)},
		{"a body too large", hasBody, rawBody(func(_ *rapid.T, text []byte) []byte {
			return append(bytes.Repeat([]byte(" "), 3<<20), text...)
		}, true)},
		{"another content type", hasBody, func(t *rapid.T, _ *actor, r *request) {
			r.media = rapid.SampledFrom([]string{"text/plain", "application/xml", "application/x-www-form-urlencoded", "application/cbor", "multipart/form-data; boundary=x", "/", "application/json;;"}).Draw(t, "type")
			r.loose = true
		}},
	}
}

// rawBody spoils the body as it is sent.
func rawBody(spoil func(t *rapid.T, text []byte) []byte, refused bool) func(*rapid.T, *actor, *request) {
	return func(t *rapid.T, _ *actor, r *request) {
		text, err := r.text()
		if err != nil || len(text) < 2 {
			return
		}
		r.raw, r.refused, r.loose = spoil(t, text), refused, true
	}
}

func parameterSpoilings() []spoiling {
	return []spoiling{
		{"an odd value in the query", hasQuery, func(t *rapid.T, _ *actor, r *request) {
			r.query[rapid.IntRange(0, len(r.query)-1).Draw(t, "parameter")].value = rapid.SampledFrom(oddTexts()[1:]).Draw(t, "value")
		}},
		{"a parameter nobody documented", takesQuery, func(t *rapid.T, _ *actor, r *request) {
			r.query = append(r.query, pair{rapid.SampledFrom([]string{"colour", "Limit", "workspace_id", "limit[]", "a\x00"}).Draw(t, "name"), "1"})
		}},
		{"a parameter twice", hasQuery, func(t *rapid.T, _ *actor, r *request) {
			r.query = append(r.query, rapid.SampledFrom(r.query).Draw(t, "again"))
			r.loose = true
		}},
		{"an empty parameter", hasQuery, func(t *rapid.T, _ *actor, r *request) {
			r.query[rapid.IntRange(0, len(r.query)-1).Draw(t, "parameter")].value = ""
			r.loose = true
		}},
		{"a required parameter missing", hasQuery, func(t *rapid.T, _ *actor, r *request) {
			at := rapid.IntRange(0, len(r.query)-1).Draw(t, "parameter")
			r.query = slices.Delete(r.query, at, at+1)
		}},
		{"a malformed id in the path", hasPath, func(t *rapid.T, _ *actor, r *request) {
			name := rapid.SampledFrom(slices.Sorted(maps.Keys(r.path))).Draw(t, "parameter")
			r.path[name] = rapid.SampledFrom(oddTexts()).Draw(t, "value")
			if strings.Trim(r.path[name], ".") == "" { // which makes another path
				r.target = r.address()
			}
		}},
		{"what is another workspace's", hasPath, func(t *rapid.T, a *actor, r *request) {
			for name, value := range r.path {
				if parts := idForm.FindStringSubmatch(value); parts != nil {
					if id, ok := draw(t, a.other.pool.byKind[parts[1]]); ok {
						r.path[name] = id
					}
				}
			}
			a.spare(t, r)
			a.other.spare(t, r)
		}},
		{"a query that is none", takesQuery, func(t *rapid.T, _ *actor, r *request) {
			more := rapid.SampledFrom([]string{"%zz", ";", "&&&=", "a=%00", "%FF=%FE", strings.Repeat("a", 20000)}).Draw(t, "query")
			address := r.address()
			if strings.Contains(address, "?") {
				r.target = address + "&" + more
			} else {
				r.target = address + "?" + more
			}
			r.loose = true
		}},
	}
}

func envelopeSpoilings() []spoiling {
	return []spoiling{
		{"no sound key", hasKey, func(t *rapid.T, _ *actor, r *request) {
			r.key = rapid.SampledFrom([]string{"", "gk_", "gk_1_", "gk_1_x", "gk_99999999999999999999_x", "gk_0_" + strings.Repeat("a", 5000), "gr_1.1.1.x", "☃", r.key + "x", strings.ToUpper(r.key)}).Draw(t, "key")
			r.status = http.StatusUnauthorized
		}},
		{"another scheme", hasKey, func(t *rapid.T, _ *actor, r *request) {
			r.header = append(r.header, pair{"Authorization", rapid.SampledFrom([]string{"Basic YTpi", "Bearer", "Bearer ", "Digest x", "bearer\tx", ","}).Draw(t, "header")})
			r.key, r.status = "", http.StatusUnauthorized
		}},
		{"the header twice", always, func(_ *rapid.T, _ *actor, r *request) {
			r.header = append(r.header, pair{"Authorization", "Bearer gk_1_second"}, pair{"Content-Type", "text/plain"}, pair{"If-Match", `"7"`}, pair{"If-Match", `"8"`})
			r.loose = true
		}},
		{"as a viewer", hasKey, func(_ *rapid.T, a *actor, r *request) { r.key = a.viewer }},
		{"odd headers", always, func(t *rapid.T, _ *actor, r *request) {
			name := rapid.SampledFrom([]string{"Accept", "Accept-Encoding", "If-Match", "If-None-Match", "Idempotency-Key", "X-Request-Id", "X-Http-Method-Override", "Content-Encoding", "Range", "Prefer", "Traceparent"}).Draw(t, "name")
			r.header = append(r.header, pair{name, rapid.SampledFrom([]string{"text/html", "application/cbor", "gzip", "*", `"1"`, "\"", "bytes=0-1", "\u00ff\u00fe", strings.Repeat("x", 8000), "DELETE", "a b", "00-" + strings.Repeat("0", 32) + "-1-1"}).Draw(t, "value")})
			r.loose = true
		}},
		{"another method", always, func(t *rapid.T, _ *actor, r *request) {
			r.method = rapid.SampledFrom([]string{"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FROB"}).Draw(t, "method")
			r.loose = true
		}},
		{"another path", takesQuery, func(t *rapid.T, _ *actor, r *request) {
			path := r.address()
			r.target = rapid.SampledFrom([]string{
				path + "/", "/" + path, strings.ToUpper(path), path + "%00", path + "/..", "/v1/%2e%2e" + path, strings.Replace(path, "/v1", "/v2", 1),
				"/v1/" + strings.Repeat("a/", 3000), "/v1/../" + path, path + ";x=1", strings.Replace(path, "/v1/", "/v1%2F", 1),
			}).Draw(t, "path")
			r.loose = true
		}},
	}
}

// slot is a place in a body that can be given another value.
type slot struct {
	get func() any
	set func(any)
}

// slots are all places of a body, the body itself first.
func slots(body *any) []slot {
	found := []slot{{func() any { return *body }, func(v any) { *body = v }}}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case node:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				found = append(found, slot{func() any { return v[name] }, func(value any) { v[name] = value }})
				walk(v[name])
			}
		case []any:
			for i := range v {
				found = append(found, slot{func() any { return v[i] }, func(value any) { v[i] = value }})
				walk(v[i])
			}
		}
	}
	walk(*body)
	return found
}

// oddTexts are strings that programs get wrong.
func oddTexts() []string {
	return []string{
		"", " ", "\x00", "a\x00b", "\x01\x1b[31m\x7f", "\u202eabc", "\ufeff", "\uffff", "\U0001F600", "e\u0301", "İ", "\xff\xfe", "\xed\xa0\x80",
		strings.Repeat("x", 65), strings.Repeat("é", 5000), "null", "undefined", "NaN", "-1", "0", "1.5", "1e9", "9223372036854775808", "99999999999999999999999", "0x10", "١٢",
		"true", "../../etc/passwd", "..", "%00", "%2e%2e", "' or '1'='1", "\\", "\"", "{}", "conn_", "conn_0", "conn_-1", "conn_01", "conn_99999999999999999999", "CONN_1", "run_1", "conn_1 ",
		"ent_" + strings.Repeat("0", 32), "ent_" + strings.Repeat("F", 32), "Zm9v", "!!!", "2999-99-99T99:99:99Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:60Z", "_", "%", "a%b_c",
	}
}

// verbatim are values that cannot be encoded, or not without being put right. A
// body holds their names until it is sent.
func verbatim() map[string]string {
	return map[string]string{
		"{half of a surrogate pair}": `"\ud800"`,
		"{not UTF-8}":                "\"\xff\"",
		"{arrays 500 deep}":          strings.Repeat("[", 500) + strings.Repeat("]", 500),
		"{objects 5000 deep}":        strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000),
		"{arrays 20000 deep}":        strings.Repeat("[", 20000) + strings.Repeat("]", 20000),
	}
}

// oddValues are JSON values that programs get wrong.
func oddValues() []any {
	values := []any{
		nil, true, false, 0, -1, 1.5, json.Number("1e400"), json.Number("-0"), json.Number("9223372036854775808"), json.Number("123456789012345678901234567890.5"), json.Number("1e-400"),
		[]any{},
		node{},
		[]any{nil},
		[]any{[]any{}},
		node{"": nil},
		node{"a\x00b": 1},
		node{"a": "b\x00c"},
		strings.Repeat("x", 100000),
	}
	for _, name := range slices.Sorted(maps.Keys(verbatim())) {
		values = append(values, name)
	}
	for _, text := range oddTexts() {
		values = append(values, text)
	}
	return values
}
