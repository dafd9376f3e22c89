package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// quantifier says how several values of a request's key are taken.
type quantifier int

const (
	single quantifier = iota // the key has one value
	anyValue
	allValues
)

// condition is one operator on one key.
type condition struct {
	// operator is as it is written; the others are its parts.
	operator string
	quantifier
	comparison string // such as "StringLike", never negated
	negated    bool
	ifExists   bool
	known      bool
	key        string
	values     []string
}

// parseConditions reads a Condition element: operator, key, values.
func parseConditions(raw json.RawMessage) ([]condition, error) {
	if raw = bytes.TrimSpace(raw); len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var byOperator map[string]map[string]json.RawMessage
	if err := json.Unmarshal(raw, &byOperator); err != nil {
		return nil, errors.New("the condition is not operators with keys and their values")
	}
	var conditions []condition
	for operator, keys := range byOperator {
		for key, values := range keys {
			c := condition{operator: operator, key: key}
			c.split()
			var err error
			if c.values, err = scalars(values); err != nil {
				return nil, fmt.Errorf("the values of %s are neither a string, a number, true, false nor a list of these", clip(key))
			}
			conditions = append(conditions, c)
		}
	}
	slices.SortFunc(conditions, func(a, b condition) int {
		return strings.Compare(a.operator+"\x00"+a.key, b.operator+"\x00"+b.key)
	})
	return conditions, nil
}

// split takes the operator apart. Operators are compared without regard to
// case.
func (c *condition) split() {
	name := c.operator
	cut := func(prefix string) bool {
		if len(name) < len(prefix) || !strings.EqualFold(name[:len(prefix)], prefix) {
			return false
		}
		name = name[len(prefix):]
		return true
	}
	switch {
	case cut("ForAnyValue:"):
		c.quantifier = anyValue
	case cut("ForAllValues:"):
		c.quantifier = allValues
	}
	const suffix = "IfExists"
	if i := len(name) - len(suffix); i > 0 && strings.EqualFold(name[i:], suffix) {
		c.ifExists, name = true, name[:i]
	}
	for written, meant := range comparisons() {
		if strings.EqualFold(written, name) {
			c.comparison, c.negated, c.known = meant.name, meant.negated, true
		}
	}
	// Null itself asks whether a key exists.
	if c.comparison == "Null" && c.ifExists {
		c.known = false
	}
}

// comparison is what an operator comes to.
type comparison struct {
	name    string
	negated bool
}

// comparisons are the condition operators (IAM user guide, "IAM JSON policy
// elements: Condition operators").
func comparisons() map[string]comparison {
	return map[string]comparison{
		"StringEquals": {"StringEquals", false}, "StringNotEquals": {"StringEquals", true},
		"StringEqualsIgnoreCase": {"StringEqualsIgnoreCase", false}, "StringNotEqualsIgnoreCase": {"StringEqualsIgnoreCase", true},
		"StringLike": {"StringLike", false}, "StringNotLike": {"StringLike", true},
		"NumericEquals": {"NumericEquals", false}, "NumericNotEquals": {"NumericEquals", true},
		"NumericLessThan": {"NumericLessThan", false}, "NumericLessThanEquals": {"NumericLessThanEquals", false},
		"NumericGreaterThan": {"NumericGreaterThan", false}, "NumericGreaterThanEquals": {"NumericGreaterThanEquals", false},
		"DateEquals": {"DateEquals", false}, "DateNotEquals": {"DateEquals", true},
		"DateLessThan": {"DateLessThan", false}, "DateLessThanEquals": {"DateLessThanEquals", false},
		"DateGreaterThan": {"DateGreaterThan", false}, "DateGreaterThanEquals": {"DateGreaterThanEquals", false},
		"Bool":         {"Bool", false},
		"BinaryEquals": {"BinaryEquals", false},
		"IpAddress":    {"IpAddress", false}, "NotIpAddress": {"IpAddress", true},
		"ArnEquals": {"ArnLike", false}, "ArnLike": {"ArnLike", false},
		"ArnNotEquals": {"ArnLike", true}, "ArnNotLike": {"ArnLike", true},
		"Null": {"Null", false},
	}
}

// scalars reads one value or a list of values as texts.
func scalars(raw json.RawMessage) ([]string, error) {
	raw = bytes.TrimSpace(raw)
	list := []json.RawMessage{raw}
	if len(raw) > 0 && raw[0] == '[' {
		list = nil
		if err := json.Unmarshal(raw, &list); err != nil {
			return nil, err
		}
	}
	values := make([]string, 0, len(list))
	for _, one := range list {
		one = bytes.TrimSpace(one)
		if len(one) == 0 || one[0] == '{' || one[0] == '[' || one[0] == 'n' {
			return nil, errors.New("not a scalar")
		}
		text := string(one)
		if one[0] == '"' {
			if err := json.Unmarshal(one, &text); err != nil {
				return nil, err
			}
		}
		values = append(values, text)
	}
	return values, nil
}

// clip keeps what a message quotes short.
func clip(s string) string {
	if len(s) > 64 {
		return strings.ToValidUTF8(s[:64], "") + "…"
	}
	return s
}
