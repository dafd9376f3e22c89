package api

import (
	"path"
	"reflect"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/id"
)

// schemaName names a type in the OpenAPI document. Types of packages api/<noun>
// carry their noun, because two nouns may each have a List or a Draft.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if strings.HasSuffix(t.PkgPath(), "/internal/export") && name == "Query" {
		// A manifest shows what was exported as it is stored and sealed.
		return "ManifestQuery"
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

// describeIDs gives ids in bodies the form that they have, so that one of another
// form is refused with the name of its field. Without it they would be strings,
// and a body with a malformed one would be refused as a whole. Where an answer
// has null for an id, its field has the tag nullable:"true".
func describeIDs(r huma.Registry) {
	describeID[id.Tenant](r)
	describeID[id.Workspace](r)
	describeID[id.Member](r)
	describeID[id.Connection](r)
	describeID[id.Target](r)
	describeID[id.Test](r)
	describeID[id.Run](r)
	describeID[id.AuditEvent](r)
	describeID[id.Person](r)
	describeID[id.Session](r)
	describeID[id.Invitation](r)
	describeID[id.ClaimMapping](r)
	describeID[id.Onboarding](r)
	describeID[id.Notification](r)
	describeID[id.Webhook](r)
	describeID[id.WebhookEvent](r)
	describeID[id.Delivery](r)
	describeID[id.Export](r)
}

func describeID[T Identifier](r huma.Registry) {
	r.RegisterTypeAlias(reflect.TypeFor[T](), reflect.TypeFor[bodyID[T]]())
}

// bodyID stands for an id in descriptions of bodies, and only there.
type bodyID[T Identifier] struct{}

// Schema describes the id.
func (bodyID[T]) Schema(huma.Registry) *huma.Schema {
	example := T(123).String()
	return &huma.Schema{Type: huma.TypeString, Pattern: pattern[T](), PatternDescription: "an id such as " + example, Examples: []any{example}}
}

// strictNames has properties refused whose names are spelt with other capitals:
// encoding/json would read them as the property. The library keeps this choice
// in a variable of its package.
var strictNames = sync.OnceFunc(func() { huma.ValidateStrictCasing = true })

// documentProblem takes the refused value out of the problem's schema, because
// it is taken out of every answer, and puts the pointer in, which is in them.
func documentProblem(r huma.Registry) {
	r.Schema(reflect.TypeFor[huma.ErrorModel](), true, "ErrorModel")
	if detail := r.Map()["ErrorDetail"]; detail != nil {
		delete(detail.Properties, "value")
		detail.Properties["pointer"] = &huma.Schema{
			Type: huma.TypeString, Description: "The field of the request's body as a JSON pointer (RFC 6901).", Examples: []any{"/configuration/region"},
		}
	}
}

// OrNull has the description of an object say that each of the properties, which
// have one of some values, may be null, too: the tag enum leaves it out.
func OrNull(s *huma.Schema, properties ...string) *huma.Schema {
	for _, name := range properties {
		s.Properties[name].Enum = append(s.Properties[name].Enum, nil)
	}
	return s
}
