package aws

import "time"

// rateLimit counts calls as AWS does: by a token bucket for each account and
// service. The bucket of EC2's documentation ("Throttling for the Amazon EC2 API")
// is the only one whose workings AWS tells.
type rateLimit struct {
	buckets map[rateKey]*rateBucket
}

type rateKey struct{ account, service string }

type rateBucket struct {
	tokens float64
	at     time.Time
}

// exceeded takes a token for the call, and reports whether there was none.
func (l *rateLimit) exceeded(c *call, perSecond float64, burst int) bool {
	key := rateKey{c.caller.account.ID, c.service.name}
	b, ok := l.buckets[key]
	if !ok {
		if l.buckets == nil {
			l.buckets = map[rateKey]*rateBucket{}
		}
		b = &rateBucket{tokens: float64(burst), at: c.at}
		l.buckets[key] = b
	}
	if passed := c.at.Sub(b.at).Seconds(); passed > 0 {
		b.tokens, b.at = min(float64(burst), b.tokens+passed*perSecond), c.at
	}
	if b.tokens < 1 {
		return true
	}
	b.tokens--
	return false
}
