package aws

import (
	"fmt"
	"unicode/utf8"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connectors/aws/policy"
)

// maxSessionPolicy is the most characters of a policy that a session is begun
// with (STS API reference, "AssumeRole" and "GetFederationToken").
const maxSessionPolicy = 2048

// within has the holder act in a session with a policy: of the role, or of a
// user's own. Without a policy nothing changes.
func (h *holder) within(text string) error {
	if text == "" {
		return nil
	}
	wrong := func(format string, args ...any) error {
		return &connector.RequestError{Part: connector.PartSessionPolicy, Message: fmt.Sprintf(format, args...)}
	}
	if n := utf8.RuneCountInString(text); n > maxSessionPolicy {
		return wrong("has %d characters, more than the %d that AWS takes", n, maxSessionPolicy)
	}
	parsed, err := policy.Parse(text)
	if err != nil {
		return wrong("cannot be read: %v", err)
	}
	for _, s := range parsed.Statements {
		if s.Principal != nil || s.NotPrincipal != nil {
			return wrong("names principals, which policies of sessions do not")
		}
	}
	h.session = &policy.Layer{Policies: []policy.Policy{{Name: "session policy", Document: parsed}}}
	switch h.caller.Kind {
	case policy.User, policy.Root:
		h.caller.Federating = true
	case policy.Session:
	default:
		// Nobody else begins a session that has a policy.
		h.session.Unread = []string{"only users and roles have sessions with policies, and " + h.name + " is neither"}
	}
	return nil
}
