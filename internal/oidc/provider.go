package oidc

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	coreos "github.com/coreos/go-oidc/v3/oidc"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Times of an ID token. The exchange follows the sign-in at once, so a token that
// turns up late was kept by somebody.
const (
	maxAge  = 10 * time.Minute
	maxSkew = time.Minute
)

// maxSubject is the most bytes in a subject; OpenID Connect allows 255.
const maxSubject = 255

// Provider verifies the ID tokens of one provider. It is safe for concurrent use.
type Provider struct {
	config Config
	http   *http.Client
	log    *slog.Logger

	discovery discovery
}

var _ workspace.IdentityProvider = (*Provider)(nil)

// New returns the provider of a configuration. Nothing is fetched yet.
func New(c Config, log *slog.Logger) (*Provider, error) {
	if c.EmailClaim == "" {
		c.EmailClaim = "email"
	}
	if len(c.Scopes) == 0 {
		c.Scopes = DefaultScopes()
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return &Provider{config: c, http: newClient(c.AllowPrivate), log: log, discovery: discovery{now: time.Now}}, nil
}

// Settings returns what clients need.
func (p *Provider) Settings() workspace.SignInSettings {
	return workspace.SignInSettings{Issuer: p.config.Issuer, ClientID: p.config.ClientID, Scopes: p.config.Scopes}
}

// Verify checks an ID token and returns what it says.
func (p *Provider) Verify(ctx context.Context, idToken, nonceVerifier string) (workspace.Identity, error) {
	verifier, err := p.discovered(ctx)
	if err != nil {
		return workspace.Identity{}, fault.Wrap(fault.Unavailable, err, "the identity provider does not answer; try again, or use an API key. Sessions that exist go on")
	}
	fetching := &failure{}
	token, err := verifier.Verify(context.WithValue(ctx, failureKey{}, fetching), idToken)
	switch {
	case fetching.unreachable:
		return workspace.Identity{}, fault.Wrap(fault.Unavailable, err, "the identity provider's keys cannot be fetched; try again, or use an API key. Sessions that exist go on")
	case err != nil:
		return workspace.Identity{}, p.refuse(ctx, "verification", err)
	}
	if why := p.check(token, nonceVerifier); why != nil {
		return workspace.Identity{}, p.refuse(ctx, "claims", why)
	}
	who, err := p.read(token)
	if err != nil {
		return workspace.Identity{}, p.refuse(ctx, "claims", err)
	}
	who.TokenHash, who.TokenExpires = sha256.Sum256([]byte(idToken)), token.Expiry
	return who, nil
}

// refuse says the same of every token that is not good, and logs why.
func (p *Provider) refuse(ctx context.Context, at string, why error) error {
	p.log.LogAttrs(ctx, slog.LevelInfo, "refused an ID token", slog.String("at", at), slog.Any("error", why))
	return fault.Wrap(fault.Unauthenticated, why, "the identity provider's token is not accepted; sign in again")
}

// check looks at what the library leaves to its caller.
func (p *Provider) check(token *coreos.IDToken, nonceVerifier string) error {
	now := time.Now()
	switch {
	case token.Subject == "" || len(token.Subject) > maxSubject || strings.Contains(token.Subject, "\x00"):
		return errors.New("the token names no subject, or an impossible one")
	case token.IssuedAt.Before(now.Add(-maxAge)):
		return errors.New("the token was issued too long ago")
	case token.IssuedAt.After(now.Add(maxSkew)):
		return errors.New("the token is issued in the future")
	}
	if len(token.Audience) > 1 {
		var party struct {
			AuthorizedParty string `json:"azp"`
		}
		if err := token.Claims(&party); err != nil || party.AuthorizedParty != p.config.ClientID {
			return errors.New("the token is for several audiences and not issued to this client")
		}
	}
	// The device flow and refreshed tokens have no nonce; those are good once
	// and for a short while all the same.
	if token.Nonce != "" && subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(Nonce(nonceVerifier))) != 1 {
		return errors.New("the token was issued for another sign-in: its nonce is not that of the verifier")
	}
	return nil
}

// Nonce returns the nonce to ask for with a verifier that stays with the client
// until the exchange: its base64url SHA-256.
func Nonce(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
