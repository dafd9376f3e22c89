package login

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Provider is where to sign in, as the server tells.
type Provider struct {
	Issuer   string
	ClientID string
	Scopes   []string
}

// Tokens is what a sign-in gave.
type Tokens struct {
	// ID is the ID token, to be exchanged for a session.
	ID string
	// NonceVerifier is what the ID token's nonce is the base64url SHA-256 of.
	NonceVerifier string
	// Refresh is for the next time; empty where the provider gives none.
	Refresh string
}

// requestTimeout bounds one request to the provider.
const requestTimeout = 30 * time.Second

// discovered is a provider that has answered.
type discovered struct {
	oauth oauth2.Config
	// revocation is where tokens are revoked; empty where they cannot be.
	revocation string
	// nonceVerifier is a secret of this sign-in.
	nonceVerifier string
}

// discover reads the provider's discovery document, and refuses one that leads
// to where nothing may be sent. The context it returns has the HTTP client that
// everything else uses.
func (p Provider) discover(ctx context.Context) (context.Context, *discovered, error) {
	if err := p.Validate(); err != nil {
		return ctx, nil, err
	}
	ctx = oidc.ClientContext(ctx, newClient(p.Issuer))
	found, err := oidc.NewProvider(ctx, p.Issuer)
	if err != nil {
		return ctx, nil, describe("ask "+p.Issuer+" how to sign in", err)
	}
	if err := checkEndpoints(found); err != nil {
		return ctx, nil, err
	}
	revocation, err := revocationEndpoint(found)
	if err != nil {
		return ctx, nil, err
	}
	endpoint := found.Endpoint()
	// A public client has no secret, so that the library need not try how one is
	// to be sent: what it sends would be sent twice.
	endpoint.AuthStyle = oauth2.AuthStyleInParams
	return ctx, &discovered{
		oauth:         oauth2.Config{ClientID: p.ClientID, Endpoint: endpoint, Scopes: p.Scopes},
		revocation:    revocation,
		nonceVerifier: oauth2.GenerateVerifier(),
	}, nil
}

// describe makes one line of what went wrong at the provider.
func describe(doing string, err error) error {
	var down *UnavailableError
	if errors.As(err, &down) {
		return down
	}
	var refused *oauth2.RetrieveError
	switch {
	case !errors.As(err, &refused):
		return fmt.Errorf("%s: %w", doing, err)
	case refused.ErrorCode == "":
		return fmt.Errorf("%s: the identity provider answered %s", doing, refused.Response.Status)
	}
	return fmt.Errorf("%s: %s", doing, refusal(refused.ErrorCode, refused.ErrorDescription))
}

func refusal(code, description string) string {
	text := "the identity provider refused: " + code
	if description != "" {
		text += " (" + description + ")"
	}
	return text
}

// nonce asks for an ID token that only the holder of the verifier can use.
func (d *discovered) nonce() oauth2.AuthCodeOption {
	sum := sha256.Sum256([]byte(d.nonceVerifier))
	return oidc.Nonce(base64.RawURLEncoding.EncodeToString(sum[:]))
}

// tokens takes what is needed out of the provider's answer.
func (d *discovered) tokens(t *oauth2.Token) (Tokens, error) {
	id, _ := t.Extra("id_token").(string)
	if id == "" {
		return Tokens{}, errors.New("the provider gave no ID token; its client has to be allowed the scope openid")
	}
	return Tokens{ID: id, NonceVerifier: d.nonceVerifier, Refresh: t.RefreshToken}, nil
}

// Refresh gets a new ID token without asking anybody. The verifier is that of the
// first sign-in, whose nonce some providers repeat.
func (p Provider) Refresh(ctx context.Context, before Tokens) (Tokens, error) {
	ctx, d, err := p.discover(ctx)
	if err != nil {
		return Tokens{}, err
	}
	d.nonceVerifier = before.NonceVerifier
	t, err := d.oauth.TokenSource(ctx, &oauth2.Token{RefreshToken: before.Refresh}).Token()
	if err != nil {
		return Tokens{}, describe("refresh the sign-in", err)
	}
	after, err := d.tokens(t)
	if after.Refresh == "" {
		after.Refresh = before.Refresh
	}
	return after, err
}

// Prompt is what somebody has to do on another device.
type Prompt struct {
	// URL is where to go, and Complete the same with the code filled in; it may
	// be empty.
	URL, Complete string
	Code          string
}

// Device has somebody sign in on another device (RFC 8628). It waits until they
// have, or the code has expired, or ctx ends.
func (p Provider) Device(ctx context.Context, show func(Prompt)) (Tokens, error) {
	ctx, d, err := p.discover(ctx)
	if err != nil {
		return Tokens{}, err
	}
	if d.oauth.Endpoint.DeviceAuthURL == "" {
		return Tokens{}, fmt.Errorf("%s has no device flow; sign in without --device", p.Issuer)
	}
	started, err := d.oauth.DeviceAuth(ctx, d.nonce())
	if err != nil {
		return Tokens{}, describe("start the device flow", err)
	}
	if err := trusted(started.VerificationURI); err != nil {
		return Tokens{}, fmt.Errorf("the page of the device flow is not shown: %w", err)
	}
	if trusted(started.VerificationURIComplete) != nil {
		started.VerificationURIComplete = ""
	}
	show(Prompt{URL: started.VerificationURI, Complete: started.VerificationURIComplete, Code: started.UserCode})
	t, err := d.oauth.DeviceAccessToken(ctx, started)
	if err != nil {
		return Tokens{}, describe("wait for the other device", err)
	}
	return d.tokens(t)
}
