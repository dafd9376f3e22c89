package policy

import "strings"

// CallerKind is what kind of principal makes a request.
type CallerKind int

// The kinds of callers.
const (
	// User is an IAM user.
	User CallerKind = iota
	// Session is the session of an assumed role.
	Session
	// Root is the root user of an account.
	Root
	// Service is an AWS service that acts by itself, such as
	// "lambda.amazonaws.com".
	Service
	// Federated is an identity of a provider outside AWS before it has assumed
	// a role.
	Federated
	// Anyone is a request without credentials.
	Anyone
)

// Caller is who makes a request.
type Caller struct {
	Kind CallerKind
	// ARN is that of the user, of the role behind the session, or of the root
	// user; the name of a service or federated identity.
	ARN string
	// SessionName is that of a role's session; empty when it is not known.
	SessionName string
	// Account is the caller's twelve digits; empty for services, federated
	// identities and anyone.
	Account string
	// Federating says that a user, or the root user, acts by a session of its
	// own that it began with a policy (sts:GetFederationToken). Policies that
	// name it then give it what the session's policy lets through, and no more.
	Federating bool
}

// grades is how far a resource policy's principals name the caller.
type grades struct {
	// direct names the caller itself: the user, the session, the service, or
	// everyone.
	direct Truth
	// role names the role behind the session.
	role Truth
	// account names the caller's account, which may hand on what it is given.
	account Truth
}

func (g grades) any() Truth { return or(g.direct, or(g.role, g.account)) }

// everyone is the name for all principals.
const everyone = "*"

// named tells how far a Principal element names the caller (IAM user guide,
// "IAM JSON policy elements: Principal").
func (c Caller) named(p Principals, q *inquiry) grades {
	g := grades{False, False, False}
	for kind, names := range p {
		for _, name := range names {
			one := c.namedBy(strings.ToLower(kind), strings.TrimSpace(name), q)
			g.direct, g.role, g.account = or(g.direct, one.direct), or(g.role, one.role), or(g.account, one.account)
		}
	}
	return g
}

func (c Caller) namedBy(kind, name string, q *inquiry) grades {
	g := grades{False, False, False}
	switch {
	case name == everyone:
		// Everyone of AWS includes requests without credentials.
		g.direct = truthOf(kind == "aws" || kind == "service" && c.Kind == Service || kind == "federated" && c.Kind == Federated)
	case kind == "service":
		g.direct = truthOf(c.Kind == Service && strings.EqualFold(name, c.ARN))
	case kind == "federated":
		g.direct = truthOf(c.Kind == Federated && name == c.ARN)
	case kind == "canonicaluser":
		if c.Account != "" {
			g.account = Unknown
			q.need(Dependency{Reason: "which account the canonical user " + clip(name) + " is, is not known"})
		}
	case kind != "aws" || c.Account == "":
	case name == c.Account || isRootOf(name, c.Account):
		g.account = True
		g.direct = truthOf(c.Kind == Root && !c.Federating)
	case c.Kind == Session && name == c.ARN:
		g.role = True
	case c.Kind == Session:
		g.direct = c.namedSession(name, q)
	case c.Federating:
		// Like a role behind its session (IAM user guide, "Permissions boundaries").
		g.role = truthOf(name == c.ARN)
		g.direct = c.namedFederated(name, q)
	case c.Kind == User:
		g.direct = truthOf(name == c.ARN)
	}
	return g
}

// namedFederated compares the ARN of a user's own session, whose name is not
// known: arn:aws:sts::<account>:federated-user/<name>.
func (c Caller) namedFederated(name string, q *inquiry) Truth {
	parts := strings.SplitN(name, ":", arnColons+1)
	if len(parts) <= arnColons || parts[2] != "sts" || parts[4] != c.Account || !strings.HasPrefix(parts[arnColons], "federated-user/") {
		return False
	}
	q.need(Dependency{Reason: "the name of the user's session is not known; a resource policy names the session " + clip(parts[arnColons])})
	return Unknown
}

// namedSession compares the ARN of a session:
// arn:aws:sts::<account>:assumed-role/<role>/<session>, the role without path.
func (c Caller) namedSession(name string, q *inquiry) Truth {
	parts := strings.SplitN(name, ":", arnColons+1)
	if len(parts) <= arnColons || parts[2] != "sts" || parts[4] != c.Account {
		return False
	}
	role, session, ok := strings.Cut(strings.TrimPrefix(parts[arnColons], "assumed-role/"), "/")
	if !ok || !strings.HasPrefix(parts[arnColons], "assumed-role/") || role != c.ARN[strings.LastIndexByte(c.ARN, '/')+1:] {
		return False
	}
	if c.SessionName == "" {
		q.need(Dependency{Reason: "the name of the role's session is not known; a resource policy names the session " + clip(session)})
		return Unknown
	}
	return truthOf(session == c.SessionName)
}

func isRootOf(arn, account string) bool {
	parts := strings.SplitN(arn, ":", arnColons+1)
	return len(parts) == arnColons+1 && parts[0] == "arn" && parts[2] == "iam" && parts[4] == account && parts[arnColons] == "root"
}

// excepted tells whether a NotPrincipal element spares the caller. It does when
// it names all that the caller is: the account, and the user, or the role and
// the session. When it names only some of it, AWS documents that the others
// "might" be denied (IAM user guide, "NotPrincipal").
func (c Caller) excepted(p Principals, q *inquiry) Truth {
	g := c.named(p, q)
	for kind, names := range p {
		for _, name := range names {
			if name == everyone && strings.EqualFold(kind, "AWS") {
				return True
			}
		}
	}
	var whole Truth
	switch c.Kind {
	case Session:
		whole = and(g.direct, and(g.role, g.account))
	case User:
		whole = and(or(g.direct, g.role), g.account)
	default:
		whole = g.direct
	}
	if whole == g.any() {
		return whole
	}
	q.need(Dependency{Reason: "NotPrincipal names only a part of what the caller is, and AWS does not say for certain whom it then spares"})
	return Unknown
}
