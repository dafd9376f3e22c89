package oidc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"time"

	coreos "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/sync/singleflight"
)

const (
	// rediscovery is how long a discovery document is good.
	rediscovery = time.Hour
	// afterFailure is how long a provider that did not answer is not asked again:
	// sign-ins fail at once meanwhile, and it is not asked by each of them.
	afterFailure = 5 * time.Second
)

// discovery is what was last found at the provider. Whoever needs it anew waits
// for one request, and for no longer than they want to.
type discovery struct {
	asking singleflight.Group
	now    func() time.Time

	mu       sync.Mutex
	verifier *coreos.IDTokenVerifier
	// found is when, tried when it was last asked for, and failed how that ended.
	found, tried time.Time
	failed       error
}

// finding is how a request ended: with a verifier, or with an error.
type finding struct {
	verifier *coreos.IDTokenVerifier
	err      error
}

// kept returns what need not be asked for now: a verifier, or a failure that is
// not long ago. ok is false where the provider is to be asked.
func (d *discovery) kept() (f finding, ok bool) {
	now := d.now()
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.verifier != nil && now.Sub(d.found) < rediscovery:
		return finding{verifier: d.verifier}, true
	case d.failed != nil && now.Sub(d.tried) < afterFailure:
		// An older document is better than none.
		if d.verifier != nil {
			return finding{verifier: d.verifier}, true
		}
		return finding{err: d.failed}, true
	}
	return finding{}, false
}

// keep remembers what a request found, and returns what is to be used.
func (d *discovery) keep(v *coreos.IDTokenVerifier, err error) (*coreos.IDTokenVerifier, error) {
	now := d.now()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tried, d.failed = now, err
	if err == nil {
		d.verifier, d.found = v, now
	}
	if d.verifier != nil {
		return d.verifier, nil
	}
	return nil, err
}

// discovered returns a verifier by the provider's discovery document, which is
// fetched again once an hour. While that fails, the document before is used.
func (p *Provider) discovered(ctx context.Context) (*coreos.IDTokenVerifier, error) {
	if f, ok := p.discovery.kept(); ok {
		return f.verifier, f.err
	}
	answer := p.discovery.asking.DoChan(p.config.Issuer, func() (any, error) {
		// It is for everybody who waits, and does not end with the first of them.
		asked := context.WithoutCancel(ctx)
		v, err := p.discover(asked)
		if err != nil {
			p.log.LogAttrs(asked, slog.LevelWarn, "the identity provider's discovery document cannot be read", slog.Any("error", err))
		}
		return p.discovery.keep(v, err)
	})
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case got := <-answer:
		v, _ := got.Val.(*coreos.IDTokenVerifier)
		return v, got.Err
	}
}

// discover asks the provider. The client's timeout bounds it.
func (p *Provider) discover(ctx context.Context) (*coreos.IDTokenVerifier, error) {
	client := coreos.ClientContext(ctx, p.http)
	found, err := coreos.NewProvider(client, p.config.Issuer)
	if err != nil {
		return nil, err
	}
	var document struct {
		Keys       string   `json:"jwks_uri"`
		Algorithms []string `json:"id_token_signing_alg_values_supported"`
	}
	if err := found.Claims(&document); err != nil {
		return nil, err
	}
	if err := checkKeys(document.Keys); err != nil {
		return nil, err
	}
	keys := keySet{coreos.NewRemoteKeySet(client, document.Keys)}
	return coreos.NewVerifier(p.config.Issuer, keys, &coreos.Config{
		ClientID: p.config.ClientID, SupportedSigningAlgs: asymmetric(document.Algorithms),
	}), nil
}

// checkKeys refuses keys that anybody on the way could exchange.
func checkKeys(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "":
		return errors.New("the discovery document names no jwks_uri")
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return fmt.Errorf("the discovery document's jwks_uri %q is not https", address)
	}
	return nil
}

// asymmetric keeps the algorithms that need the provider's private key. Without
// any, the library falls back to RS256.
func asymmetric(offered []string) (kept []string) {
	for _, a := range offered {
		switch a {
		case coreos.RS256, coreos.RS384, coreos.RS512, coreos.ES256, coreos.ES384, coreos.ES512, coreos.PS256, coreos.PS384, coreos.PS512, coreos.EdDSA:
			kept = append(kept, a)
		}
	}
	return kept
}
