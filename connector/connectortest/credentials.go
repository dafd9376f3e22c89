package connectortest

import (
	"context"
	"sync"

	"github.com/gatehouse-project/gatehouse/connector"
)

// Credentials keep a renewable secret in memory, as the platform does in its database.
// Sessions of one connection share one.
type Credentials struct {
	mu       sync.Mutex
	secret   string
	renewals int
	refused  bool
}

var _ connector.Credentials = (*Credentials)(nil)

// NewCredentials keeps a secret.
func NewCredentials(secret string) *Credentials { return &Credentials{secret: secret} }

// Renew has one session at a time exchange the secret.
func (c *Credentials) Renew(ctx context.Context, exchange func(context.Context, string) (connector.Renewed, error)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	renewed, err := exchange(ctx, c.secret)
	if err != nil {
		c.refused = connector.RefusedForGood(err)
		return err
	}
	c.renewals++
	if renewed.Secret != "" {
		c.secret = renewed.Secret
	}
	return nil
}

// Renewals is how often the secret was exchanged.
func (c *Credentials) Renewals() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.renewals
}

// Refused reports whether the provider refused the secret for good.
func (c *Credentials) Refused() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.refused
}

// Secret is the one that is kept now.
func (c *Credentials) Secret() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.secret
}
