package policy

import (
	"slices"
	"strings"
)

// met reports whether all conditions of the statement hold.
func (s *Statement) met(q *inquiry) Truth {
	result := True
	for i := range s.conditions {
		before := len(q.needs)
		switch holds := s.conditions[i].holds(q); holds {
		case False:
			return False
		case Unknown:
			result = Unknown
		default:
			q.needs = q.needs[:before]
		}
	}
	return result
}

// holds decides one operator on one key.
func (c *condition) holds(q *inquiry) Truth {
	depends := func(reason string) Truth {
		q.need(Dependency{Key: c.key, Operator: c.operator, Values: c.values, Reason: reason})
		return Unknown
	}
	if !c.known {
		return depends("the condition operator " + clip(c.operator) + " is not one that AWS documents")
	}
	given, known := q.context.lookup(c.key)
	if !known {
		return depends("the value of " + c.key + " is not known")
	}
	if c.comparison == "Null" {
		return c.absent(given, depends)
	}
	if c.quantifier != single {
		// "A null dataset, such as an empty string", counts as no value.
		given = slices.DeleteFunc(slices.Clone(given), func(v string) bool { return v == "" })
	}
	if len(given) == 0 {
		switch {
		case c.quantifier == anyValue && c.ifExists:
			return depends("AWS does not say what " + c.operator + " comes to when " + c.key + " is absent")
		case c.quantifier == anyValue:
			return False
		case c.quantifier == allValues || c.ifExists:
			return True
		default:
			return truthOf(c.negated)
		}
	}
	some, all := False, True
	for _, value := range given {
		one, valid := c.matches(q, value)
		if !valid {
			return depends("a value that " + c.key + " is compared with is not of the kind that " + c.operator + " takes")
		}
		some, all = or(some, one), and(all, one)
	}
	result := some
	switch c.quantifier {
	case allValues:
		result = all
	case single:
		if some != all {
			return depends(c.key + " has several values, and the condition does not say whether any or all of them count")
		}
	}
	return result
}

// matches compares a value with all of the policy's. A negated operator wants
// none of them to match.
func (c *condition) matches(q *inquiry, given string) (result Truth, valid bool) {
	result = False
	for _, written := range c.values {
		if !q.work.take(len(written) + len(given)) {
			return Unknown, true
		}
		one, valid := q.compare(c.comparison, given, written)
		if !valid {
			return Unknown, false
		}
		result = or(result, one)
	}
	if c.negated {
		return not(result), true
	}
	return result, true
}

// absent decides the operator Null: "true" wants the key absent.
func (c *condition) absent(given []string, depends func(string) Truth) Truth {
	result := False
	for _, written := range c.values {
		switch strings.ToLower(written) {
		case "true":
			result = or(result, truthOf(len(given) == 0))
		case "false":
			result = or(result, truthOf(len(given) > 0))
		default:
			return depends("Null takes true or false")
		}
	}
	return result
}
