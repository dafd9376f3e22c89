package form

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/nearest"
)

// CheckNames refuses the first field, in order of name, that a closed schema does
// not have, with an [*InputError]. A schema that allows others takes any.
func (s *Schema) CheckNames(values map[string]json.RawMessage) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if err := s.checkName(name); err != nil {
			return err
		}
	}
	return nil
}

func (s *Schema) checkName(name string) error {
	open, isBool := s.compiled.AdditionalProperties.(bool)
	if _, known := s.Field(name); known || !isBool || open {
		return nil
	}
	return s.unknown(name)
}

// unknown says that there is no such field, and what there is.
func (s *Schema) unknown(name string) *InputError {
	message := "is not a known field; "
	switch near := nearest.Name(name, s.Names()); {
	case near != "":
		message += "did you mean " + near + "?"
	case len(s.Names()) == 0:
		message += "there are none"
	default:
		message += "known are " + strings.Join(s.Names(), ", ")
	}
	return &InputError{Field: s.root + "." + name, Message: message}
}
