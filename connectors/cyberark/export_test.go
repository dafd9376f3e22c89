package cyberark

import "time"

// NewImpatient returns the connector with another time limit for calls.
func NewImpatient(limit time.Duration) Connector {
	c := New()
	c.timeout = limit
	return c
}

// NewForSmallPages returns the connector as it reads tables of many pages, sending a
// page for each record or so.
func NewForSmallPages(rows int) Connector {
	c := New()
	c.rows, c.records = rows, 1
	return c
}
