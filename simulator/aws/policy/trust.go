package policy

import "strings"

// Caller is who asks to assume a role.
type Caller struct {
	ARN     string // of the user, or of the role behind a session
	Account string // twelve digits
}

// Trusts says what a trust policy decides about a caller who wants action,
// normally sts:AssumeRole. direct is true when a statement names the caller
// itself, which inside one account makes a permission of its own unnecessary;
// naming the account only lets that account hand the permission on.
func (d Document) Trusts(caller Caller, action string, context map[string]string) (decision Decision, direct bool) {
	for _, s := range d.Statement {
		if s.Principal == nil || !anyMatch(s.Action, action, true) {
			continue
		}
		named, exactly := s.Principal.names(caller)
		if !named || !s.Condition.met(context, s.Effect == Deny) {
			continue
		}
		if s.Effect == Deny {
			return ExplicitDeny, false
		}
		decision = Allowed
		direct = direct || exactly
	}
	return decision, direct
}

func (p Principal) names(caller Caller) (named, exactly bool) {
	if p.Everyone {
		return true, true
	}
	for _, name := range p.AWS {
		switch {
		case name == "*" || name == caller.ARN:
			return true, true
		case name == caller.Account || strings.HasSuffix(name, "::"+caller.Account+":root"):
			named = true
		}
	}
	return named, false
}
