package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Version is the current version of the policy language.
const Version = "2012-10-17"

// Effects of a statement.
const (
	Allow = "Allow"
	Deny  = "Deny"
)

// List is one or more strings. IAM writes a single one without brackets.
type List []string

// MarshalJSON writes one string bare and several as an array.
func (l List) MarshalJSON() ([]byte, error) {
	if len(l) == 1 {
		return encode(l[0])
	}
	return encode([]string(l))
}

// UnmarshalJSON reads either form.
func (l *List) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*l = List{one}
		return nil
	}
	var many []string
	if err := json.Unmarshal(data, &many); err != nil {
		return fmt.Errorf("neither a string nor a list of strings: %w", err)
	}
	*l = many
	return nil
}

// Principal is who a resource policy speaks of, by type: AWS, Service or
// Federated. Everyone is written as a bare asterisk.
type Principal struct {
	Everyone  bool
	AWS       List
	Service   List
	Federated List
}

// MarshalJSON writes the bare asterisk or the map of types.
func (p Principal) MarshalJSON() ([]byte, error) {
	if p.Everyone {
		return encode("*")
	}
	byType := map[string]List{}
	for kind, names := range map[string]List{"AWS": p.AWS, "Service": p.Service, "Federated": p.Federated} {
		if len(names) > 0 {
			byType[kind] = names
		}
	}
	return encode(byType)
}

// Conditions maps operator to key to values.
type Conditions map[string]map[string]List

// Statement is one statement of a document.
type Statement struct {
	Sid         string     `json:"Sid,omitempty"`
	Effect      string     `json:"Effect"`
	Principal   *Principal `json:"Principal,omitempty"`
	Action      List       `json:"Action,omitempty"`
	NotAction   List       `json:"NotAction,omitempty"`
	Resource    List       `json:"Resource,omitempty"`
	NotResource List       `json:"NotResource,omitempty"`
	Condition   Conditions `json:"Condition,omitempty"`
}

// Document is a policy document.
type Document struct {
	Version   string      `json:"Version"`
	ID        string      `json:"Id,omitempty"`
	Statement []Statement `json:"Statement"`
}

// Of makes a document of statements.
func Of(statements ...Statement) Document {
	return Document{Version: Version, Statement: statements}
}

// JSON is the document as stored: compact, in a fixed order of elements.
func (d Document) JSON() string {
	data, err := encode(d)
	if err != nil {
		// Strings, lists and maps of strings always encode.
		return "{}"
	}
	return string(data)
}

// encode is json.Marshal without escaping <, > and &, which policies hold as
// they are.
func encode(value any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
