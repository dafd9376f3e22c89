package aws

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connectors/aws/policy"
)

// document is a policy in AWS's JSON policy language, as the streams need it.
type document struct {
	Statements []statement
}

// statement is one statement of a policy.
type statement struct{ policy.Statement }

type (
	stringList = policy.List
	principals = policy.Principals
)

// parseDocument reads a policy, percent-encoded as IAM sends it or plain.
func parseDocument(text string) (document, error) {
	parsed, err := policy.Parse(text)
	if err != nil {
		return document{}, err
	}
	d := document{Statements: make([]statement, len(parsed.Statements))}
	for i, s := range parsed.Statements {
		d.Statements[i] = statement{s}
	}
	return d, nil
}

// onRoles is what of a statement says which roles may be assumed: held for a
// whole run, it is worth being short.
func (s statement) onRoles() statement {
	return statement{policy.Statement{Effect: s.Effect, Resource: s.Resource, NotResource: s.NotResource, Condition: s.Condition}}
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

// plainDocument returns a policy's text as JSON to keep, or nothing when it is
// none.
func plainDocument(text string) json.RawMessage {
	plain, err := policy.Plain(text)
	if err != nil || plain == "" {
		return nil
	}
	return json.RawMessage(plain)
}
