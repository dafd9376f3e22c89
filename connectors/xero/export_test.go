package xero

import "time"

// NewImpatient returns the connector with another time limit for calls.
func NewImpatient(limit time.Duration) Connector { return Connector{timeout: limit} }
