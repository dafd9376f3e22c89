// Package oidc trusts one OpenID Connect provider: it verifies the ID tokens with
// which people sign in.
//
// A client gets an ID token from the provider by itself and exchanges it for a
// session; this package decides whether the token is good, by the provider's
// discovery document and keys. Both are fetched when they are first needed,
// through a transport of package egress, with time and size limits, and kept; a
// provider that does not answer makes sign-in unavailable and nothing else.
//
// The package holds no client secret, sees no password, and never gives out what
// it was sent: an ID token is in none of its errors.
package oidc
