package cli

import (
	"slices"
	"time"
)

// signIn is the flags about people who sign in, of what serves workspaces.
type signIn struct {
	OIDCIssuer      string        `name:"oidc-issuer" env:"GATEHOUSE_OIDC_ISSUER" placeholder:"URL" group:"Sign-in:" help:"OpenID Connect provider that people sign in at; without one there are API keys only."`
	OIDCClientID    string        `name:"oidc-client-id" env:"GATEHOUSE_OIDC_CLIENT_ID" placeholder:"ID" group:"Sign-in:" help:"Public client that is registered there."`
	OIDCScopes      []string      `name:"oidc-scopes" default:"openid,profile,email,offline_access" env:"GATEHOUSE_OIDC_SCOPES" placeholder:"SCOPE" group:"Sign-in:" help:"What to ask for (${default})."`
	OIDCEmailClaim  string        `name:"oidc-email-claim" default:"email" env:"GATEHOUSE_OIDC_EMAIL_CLAIM" placeholder:"CLAIM" group:"Sign-in:" help:"Claim that holds the e-mail address (${default})."`
	OIDCTrustEmail  bool          `name:"oidc-trust-email" env:"GATEHOUSE_OIDC_TRUST_EMAIL" group:"Sign-in:" help:"Take every address for verified. Only where the provider's own administrators give them out."`
	SessionIdle     time.Duration `default:"1h" env:"GATEHOUSE_SESSION_IDLE" placeholder:"DURATION" group:"Sign-in:" help:"How long a session may go unused (${default})."`
	SessionLifetime time.Duration `default:"12h" env:"GATEHOUSE_SESSION_LIFETIME" placeholder:"DURATION" group:"Sign-in:" help:"How long any session lasts (${default})."`
}

// providerSignIn is signIn for a service by itself.
type providerSignIn struct {
	signIn
	AllowPrivateNetworks bool `negatable:"" env:"GATEHOUSE_ALLOW_PRIVATE_NETWORKS" group:"Sign-in:" help:"Let the provider, webhooks, and those of audit sinks, be at a loopback or private address."`
}

// signInOptions returns the flags as the service takes them.
func (s signIn) signInOptions() (SignInOptions, error) {
	if s.OIDCClientID != "" && s.OIDCIssuer == "" {
		return SignInOptions{}, usagef("--oidc-issuer: is missing; --oidc-client-id needs it")
	}
	return SignInOptions{
		Issuer: s.OIDCIssuer, ClientID: s.OIDCClientID, Scopes: slices.Clone(s.OIDCScopes), EmailClaim: s.OIDCEmailClaim, TrustEmail: s.OIDCTrustEmail,
		SessionIdle: s.SessionIdle, SessionLifetime: s.SessionLifetime,
	}, nil
}
