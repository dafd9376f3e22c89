// Package login gets ID tokens from an OpenID Connect provider for somebody at a
// command line: by their browser and a listener on a loopback address, by a code
// that they type on another device, or by a refresh token from the last time.
//
// The provider is the one that a server names, and a server can be taken over: so
// nothing is sent, and no browser opened, before the issuer and every endpoint of
// its discovery document are seen to be https, or http on loopback.
//
// At the end it has the provider revoke the refresh token, where that can be done.
//
// It talks to the provider alone, follows the provider's discovery document, and
// keeps nothing: what it returns is for the caller to exchange for a session. It
// never prints a token, and never reads a password.
package login
