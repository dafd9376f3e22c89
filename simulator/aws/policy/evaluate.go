package policy

import (
	"net/netip"
	"strings"
)

// Request is what a caller asks for.
type Request struct {
	Action   string // prefix:Operation
	Resource string // ARN, or "*" where the action knows none
	// Context holds the condition keys of the request, in lower case. A key
	// that is absent is not in the request, as IAM understands it.
	Context map[string]string
}

// Decision is what documents say about a request.
type Decision int

// The decisions, in the order in which they win.
const (
	ImplicitDeny Decision = iota
	Allowed
	ExplicitDeny
)

// Evaluate says what documents that are attached to the caller decide: any
// matching denial wins, else any matching allowance.
func Evaluate(request Request, documents ...Document) Decision {
	decision := ImplicitDeny
	for _, document := range documents {
		for _, statement := range document.Statement {
			if !statement.matches(request) {
				continue
			}
			if statement.Effect == Deny {
				return ExplicitDeny
			}
			decision = Allowed
		}
	}
	return decision
}

func (s Statement) matches(request Request) bool {
	return s.Covers(request.Action, request.Resource) && s.Condition.met(request.Context, s.Effect == Deny)
}

// Covers says whether the statement speaks of an action on a resource, whatever
// its conditions.
func (s Statement) Covers(action, resource string) bool {
	switch {
	case len(s.Action) > 0 && !anyMatch(s.Action, action, true),
		len(s.NotAction) > 0 && anyMatch(s.NotAction, action, true),
		len(s.Resource) > 0 && !anyMatch(s.Resource, resource, false),
		len(s.NotResource) > 0 && anyMatch(s.NotResource, resource, false):
		return false
	}
	return true
}

func anyMatch(patterns List, value string, foldCase bool) bool {
	for _, pattern := range patterns {
		if foldCase {
			pattern, value = strings.ToLower(pattern), strings.ToLower(value)
		}
		if Match(pattern, value) {
			return true
		}
	}
	return false
}

// Match compares a value with a pattern in which * stands for any characters
// and ? for one.
func Match(pattern, value string) bool {
	p, v, star, mark := 0, 0, -1, 0
	for v < len(value) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, v
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == value[v]):
			p++
			v++
		case star >= 0:
			mark++
			p, v = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// met says whether all conditions hold. unknown is the answer for operators
// this package does not evaluate.
func (c Conditions) met(context map[string]string, unknown bool) bool {
	for operator, keys := range c {
		for key, values := range keys {
			if !holds(operator, strings.ToLower(key), values, context, unknown) {
				return false
			}
		}
	}
	return true
}

func holds(operator, key string, values List, context map[string]string, unknown bool) bool {
	base, ifExists := strings.CutSuffix(operator, "IfExists")
	actual, present := context[key]
	if base == "Null" {
		return (values[0] == "true") == !present
	}
	negated := strings.HasPrefix(base, "StringNot") || base == "NotIpAddress" || base == "ArnNotLike" || base == "ArnNotEquals"
	if !present {
		return ifExists || negated
	}
	found := false
	for _, value := range values {
		switch base {
		case "StringEquals", "StringNotEquals":
			found = found || value == actual
		case "StringLike", "StringNotLike", "ArnLike", "ArnEquals", "ArnNotLike", "ArnNotEquals":
			found = found || Match(value, actual)
		case "Bool", "StringEqualsIgnoreCase":
			found = found || strings.EqualFold(value, actual)
		case "IpAddress", "NotIpAddress":
			found = found || inRange(value, actual)
		default:
			return unknown
		}
	}
	return found != negated
}

func inRange(prefix, address string) bool {
	network, err := netip.ParsePrefix(prefix)
	if err != nil {
		return prefix == address
	}
	ip, err := netip.ParseAddr(address)
	return err == nil && network.Contains(ip)
}
