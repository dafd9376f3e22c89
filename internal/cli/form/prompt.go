package form

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Asker asks a person for a value.
type Asker interface {
	// Ask shows a question and returns the line that was typed. The line of a
	// hidden question is not shown while it is typed.
	Ask(question string, hidden bool) (string, error)
	// Say shows a remark.
	Say(remark string)
}

// tries is how often a value that its field does not take is asked for.
const tries = 3

// Complete asks for every missing field until none is missing. Fields that the
// person leaves empty stay missing, and the server will say so.
func Complete(s *Schema, values map[string]json.RawMessage, a Asker) error {
	asked := map[string]bool{}
	for {
		missing, err := s.Missing(values)
		if err != nil {
			return err
		}
		next := ""
		for _, name := range missing {
			if !asked[name] {
				next = name
				break
			}
		}
		if next == "" {
			return nil
		}
		asked[next] = true
		if err := ask(s, next, values, a); err != nil {
			return err
		}
	}
}

// Ask asks for the named fields, whether or not they are missing. A name that
// the schema does not know is an [*InputError].
func Ask(s *Schema, names []string, values map[string]json.RawMessage, a Asker) error {
	for _, name := range names {
		if _, known := s.Field(name); !known {
			return s.unknown(name)
		}
		if err := ask(s, name, values, a); err != nil {
			return err
		}
	}
	return nil
}

func ask(s *Schema, name string, values map[string]json.RawMessage, a Asker) error {
	field, _ := s.Field(name)
	if field.Description != "" {
		a.Say(field.Description)
	}
	for range tries {
		text, err := a.Ask(field.question(), field.Secret)
		if err != nil {
			return fmt.Errorf("read %s.%s: %w", s.root, name, err)
		}
		if text == "" {
			return nil
		}
		value, err := field.Parse(text)
		if err == nil {
			err = s.judge(name, value)
		}
		if err == nil {
			values[name] = value
			return nil
		}
		a.Say(fmt.Sprintf("%s %s.", name, err))
	}
	return &InputError{Field: s.root + "." + name, Message: fmt.Sprintf("was not given in %d tries", tries)}
}

func (f Field) question() string {
	title := f.Title
	if title == "" {
		title = f.Name
	}
	switch {
	case len(f.Enum) > 0:
		return fmt.Sprintf("%s (%s): ", title, strings.Join(f.Enum, ", "))
	case f.Type == "boolean":
		return title + " (true or false): "
	case f.Type == "array":
		return title + " (commas between values): "
	case f.Secret:
		return title + " (not shown): "
	}
	return title + ": "
}
