package workerapi

import (
	"errors"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/gatehouse-project/gatehouse/connector"
)

// errNotUTF8 says that a text is none.
var errNotUTF8 = errors.New("a text is not valid UTF-8")

// appendEntity adds an entity's line, as the general encoder would write an
// entityLine.
func appendEntity(dst []byte, e *connector.Entity) (_ []byte, err error) {
	if dst, err = appendRef(dst, e.Ref); err != nil {
		return nil, err
	}
	if dst, err = appendText(dst, `,"name":`, e.Name); err != nil {
		return nil, err
	}
	if dst, err = appendText(dst, `,"type":`, e.Type); err != nil {
		return nil, err
	}
	for i, one := range e.Identifiers {
		if i == 0 {
			dst = append(dst, `,"identifiers":[`...)
		} else {
			dst = append(dst, ',')
		}
		if dst, err = appendQuoted(append(dst, `{"type":`...), string(one.Type)); err != nil {
			return nil, err
		}
		if dst, err = appendQuoted(append(dst, `,"value":`...), one.Value); err != nil {
			return nil, err
		}
		if one.Unverified {
			dst = append(dst, `,"unverified":true`...)
		}
		dst = append(dst, '}')
	}
	if len(e.Identifiers) > 0 {
		dst = append(dst, ']')
	}
	if dst, err = appendRaw(dst, `,"attributes":`, e.Attributes); err != nil {
		return nil, err
	}
	return append(dst, '}'), nil
}

// appendRelationship adds a relationship's line, as the general encoder would
// write a relationshipLine.
func appendRelationship(dst []byte, r *connector.Relationship) (_ []byte, err error) {
	if dst, err = appendQuoted(append(dst, `{"kind":`...), string(r.Kind)); err != nil {
		return nil, err
	}
	if dst, err = appendRef(append(dst, `,"from":`...), r.From); err != nil {
		return nil, err
	}
	if dst, err = appendRef(append(dst, `},"to":`...), r.To); err != nil {
		return nil, err
	}
	if dst, err = appendText(append(dst, '}'), `,"key":`, r.Key); err != nil {
		return nil, err
	}
	if r.Terms != nil {
		if dst, err = appendTerms(dst, r.Terms); err != nil {
			return nil, err
		}
	}
	if dst, err = appendRaw(dst, `,"attributes":`, r.Attributes); err != nil {
		return nil, err
	}
	return append(dst, '}'), nil
}

// appendTerms adds terms that say anything at all. Each member begins with its
// comma; the first one's becomes the brace.
func appendTerms(dst []byte, t *connector.Terms) (_ []byte, err error) {
	const begin = `,"terms":`
	dst = append(dst, begin...)
	first := len(dst)
	if dst, err = appendText(dst, `,"effect":`, string(t.Effect)); err != nil {
		return nil, err
	}
	if dst, err = appendList(dst, `,"actions":[`, t.Actions); err != nil {
		return nil, err
	}
	if dst, err = appendList(dst, `,"not_actions":[`, t.NotActions); err != nil {
		return nil, err
	}
	if dst, err = appendRaw(dst, `,"conditions":`, t.Conditions); err != nil {
		return nil, err
	}
	if dst, err = appendText(dst, `,"given":`, string(t.Given)); err != nil {
		return nil, err
	}
	if t.ExpiresAt != nil {
		text, err := t.ExpiresAt.MarshalText()
		if err != nil {
			return nil, errors.New("the time of expiry cannot be written as " + time.RFC3339)
		}
		dst = append(append(append(dst, `,"expires_at":"`...), text...), '"')
	}
	if len(dst) == first {
		return dst[:first-len(begin)], nil
	}
	dst[first] = '{'
	return append(dst, '}'), nil
}

// appendRef adds kind and id without the closing brace.
func appendRef(dst []byte, r connector.Ref) ([]byte, error) {
	dst, err := appendQuoted(append(dst, `{"kind":`...), string(r.Kind))
	if err != nil {
		return nil, err
	}
	return appendQuoted(append(dst, `,"id":`...), r.ID)
}

// appendText adds a member unless its text is empty.
func appendText(dst []byte, member, text string) ([]byte, error) {
	if text == "" {
		return dst, nil
	}
	return appendQuoted(append(dst, member...), text)
}

// appendList adds a member, whose name ends in the opening bracket, unless there
// is nothing in the list.
func appendList(dst []byte, member string, list []string) (_ []byte, err error) {
	if len(list) == 0 {
		return dst, nil
	}
	dst = append(dst, member...)
	for i, text := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = appendQuoted(dst, text); err != nil {
			return nil, err
		}
	}
	return append(dst, ']'), nil
}

// appendQuoted adds a text as a string in its shortest form.
func appendQuoted(dst []byte, text string) ([]byte, error) {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x80 {
			dst, err := jsontext.AppendQuote(dst, text)
			if err != nil {
				return nil, errNotUTF8
			}
			return dst, nil
		}
	}
	dst = append(dst, '"')
	return append(append(dst, text...), '"'), nil
}

// appendRaw adds a member in canonical form: names sorted, no space. Numbers stay
// as they were written. A value that says nothing is left out.
func appendRaw(dst []byte, member string, raw []byte) ([]byte, error) {
	if len(raw) == 0 {
		return dst, nil
	}
	if !utf8.Valid(raw) || !isCanonical(raw) {
		v := jsontext.Value(raw).Clone()
		if err := v.Format(jsontext.ReorderRawObjects(true), jsontext.PreserveRawStrings(false)); err != nil {
			return nil, errors.New("the attributes are not valid JSON or name something twice")
		}
		raw = v
	}
	switch string(raw) {
	case `null`, `""`, `{}`, `[]`:
		return dst, nil
	}
	return append(append(dst, member...), raw...), nil
}
