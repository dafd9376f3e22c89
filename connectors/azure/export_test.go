package azure

import "time"

// NewImpatient returns the connector with another time limit for calls.
func NewImpatient(limit time.Duration) Connector {
	c := New()
	c.timeout = limit
	return c
}
