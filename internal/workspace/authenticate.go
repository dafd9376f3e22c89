package workspace

import (
	"context"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// TenantName is how a request names the tenant level where a workspace's id
// would stand.
const TenantName = "tenant"

// Credentials are what a request carries.
type Credentials struct {
	// Token is an API key or a session's token.
	Token string
	// Workspace is the workspace named beside it: an id such as w_1,
	// [TenantName], or empty. A key's own needs no naming.
	Workspace string
}

// Authenticate returns whoever the credentials stand for. Every token that is
// not good gives an Unauthenticated error that is the same for all reasons. A
// workspace that the caller is no member of is NotFound, as one that does not
// exist; that of the tenant level is caused by an [OutsiderError]. The cause of
// the error about credentials that were good once is an [EndedError], for the
// audit record only.
func Authenticate(ctx context.Context, finder CallerFinder, c Credentials) (Caller, error) {
	if strings.HasPrefix(c.Token, SessionPrefix) {
		return authenticateSession(ctx, finder, c)
	}
	return authenticateKey(ctx, finder, c)
}

func authenticateKey(ctx context.Context, finder CallerFinder, c Credentials) (Caller, error) {
	w, hash, err := ParseKey(c.Token)
	if err != nil {
		return Caller{}, err
	}
	caller, err := finder.FindKey(ctx, w, hash)
	if fault.KindOf(err) == fault.NotFound {
		return Caller{}, fault.Wrap(fault.Unauthenticated, err, "the API key is not known, has expired or was revoked")
	}
	if err != nil {
		return Caller{}, err
	}
	if c.Workspace == "" || c.Workspace == caller.Scope.Workspace.String() || c.Workspace == TenantName && caller.Level() == TenantLevel {
		return caller, nil
	}
	return Caller{}, noWorkspace(c.Workspace, caller)
}

func authenticateSession(ctx context.Context, finder CallerFinder, c Credentials) (Caller, error) {
	hash, err := ParseSession(c.Token)
	if err != nil {
		return Caller{}, err
	}
	where := SessionWorkspace{Tenant: c.Workspace == TenantName}
	if !where.Tenant && c.Workspace != "" {
		if err := where.ID.UnmarshalText([]byte(c.Workspace)); err != nil {
			// Still a look for the session: what is no workspace is told to its
			// members only.
			where.ID = -1
		}
	}
	caller, err := finder.FindSession(ctx, hash, where)
	if fault.KindOf(err) == fault.NotFound {
		return Caller{}, fault.Wrap(fault.Unauthenticated, err, "the session is not known, has expired or was ended; sign in again")
	}
	if err != nil {
		return Caller{}, err
	}
	if caller.Member == 0 && c.Workspace != "" {
		return Caller{}, noWorkspace(c.Workspace, caller)
	}
	return caller, nil
}

// noWorkspace is the same for a workspace that does not exist and for one that
// the caller is no member of. The tenant level is no secret.
func noWorkspace(named string, who Caller) error {
	if named == TenantName {
		return fault.Wrap(fault.NotFound, &OutsiderError{Who: who}, "you are not a tenant administrator; a tenant administrator can invite you")
	}
	var w id.Workspace
	if err := w.UnmarshalText([]byte(named)); err != nil {
		return fault.New(fault.NotFound, "there is no such workspace; name one by its id, such as w_123, or %q", TenantName)
	}
	return fault.New(fault.NotFound, "there is no workspace %s that you are a member of", w)
}

// SessionWorkspace is where a signed-in person wants to work: in one workspace,
// at the tenant level, or, when zero, nowhere yet.
type SessionWorkspace struct {
	ID     id.Workspace
	Tenant bool
}

// EndedError is about credentials that are not good any more.
type EndedError struct {
	// Was is whoever they stood for.
	Was Caller
	// Why is how they ended, for the audit record.
	Why string
}

// Error says how they ended.
func (e *EndedError) Error() string { return e.Why }

// OutsiderError is about good credentials of somebody who is no member of the
// tenant level that they name.
type OutsiderError struct {
	// Who they stand for, where they are a member, or at the tenant level without
	// a role.
	Who Caller
}

// Error says what they are not.
func (e *OutsiderError) Error() string { return "not a tenant administrator" }

// Lacks is the refusal of what needs a capability at the tenant level.
func (e *OutsiderError) Lacks(want Capability) error {
	return fault.New(fault.Forbidden, "you are not a tenant administrator, so you lack the capability %s at the tenant level; a tenant administrator can invite you", want)
}

// CallerFinder looks up who credentials stand for; every service has one.
// Neither method answers from memory, so that what has ended has ended.
type CallerFinder interface {
	// FindKey returns the caller that the key with this hash stands for. A key
	// that does not exist, was revoked or has expired gives a NotFound error,
	// caused by an [EndedError] if there was one; the caller must not tell these
	// apart to others. Use of the key is noted, at most once a minute.
	FindKey(ctx context.Context, w id.Workspace, hash KeyHash) (Caller, error)
	// FindSession returns the person of the session with this hash as a member
	// where they want to work. Where they are none, the caller has neither
	// Member nor Role, and the tenant level as its scope. A session that does
	// not exist, was ended or has expired gives a NotFound error, and use is
	// noted, both as of keys.
	FindSession(ctx context.Context, hash SessionHash, where SessionWorkspace) (Caller, error)
}
