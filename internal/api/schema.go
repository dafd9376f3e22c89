package api

import (
	"path"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// schemaName names a type in the OpenAPI document. Types of packages api/<noun>
// carry their noun, because two nouns may each have a List or a Draft.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if !strings.Contains(t.PkgPath(), "/internal/api/") {
		return name
	}
	noun := path.Base(t.PkgPath())
	noun = strings.ToUpper(noun[:1]) + noun[1:]
	if strings.HasPrefix(name, noun) {
		return name
	}
	return noun + name
}

// documentProblem takes the refused value out of the problem's schema, because
// it is taken out of every answer.
func documentProblem(r huma.Registry) {
	r.Schema(reflect.TypeFor[huma.ErrorModel](), true, "ErrorModel")
	if detail := r.Map()["ErrorDetail"]; detail != nil {
		delete(detail.Properties, "value")
	}
}
