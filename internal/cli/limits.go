package cli

// limits is the flags of the commands that listen.
type limits struct {
	RateLimit        float64  `default:"200" env:"GATEHOUSE_RATE_LIMIT" placeholder:"N" group:"Limits:" help:"Requests a second of each API key or session, five times as many at once; 0 for no limit (${default})."`
	RateLimitAddress float64  `default:"50" env:"GATEHOUSE_RATE_LIMIT_ADDRESS" placeholder:"N" group:"Limits:" help:"The same of each source address, for requests without a credential that was accepted before (${default})."`
	RateLimitWorker  float64  `default:"1000" env:"GATEHOUSE_RATE_LIMIT_WORKER" placeholder:"N" group:"Limits:" help:"The same of each token of the worker protocol: the workers' common one, and that of each run (${default})."`
	TrustedProxies   []string `env:"GATEHOUSE_TRUSTED_PROXIES" placeholder:"NETWORK" group:"Limits:" help:"Proxies whose X-Forwarded-For names the source address, such as 10.0.0.0/8; none without it."`
}

func (l limits) requestLimits() Limits {
	return Limits{
		PerKey: l.RateLimit, PerAddress: l.RateLimitAddress, PerWorkerToken: l.RateLimitWorker, TrustedProxies: l.TrustedProxies,
	}
}

// Limits say how many requests a second a listener takes; zero is no limit.
type Limits struct {
	PerKey, PerWorkerToken, PerAddress float64
	// TrustedProxies may name the source address.
	TrustedProxies []string
}
