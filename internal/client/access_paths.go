package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Paths is how one entity reaches another.
type Paths struct {
	// From is zero when an Identity was asked about.
	From     EntityRef    `json:"from"`
	Identity *IdentityRef `json:"identity"`
	To       EntityRef    `json:"to"`
	Paths    []Path       `json:"paths"`
	Basis
}

// Asked is what the paths begin at; an identity has the kind Identity.
func (p Paths) Asked() EntityRef { return asked(p.From, p.Identity) }

// Path is one way, edge by edge.
type Path struct {
	// Effect is allow or deny.
	Effect string `json:"effect"`
	Hops   int    `json:"hops"`
	Steps  []Step `json:"steps"`
}

// Step is one hop and all edges that make it.
type Step struct {
	// Kind is a kind of relationship, such as account_assigned_entitlement.
	Kind      string    `json:"kind"`
	From      EntityRef `json:"from"`
	To        EntityRef `json:"to"`
	Edges     []Edge    `json:"edges"`
	MoreEdges bool      `json:"more_edges"`
}

// Edge is one relationship, what it says and who saw it.
type Edge struct {
	Key        string          `json:"key"`
	Effect     string          `json:"effect"`
	Actions    []string        `json:"actions"`
	NotActions []string        `json:"not_actions"`
	Conditions json.RawMessage `json:"conditions"`
	// Given is direct, eligible or inherited.
	Given          string     `json:"given"`
	ExpiresAt      *time.Time `json:"expires_at"`
	FirstSeenRunID string     `json:"first_seen_run_id"`
	Stream         string     `json:"stream"`
	Partition      string     `json:"partition"`
	ValidFrom      time.Time  `json:"valid_from"`
}

// Paths returns the shortest ways from one entity to another: at most limit of
// them (1 to 50), of at most depth edges (1 to 12), as they were at a moment, or
// are now when that is empty. From may be an identity.
func (c *Client) Paths(ctx context.Context, from, to string, limit, depth int, asOf string) (Answer[Paths], error) {
	q := url.Values{"from": {from}, "to": {to}, "limit": {strconv.Itoa(limit)}, "depth": {strconv.Itoa(depth)}}
	return send[Paths](ctx, c, call{method: http.MethodGet, path: "/v1/access/paths", query: dated(q, asOf)})
}
