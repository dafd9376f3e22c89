package workspace

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// Identity is what a verified ID token says of a person.
type Identity struct {
	// Issuer and Subject name the person for good.
	Issuer, Subject string
	// Email is normalised, and empty where the provider tells none.
	Email string
	// EmailVerified says that the provider vouches for the address.
	EmailVerified bool
	// Name is 1 to 200 characters.
	Name   string
	Claims []Claim
	// TokenHash and TokenExpires are those of the ID token, which is good once.
	TokenHash    [sha256.Size]byte
	TokenExpires time.Time
}

// SignInSettings is what a client needs to have somebody sign in.
type SignInSettings struct {
	Issuer   string
	ClientID string
	Scopes   []string
}

// IdentityProvider is the OpenID Connect provider that a deployment trusts.
type IdentityProvider interface {
	// Settings returns what clients need.
	Settings() SignInSettings
	// Verify checks an ID token: issuer, audience, signature, times, and that its
	// nonce, if it has one, is the SHA-256 of the verifier. What is not right is
	// Unauthenticated; a provider whose keys cannot be fetched is Unavailable.
	Verify(ctx context.Context, idToken, nonceVerifier string) (Identity, error)
}

// ErrTokenSpent is the cause of the error about an ID token that was used before.
var ErrTokenSpent = errors.New("the ID token has been used before")

// ErrNoWorkspace is the cause of the error about a person without a membership.
var ErrNoWorkspace = errors.New("the person is a member of no workspace")

// SignIn is the answer to a sign-in. The token is told this once.
type SignIn struct {
	Token       secret.Secret
	Session     SessionInfo
	Memberships []Membership
}

// SignInSettings returns what a client needs to have somebody sign in; NotFound
// where sign-in is not set up.
func (s *Service) SignInSettings() (SignInSettings, error) {
	if s.Provider == nil {
		return SignInSettings{}, notSetUp()
	}
	return s.Provider.Settings(), nil
}

// SignIn exchanges an ID token for a session. On the way it accepts invitations
// to the person's verified address and applies claim mappings. Somebody who is a
// member of nothing then gets no session: Forbidden.
func (s *Service) SignIn(ctx context.Context, idToken, nonceVerifier string) (SignIn, error) {
	if s.Provider == nil {
		return SignIn{}, notSetUp()
	}
	who, err := s.Provider.Verify(ctx, idToken, nonceVerifier)
	if err != nil {
		return SignIn{}, err
	}
	token, hash := newSession()
	info, memberships, err := s.Store.SignIn(ctx, who, NewSessionRow{Hash: hash, Limits: s.Sessions})
	switch {
	case errors.Is(err, ErrTokenSpent):
		err = fault.Wrap(fault.Unauthenticated, err, "this sign-in has been used before; sign in again")
	case errors.Is(err, ErrNoWorkspace):
		err = fault.Wrap(fault.Forbidden, err, "you signed in as %s, but you are a member of no workspace; ask an admin to invite that address", who.shown())
	case err == nil:
		return SignIn{Token: token, Session: info, Memberships: memberships}, nil
	default:
		return SignIn{}, err
	}
	return SignIn{}, errors.Join(err, s.recordRefusal(ctx, who, err))
}

// recordRefusal notes in the tenant's log that somebody with a good ID token got
// no session.
func (s *Service) recordRefusal(ctx context.Context, who Identity, why error) error {
	scope, err := s.Store.TenantScope(ctx)
	if err != nil {
		return err
	}
	reason := "token_spent"
	if errors.Is(why, ErrNoWorkspace) {
		reason = "no_workspace"
	}
	return s.Store.RecordEvent(ctx, scope, audit.Event{
		Actor: audit.System("sign-in"), Action: audit.SignInRefused, Outcome: audit.Denied, TargetType: "person",
		Payload: map[string]any{"reason": reason, "issuer": who.Issuer, "subject": who.Subject, "email": who.Email},
	})
}

// shown is how a person recognises themselves.
func (i Identity) shown() string {
	switch {
	case i.Email == "":
		return i.Name
	case !i.EmailVerified:
		return i.Email + " (an address that the identity provider does not vouch for)"
	}
	return i.Email
}

func notSetUp() error {
	return fault.New(fault.NotFound, "sign-in is not set up on this server; use an API key, or have its operator set --oidc-issuer and --oidc-client-id")
}
