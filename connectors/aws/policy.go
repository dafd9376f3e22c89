package aws

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
)

// document is a policy in AWS's JSON policy language.
type document struct {
	Statements []statement
}

// statement is one statement of a policy. Element names are matched without
// regard to case, as AWS does.
type statement struct {
	Sid          string          `json:"Sid"`
	Effect       string          `json:"Effect"`
	Principal    principals      `json:"Principal"`
	NotPrincipal principals      `json:"NotPrincipal"`
	Action       stringList      `json:"Action"`
	NotAction    stringList      `json:"NotAction"`
	Resource     stringList      `json:"Resource"`
	NotResource  stringList      `json:"NotResource"`
	Condition    json.RawMessage `json:"Condition"`

	// Key tells the statement apart from the policy's others: its Sid where
	// no other has the same, else "#" and its index.
	Key string `json:"-"`
}

// stringList is a string or a list of strings on the wire.
type stringList []string

func (l *stringList) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '[' {
		return json.Unmarshal(b, (*[]string)(l))
	}
	var one string
	if err := json.Unmarshal(b, &one); err != nil {
		return err
	}
	*l = stringList{one}
	return nil
}

// principals is "*" or lists of names by type on the wire.
type principals map[string]stringList

func (p *principals) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		var one string
		if err := json.Unmarshal(b, &one); err != nil {
			return err
		}
		if one != "*" {
			return errors.New("a principal is neither * nor an object")
		}
		*p = principals{"AWS": {"*"}}
		return nil
	}
	return json.Unmarshal(b, (*map[string]stringList)(p))
}

// parseDocument reads a policy, percent-encoded as IAM sends it or plain. An
// empty text is a policy without statements. It refuses what AWS would not
// have stored, duplicate elements above all, because guessing which of two
// counts could hide a grant.
func parseDocument(text string) (document, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return document{}, nil
	}
	if !strings.HasPrefix(text, "{") {
		decoded, err := url.PathUnescape(text)
		if err != nil {
			return document{}, errors.New("the policy is not correctly percent-encoded")
		}
		text = decoded
	}
	if err := refuseDuplicates(text); err != nil {
		return document{}, err
	}
	var wire struct {
		Statement json.RawMessage `json:"Statement"`
	}
	if err := json.Unmarshal([]byte(text), &wire); err != nil {
		return document{}, errors.New("the policy is not a JSON object")
	}
	var d document
	switch raw := bytes.TrimSpace(wire.Statement); {
	case len(raw) == 0:
	case raw[0] == '[':
		if err := json.Unmarshal(raw, &d.Statements); err != nil {
			return document{}, errors.New("a statement of the policy has an element of the wrong type")
		}
	default:
		var one statement
		if err := json.Unmarshal(raw, &one); err != nil {
			return document{}, errors.New("the statement of the policy has an element of the wrong type")
		}
		d.Statements = []statement{one}
	}
	sids := map[string]int{}
	for _, s := range d.Statements {
		sids[s.Sid]++
	}
	for i := range d.Statements {
		s := &d.Statements[i]
		if s.Effect != "Allow" && s.Effect != "Deny" {
			return document{}, fmt.Errorf("statement %d has neither the effect Allow nor Deny", i)
		}
		if s.Key = s.Sid; s.Sid == "" || sids[s.Sid] > 1 || len(s.Sid) > connector.MaxKeyBytes {
			s.Key = "#" + strconv.Itoa(i)
		}
	}
	return d, nil
}

// refuseDuplicates walks the JSON text once. Names are compared without regard
// to case, except inside conditions, where values may be tag names.
func refuseDuplicates(text string) error {
	d := json.NewDecoder(strings.NewReader(text))
	type level struct {
		object, wantName, exact bool
		names                   map[string]bool
	}
	var stack []level
	name := ""
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			if len(stack) > 0 {
				return errors.New("the policy ends early")
			}
			return nil
		}
		if err != nil {
			return errors.New("the policy is not valid JSON")
		}
		var top *level
		if len(stack) > 0 {
			top = &stack[len(stack)-1]
		}
		if delim, ok := token.(json.Delim); ok && (delim == '}' || delim == ']') {
			stack = stack[:len(stack)-1]
			continue
		}
		if top != nil && top.object {
			if top.wantName {
				name, _ = token.(string)
				key := name
				if !top.exact {
					key = strings.ToLower(key)
				}
				if top.names[key] {
					return errors.New("the policy has an element twice")
				}
				top.names[key] = true
				top.wantName = false
				continue
			}
			top.wantName = true
		}
		if delim, ok := token.(json.Delim); ok {
			exact := top != nil && top.exact || strings.EqualFold(name, "Condition")
			stack = append(stack, level{object: delim == '{', wantName: delim == '{', exact: exact, names: map[string]bool{}})
			if len(stack) > connector.MaxAttributesDepth {
				return errors.New("the policy is nested too deeply")
			}
		}
	}
}

// terms are the statement's terms in canonical form.
func (s statement) terms() *connector.Terms {
	t := &connector.Terms{Effect: connector.Allow, Actions: s.Action, NotActions: s.NotAction}
	if s.Effect == "Deny" {
		t.Effect = connector.Deny
	}
	if c := bytes.TrimSpace(s.Condition); len(c) > 0 && c[0] == '{' && len(c) <= connector.MaxConditionsBytes {
		t.Conditions = json.RawMessage(c)
	}
	return t
}

// speaksOf reports whether the statement can concern a service's resources of
// a kind: whether an action of it that is taken on such a resource is covered.
func (s statement) speaksOf(k resourceKind) bool {
	if len(s.NotAction) > 0 {
		return !slices.ContainsFunc(s.NotAction, func(a string) bool { return globMatch(strings.ToLower(a), k.service+":*") })
	}
	return slices.ContainsFunc(s.Action, k.concernedBy)
}

// covers reports whether the statement's actions include one, given in lower
// case.
func (s statement) covers(action string) bool {
	match := func(pattern string) bool { return globMatch(strings.ToLower(pattern), action) }
	if len(s.NotAction) > 0 {
		return !slices.ContainsFunc(s.NotAction, match)
	}
	return slices.ContainsFunc(s.Action, match)
}
