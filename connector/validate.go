package connector

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// Limits of the contract.
const (
	MaxPageRecords     = 1000
	MaxCursorBytes     = 64 << 10
	MaxAttributesBytes = 64 << 10
	MaxAttributesDepth = 32
	MaxIDBytes         = 2048
	MaxNameBytes       = 1024
	MaxKeyBytes        = 1024
	MaxIdentifiers     = 16
	// MaxNumberBytes bounds a number's text in attributes and conditions, and
	// MaxNumberExponent its exponent, so that a few bytes cannot stand for a number
	// of a hundred thousand digits. Every number of IEEE 754 fits.
	MaxNumberBytes    = 512
	MaxNumberExponent = 400
	// MaxConditionsBytes bounds [Terms.Conditions].
	MaxConditionsBytes = 64 << 10
	// MaxActions bounds [Terms.Actions] and [Terms.NotActions] each.
	MaxActions = 4096
)

// ValidatePage checks a page of stream s against the contract. The error is an
// [*Error] of category [ContractViolation] that names the record.
func ValidatePage(s Stream, page *Page) error {
	if n := len(page.Entities) + len(page.Relationships); n > MaxPageRecords {
		return violation("the page holds %d records, more than %d", n, MaxPageRecords)
	}
	if len(page.Next) > MaxCursorBytes {
		return violation("the cursor is %d bytes long, more than %d", len(page.Next), MaxCursorBytes)
	}
	for i := range page.Entities {
		if err := ValidateEntity(s, &page.Entities[i]); err != nil {
			return violation("entity %d: %v", i, err)
		}
	}
	for i := range page.Relationships {
		if err := ValidateRelationship(s, &page.Relationships[i]); err != nil {
			return violation("relationship %d: %v", i, err)
		}
	}
	return nil
}

// ValidateEntity checks one entity of stream s. The error says what is wrong,
// without quoting attribute values.
func ValidateEntity(s Stream, e *Entity) error {
	if !slices.Contains(s.Entities, e.Kind) {
		return fmt.Errorf("kind %q is not declared by stream %q", clip(string(e.Kind)), s.Name)
	}
	if err := validateText("id", e.ID, 1, MaxIDBytes); err != nil {
		return err
	}
	if err := validateText("name", e.Name, 0, MaxNameBytes); err != nil {
		return err
	}
	if err := validateText("type", e.Type, 0, MaxNameBytes); err != nil {
		return err
	}
	if len(e.Identifiers) > MaxIdentifiers {
		return fmt.Errorf("%d identifiers, more than %d", len(e.Identifiers), MaxIdentifiers)
	}
	for _, id := range e.Identifiers {
		switch id.Type {
		case Email, UserPrincipalName, EmployeeID, ImmutableID:
		default:
			return fmt.Errorf("identifier type %q is not known", clip(string(id.Type)))
		}
		if err := validateText("identifier "+string(id.Type), id.Value, 1, MaxNameBytes); err != nil {
			return err
		}
	}
	return validateObject("attributes", e.Attributes, MaxAttributesBytes)
}

// ValidateRelationship checks one relationship of stream s. The error says
// what is wrong, without quoting attribute values.
func ValidateRelationship(s Stream, r *Relationship) error {
	if !slices.Contains(s.Relationships, r.Kind) {
		return fmt.Errorf("kind %q is not declared by stream %q", clip(string(r.Kind)), s.Name)
	}
	ends, ok := EndsOf(r.Kind)
	if !ok {
		return fmt.Errorf("kind %q is not canonical", clip(string(r.Kind)))
	}
	if !slices.Contains(ends.From, r.From.Kind) {
		return fmt.Errorf("%s cannot start at kind %q", r.Kind, clip(string(r.From.Kind)))
	}
	if !slices.Contains(ends.To, r.To.Kind) {
		return fmt.Errorf("%s cannot end at kind %q", r.Kind, clip(string(r.To.Kind)))
	}
	if err := validateText("from id", r.From.ID, 1, MaxIDBytes); err != nil {
		return err
	}
	if err := validateText("to id", r.To.ID, 1, MaxIDBytes); err != nil {
		return err
	}
	if err := validateText("key", r.Key, 0, MaxKeyBytes); err != nil {
		return err
	}
	if err := validateTerms(r.Terms); err != nil {
		return err
	}
	return validateObject("attributes", r.Attributes, MaxAttributesBytes)
}

func validateTerms(t *Terms) error {
	if t == nil {
		return nil
	}
	switch t.Effect {
	case "", Allow, Deny:
	default:
		return fmt.Errorf("effect %q is not known", clip(string(t.Effect)))
	}
	switch t.Given {
	case "", Direct, Eligible, Inherited:
	default:
		return fmt.Errorf("given %q is not known", clip(string(t.Given)))
	}
	for _, list := range [][]string{t.Actions, t.NotActions} {
		if len(list) > MaxActions {
			return fmt.Errorf("%d actions, more than %d", len(list), MaxActions)
		}
		for _, a := range list {
			if err := validateText("action", a, 1, MaxNameBytes); err != nil {
				return err
			}
		}
	}
	return validateObject("conditions", t.Conditions, MaxConditionsBytes)
}

func validateText(field, s string, least, most int) error {
	switch {
	case len(s) < least:
		return fmt.Errorf("%s is empty", field)
	case len(s) > most:
		return fmt.Errorf("%s is %d bytes long, more than %d", field, len(s), most)
	case !utf8.ValidString(s):
		return fmt.Errorf("%s is not valid UTF-8", field)
	}
	for i := range len(s) {
		if s[i] == 0 {
			return fmt.Errorf("%s holds a NUL byte", field)
		}
	}
	return nil
}

// clip keeps quoted foreign text short in messages.
func clip(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}

func violation(format string, args ...any) *Error {
	return &Error{Category: ContractViolation, Message: fmt.Sprintf(format, args...)}
}
