package workerapi

import (
	"github.com/gatehouse-project/gatehouse/connector"
)

// lineReader reads records in the form in which [Encoder] writes them. What it
// returns shares the memory of the batch. It is not safe for concurrent use.
type lineReader struct {
	// plain and text are the same bytes.
	plain []byte
	text  string
	// actions is where lists of actions are kept; each batch has thousands.
	actions []string
}

// str returns the string that the scanner comes to.
func (l *lineReader) str(s *scanner) (string, bool) {
	at, ok := s.str()
	return l.text[at.first:at.end], ok
}

// entity reads the record between two places of the batch. ok is false when it
// is for the general decoder to say what it is.
func (l *lineReader) entity(first, end int, into *connector.Entity) (ok bool) {
	s := scanner{plain: l.plain[:end], at: first}
	var e connector.Entity
	if e.Ref, ok = l.ref(&s); !ok {
		return false
	}
	if s.literal(`,"name":`) {
		if e.Name, ok = l.str(&s); !ok {
			return false
		}
	}
	if s.literal(`,"type":`) {
		if e.Type, ok = l.str(&s); !ok {
			return false
		}
	}
	if s.literal(`,"identifiers":[`) {
		for more := true; more; more = s.literal(",") {
			i, ok := l.identifier(&s)
			if !ok {
				return false
			}
			e.Identifiers = append(e.Identifiers, i)
		}
		if !s.literal("]") {
			return false
		}
	}
	if s.literal(`,"attributes":`) {
		if e.Attributes, ok = l.raw(&s); !ok {
			return false
		}
	}
	if !s.literal("}") || s.at != end {
		return false
	}
	*into = e
	return true
}

// relationship is as entity.
func (l *lineReader) relationship(first, end int, into *connector.Relationship) (ok bool) {
	s := scanner{plain: l.plain[:end], at: first}
	var r connector.Relationship
	if !s.literal(`{"kind":`) {
		return false
	}
	kind, ok := l.str(&s)
	if !ok || !s.literal(`,"from":`) {
		return false
	}
	r.Kind = connector.RelationshipKind(kind)
	if r.From, ok = l.ref(&s); !ok || !s.literal(`},"to":`) {
		return false
	}
	if r.To, ok = l.ref(&s); !ok || !s.literal(`}`) {
		return false
	}
	if s.literal(`,"key":`) {
		if r.Key, ok = l.str(&s); !ok {
			return false
		}
	}
	if s.literal(`,"terms":{`) {
		if r.Terms, ok = l.terms(&s); !ok {
			return false
		}
	}
	if s.literal(`,"attributes":`) {
		if r.Attributes, ok = l.raw(&s); !ok {
			return false
		}
	}
	if !s.literal("}") || s.at != end {
		return false
	}
	*into = r
	return true
}

// terms reads what follows the opening brace. Terms that expire are few, and
// times have many forms: those are left to the general decoder.
func (l *lineReader) terms(s *scanner) (*connector.Terms, bool) {
	var t connector.Terms
	var text string
	ok, written := true, false
	member := func(first, later string) bool {
		if !ok {
			return false
		}
		found := written && s.literal(later) || !written && s.literal(first)
		written = written || found
		return found
	}
	if member(`"effect":`, `,"effect":`) {
		text, ok = l.str(s)
		t.Effect = connector.Effect(text)
	}
	if member(`"actions":[`, `,"actions":[`) {
		t.Actions, ok = l.list(s)
	}
	if member(`"not_actions":[`, `,"not_actions":[`) {
		t.NotActions, ok = l.list(s)
	}
	if member(`"conditions":`, `,"conditions":`) {
		t.Conditions, ok = l.raw(s)
	}
	if member(`"given":`, `,"given":`) {
		text, ok = l.str(s)
		t.Given = connector.Given(text)
	}
	return &t, ok && s.literal("}")
}

// list reads strings after the opening bracket, at least one.
func (l *lineReader) list(s *scanner) ([]string, bool) {
	first := len(l.actions)
	for {
		one, ok := l.str(s)
		if !ok {
			return nil, false
		}
		l.actions = append(l.actions, one)
		if s.literal("]") {
			return l.actions[first:len(l.actions):len(l.actions)], true
		}
		if !s.literal(",") {
			return nil, false
		}
	}
}

// raw returns the next value as it was written.
func (l *lineReader) raw(s *scanner) ([]byte, bool) {
	first := s.at
	if !s.value(deepest) {
		return nil, false
	}
	return l.plain[first:s.at:s.at], true
}

// ref reads kind and id, up to where other members may follow.
func (l *lineReader) ref(s *scanner) (r connector.Ref, ok bool) {
	if !s.literal(`{"kind":`) {
		return r, false
	}
	kind, ok := l.str(s)
	if !ok || !s.literal(`,"id":`) {
		return r, false
	}
	r.Kind = connector.EntityKind(kind)
	r.ID, ok = l.str(s)
	return r, ok
}

func (l *lineReader) identifier(s *scanner) (i connector.Identifier, ok bool) {
	if !s.literal(`{"type":`) {
		return i, false
	}
	what, ok := l.str(s)
	if !ok || !s.literal(`,"value":`) {
		return i, false
	}
	i.Type = connector.IdentifierType(what)
	i.Value, ok = l.str(s)
	i.Unverified = ok && s.literal(`,"unverified":true`)
	return i, ok && s.literal("}")
}
