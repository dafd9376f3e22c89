package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Since is since when a resource has been reached.
type Since struct {
	// From is zero when an Identity was asked about.
	From     EntityRef    `json:"from"`
	Identity *IdentityRef `json:"identity"`
	To       EntityRef    `json:"to"`
	// Since is nil when the resource is not reached now.
	Since         *time.Time `json:"since"`
	Intervals     []Interval `json:"intervals"`
	MoreIntervals bool       `json:"more_intervals"`
	Basis
}

// Asked is what was asked about; an identity has the kind Identity.
func (s Since) Asked() EntityRef { return asked(s.From, s.Identity) }

// Interval is a time in which a resource was reached in one way.
type Interval struct {
	From  time.Time  `json:"from"`
	Until *time.Time `json:"until"`
	// Decision is allowed, conditional or denied.
	Decision string `json:"decision"`
	// Began is added, first_observed, changed or history_begins.
	Began       string       `json:"began"`
	BeganRunID  string       `json:"began_run_id"`
	EndedRunID  string       `json:"ended_run_id"`
	Steps       []Step       `json:"steps"`
	NotObserved []Unobserved `json:"not_observed"`
}

// Unobserved is a time in which something could not be looked at.
type Unobserved struct {
	From  time.Time  `json:"from"`
	Until *time.Time `json:"until"`
}

// Since tells since when a resource has been reached; from may be an identity, and
// action is empty for any.
func (c *Client) Since(ctx context.Context, from, to, action string) (Answer[Since], error) {
	q := url.Values{"from": {from}, "to": {to}}
	if action != "" {
		q.Set("action", action)
	}
	return send[Since](ctx, c, call{method: http.MethodGet, path: "/v1/access/since", query: q})
}
