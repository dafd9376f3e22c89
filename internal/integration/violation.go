package integration

import (
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/nearest"
	"github.com/gatehouse-project/gatehouse/internal/violation"
)

// collect turns the leaves of a validation error into one message per field.
func (s *schema) collect(e *jsonschema.ValidationError, wrong map[string]fault.Field) {
	if len(e.Causes) > 0 {
		for _, c := range e.Causes {
			s.collect(c, wrong)
		}
		return
	}
	at := append([]string{s.root}, e.InstanceLocation...)
	add := func(path []string, format string, args ...any) {
		key := strings.Join(path, ".")
		if _, taken := wrong[key]; !taken {
			wrong[key] = fault.Field{Path: key, Pointer: pointer(path), Message: fmt.Sprintf(format, args...)}
		}
	}
	missing := func(names []string) {
		for _, name := range names {
			add(append(slices.Clone(at), name), "is missing")
		}
	}
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		missing(k.Missing)
	case *kind.DependentRequired:
		missing(k.Missing)
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			if near := nearest.Name(name, s.names()); near != "" && len(e.InstanceLocation) == 0 {
				add(append(slices.Clone(at), name), "is not a known field; did you mean %s?", near)
			} else {
				add(append(slices.Clone(at), name), "is not a known field; known are %s", strings.Join(s.names(), ", "))
			}
		}
	default:
		add(at, "%s", violation.Message(k))
	}
}

func (s *schema) names() []string {
	names := make([]string, len(s.fields))
	for i, f := range s.fields {
		names[i] = f.Name
	}
	return names
}

// pointer returns the JSON pointer of a path whose names have dots or brackets
// in them; any other path is told by its dots.
func pointer(path []string) string {
	if !strings.ContainsAny(strings.Join(path, ""), ".[]") {
		return ""
	}
	text := ""
	for _, step := range path {
		text += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(step)
	}
	return text
}
