package app

import (
	"errors"

	"github.com/gatehouse-project/gatehouse/internal/api"
)

// Limits say how many requests a second a listener takes; zero is no limit. Who
// was quiet may send five seconds' worth at once.
type Limits struct {
	// PerKey is for each API key or session, PerWorkerToken for each token of a
	// worker or run, PerAddress for requests without an accepted credential, by
	// source address.
	PerKey, PerWorkerToken, PerAddress float64
	// TrustedProxies are the addresses and networks of proxies that may name the
	// source address in X-Forwarded-For.
	TrustedProxies []string
}

func (l Limits) parse() (api.Limits, error) {
	if l.PerKey < 0 || l.PerWorkerToken < 0 || l.PerAddress < 0 {
		return api.Limits{}, errors.New("rate limits must be 0, for none, or more")
	}
	proxies, err := api.ParseProxies(l.TrustedProxies)
	return api.Limits{PerKey: l.PerKey, PerWorkerToken: l.PerWorkerToken, PerAddress: l.PerAddress, TrustedProxies: proxies}, err
}
