package oidc

import "time"

// Advance moves the clock that a provider's discovery goes by. Nothing may be
// asking meanwhile.
func Advance(p *Provider, by time.Duration) {
	before := p.discovery.now
	p.discovery.now = func() time.Time { return before().Add(by) }
}
