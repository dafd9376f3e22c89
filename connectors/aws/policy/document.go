package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// MaxDocumentBytes bounds a policy's text. AWS's largest are 32 KB (KMS) not
// counting white space (IAM user guide, "IAM and AWS STS quotas").
const MaxDocumentBytes = 1 << 20

// variablesVersion is the version of the language that has policy variables;
// in the older one, which is the default, ${…} stands for itself.
const variablesVersion = "2012-10-17"

// Document is a policy in AWS's JSON policy language.
type Document struct {
	Version    string
	Statements []Statement
}

// Statement is one statement of a policy. Element names are matched without
// regard to case, as AWS does.
type Statement struct {
	Sid          string          `json:"Sid"`
	Effect       string          `json:"Effect"`
	Principal    Principals      `json:"Principal"`
	NotPrincipal Principals      `json:"NotPrincipal"`
	Action       List            `json:"Action"`
	NotAction    List            `json:"NotAction"`
	Resource     List            `json:"Resource"`
	NotResource  List            `json:"NotResource"`
	Condition    json.RawMessage `json:"Condition"`

	// Key tells the statement apart from the policy's others: its Sid where
	// no other has the same, else "#" and its index.
	Key string `json:"-"`

	conditions []condition
	variables  bool
}

// The effects of a statement.
const (
	Allow = "Allow"
	Deny  = "Deny"
)

// List is a string or a list of strings on the wire.
type List []string

// UnmarshalJSON reads either form.
func (l *List) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '[' {
		return json.Unmarshal(b, (*[]string)(l))
	}
	var one string
	if err := json.Unmarshal(b, &one); err != nil {
		return err
	}
	*l = List{one}
	return nil
}

// Principals is "*" or lists of names by type on the wire.
type Principals map[string]List

// UnmarshalJSON reads either form; "*" is everyone of the type AWS.
func (p *Principals) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		var one string
		if err := json.Unmarshal(b, &one); err != nil {
			return err
		}
		if one != "*" {
			return errors.New("a principal is neither * nor an object")
		}
		*p = Principals{"AWS": {"*"}}
		return nil
	}
	return json.Unmarshal(b, (*map[string]List)(p))
}

// Parse reads a policy, percent-encoded as IAM sends it or plain. An empty
// text is a policy without statements. It refuses what AWS would not have
// stored, duplicate elements above all, because guessing which of two counts
// could hide a grant.
func Parse(text string) (Document, error) {
	text, err := Plain(text)
	if err != nil || text == "" {
		return Document{}, err
	}
	var wire struct {
		Version   string          `json:"Version"`
		Statement json.RawMessage `json:"Statement"`
	}
	if err := json.Unmarshal([]byte(text), &wire); err != nil || !strings.HasPrefix(strings.TrimSpace(text), "{") {
		return Document{}, errors.New("the policy is not a JSON object")
	}
	d := Document{Version: wire.Version}
	switch raw := bytes.TrimSpace(wire.Statement); {
	case len(raw) == 0:
		return Document{}, errors.New("the policy has no Statement")
	case raw[0] != '[' && raw[0] != '{':
		return Document{}, errors.New("the policy's Statement is neither an object nor a list")
	case raw[0] == '[':
		if err := json.Unmarshal(raw, &d.Statements); err != nil {
			return Document{}, errors.New("a statement of the policy has an element of the wrong type")
		}
	default:
		var one Statement
		if err := json.Unmarshal(raw, &one); err != nil {
			return Document{}, errors.New("the statement of the policy has an element of the wrong type")
		}
		d.Statements = []Statement{one}
	}
	if err := d.complete(); err != nil {
		return Document{}, err
	}
	return d, nil
}

// complete checks the statements and gives each what is read from the others.
func (d *Document) complete() error {
	sids := map[string]int{}
	for _, s := range d.Statements {
		sids[s.Sid]++
	}
	for i := range d.Statements {
		s := &d.Statements[i]
		if s.Effect != Allow && s.Effect != Deny {
			return fmt.Errorf("statement %d has neither the effect Allow nor Deny", i)
		}
		for _, pair := range []struct {
			name string
			both bool
		}{
			{"Action and NotAction", s.Action != nil && s.NotAction != nil},
			{"Resource and NotResource", s.Resource != nil && s.NotResource != nil},
			{"Principal and NotPrincipal", s.Principal != nil && s.NotPrincipal != nil},
		} {
			if pair.both {
				return fmt.Errorf("statement %d has both %s", i, pair.name)
			}
		}
		if s.Key = s.Sid; s.Sid == "" || sids[s.Sid] > 1 || len(s.Sid) > maxKeyBytes {
			s.Key = "#" + strconv.Itoa(i)
		}
		s.variables = d.Version == variablesVersion
		var err error
		if s.conditions, err = parseConditions(s.Condition); err != nil {
			return fmt.Errorf("statement %d: %w", i, err)
		}
	}
	return nil
}

// maxKeyBytes is the longest Sid that is taken as a key.
const maxKeyBytes = 1024

// Plain returns a policy's text as plain JSON without duplicate elements, or
// why it is none. Percent-encoding, as IAM sends it, is undone.
func Plain(text string) (string, error) {
	if len(text) > 3*MaxDocumentBytes {
		return "", errTooLong
	}
	text = strings.TrimSpace(text)
	if text == "" {
		return "", nil
	}
	if !strings.HasPrefix(text, "{") {
		decoded, err := url.PathUnescape(text)
		if err != nil {
			return "", errors.New("the policy is not correctly percent-encoded")
		}
		text = decoded
	}
	if len(text) > MaxDocumentBytes {
		return "", errTooLong
	}
	if err := refuseDuplicates(text); err != nil {
		return "", err
	}
	return text, nil
}

var errTooLong = fmt.Errorf("the policy is longer than %d bytes, which no policy of AWS is", MaxDocumentBytes)

// HasCondition reports whether a condition, even one that is always met, is
// part of the statement.
func (s *Statement) HasCondition() bool { return len(s.conditions) > 0 }

// Covers reports whether the statement's actions include one, or may.
func (s *Statement) Covers(action string) bool { return s.covers(action, newWork()) != False }

func (s *Statement) covers(action string, w *work) Truth {
	among := func(patterns []string) Truth {
		result := False
		for _, pattern := range patterns {
			if result = or(result, matchAction(pattern, action, w)); result == True {
				break
			}
		}
		return result
	}
	if s.NotAction != nil {
		return not(among(s.NotAction))
	}
	return among(s.Action)
}
