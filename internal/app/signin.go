package app

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/oidc"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// SignInConfig says how people sign in, and for how long.
type SignInConfig struct {
	// Issuer is the OpenID Connect provider to trust; without one there is no
	// sign-in, and API keys only.
	Issuer string
	// ClientID is a public client registered there.
	ClientID string
	// Scopes are what clients ask for; a usual set when empty.
	Scopes []string
	// EmailClaim is where the address is, "email" when empty.
	EmailClaim string
	// TrustEmail takes every address of the provider for verified.
	TrustEmail bool
	// AllowPrivate lets the provider be at a private or loopback address.
	AllowPrivate bool
	// SessionIdle ends a session that is not used, SessionLifetime every one.
	SessionIdle, SessionLifetime time.Duration
}

// apply lets people sign in, if a provider is named.
func (c SignInConfig) apply(s *workspace.Service, log *slog.Logger) error {
	if c.Issuer == "" {
		return nil
	}
	limits := workspace.SessionLimits{Idle: c.SessionIdle, Lifetime: c.SessionLifetime}
	if err := limits.Validate(); err != nil {
		return fmt.Errorf("set sign-in up: %w", err)
	}
	provider, err := oidc.New(oidc.Config{
		Issuer: c.Issuer, ClientID: c.ClientID, Scopes: c.Scopes, EmailClaim: c.EmailClaim, TrustEmail: c.TrustEmail, AllowPrivate: c.AllowPrivate,
	}, log)
	if err != nil {
		return fmt.Errorf("set sign-in up: %w", err)
	}
	s.Provider, s.Sessions = provider, limits
	return nil
}
