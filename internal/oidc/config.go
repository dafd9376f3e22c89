package oidc

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
)

// Config says whom to trust and how to read their claims.
type Config struct {
	// Issuer is the provider's URL, as its discovery document spells it: https,
	// or http on a loopback address.
	Issuer string
	// ClientID is a public client registered there.
	ClientID string
	// Scopes are what clients ask for; "openid" is among them.
	Scopes []string
	// EmailClaim is where the e-mail address is, "email" when empty.
	EmailClaim string
	// TrustEmail takes every address for verified, for a provider that is the
	// authority on them and sends no email_verified.
	TrustEmail bool
	// AllowPrivate lets the provider be at a private or loopback address.
	AllowPrivate bool
}

// DefaultScopes are asked for where nothing else is configured. The last one is
// for being signed in again without being asked.
func DefaultScopes() []string { return []string{"openid", "profile", "email", "offline_access"} }

// Validate reports a configuration that cannot work.
func (c Config) Validate() error {
	u, err := url.Parse(c.Issuer)
	switch {
	case err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return fmt.Errorf("--oidc-issuer %q is not the URL of an issuer; want something like https://login.example.com", c.Issuer)
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return errors.New("--oidc-issuer has to be an https URL; http is for a provider on a loopback address")
	case c.ClientID == "":
		return errors.New("--oidc-client-id is missing; register a public client at the provider")
	case !slices.Contains(c.Scopes, "openid"):
		return errors.New("--oidc-scopes has to contain openid")
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
