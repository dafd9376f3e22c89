package form

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
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
	switch near := s.nearest(name); {
	case near != "":
		message += "did you mean " + near + "?"
	case len(s.Names()) == 0:
		message += "there are none"
	default:
		message += "known are " + strings.Join(s.Names(), ", ")
	}
	return &InputError{Field: s.root + "." + name, Message: message}
}

// nearest returns the field that name was probably meant to be, or "".
func (s *Schema) nearest(name string) string {
	best, least := "", max(2, len(name)/3)+1
	for _, known := range s.Names() {
		if d := distance(strings.ToLower(name), known); d < least {
			best, least = known, d
		}
	}
	return best
}

// distance is the Levenshtein distance in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
