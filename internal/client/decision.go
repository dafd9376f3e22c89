package client

import (
	"context"
	"net/http"
	"net/url"
)

// Decision is what would become of a request.
type Decision struct {
	// Principal is zero when an Identity was asked about.
	Principal EntityRef    `json:"principal"`
	Identity  *IdentityRef `json:"identity"`
	Action    string       `json:"action"`
	Resource  string       `json:"resource"`
	// Decision is allowed, denied or depends.
	Decision string  `json:"decision"`
	Routes   []Route `json:"routes"`
	// Undecided are connections of an identity of which requests are not decided.
	Undecided []string `json:"undecided_connection_ids"`
	Basis
}

// Asked is who was asked about; an identity has the kind Identity.
func (d Decision) Asked() EntityRef { return asked(d.Principal, d.Identity) }

// Route is one way to make a request: as an account, or as those that it takes
// on one after the other.
type Route struct {
	Decision string         `json:"decision"`
	Accounts []EntityRef    `json:"accounts"`
	Steps    []DecisionStep `json:"steps"`
}

// DecisionStep is one request that is decided.
type DecisionStep struct {
	Action     string              `json:"action"`
	Resource   string              `json:"resource"`
	Decision   string              `json:"decision"`
	Explicit   bool                `json:"explicit"`
	Layers     []DecisionLayer     `json:"layers"`
	Statements []DecidingStatement `json:"statements"`
	DependsOn  []DecisionNeed      `json:"depends_on"`
}

// DecisionLayer is what one kind of policy says.
type DecisionLayer struct {
	Layer string `json:"layer"`
	Level string `json:"level"`
	// Allows and Denies are yes, no or unknown.
	Allows string `json:"allows"`
	Denies string `json:"denies"`
}

// DecidingStatement is a statement that a decision rests on.
type DecidingStatement struct {
	Layer     string `json:"layer"`
	Level     string `json:"level"`
	Policy    string `json:"policy"`
	Statement string `json:"statement"`
	// Effect is allow or deny.
	Effect  string `json:"effect"`
	Applies string `json:"applies"`
}

// DecisionNeed is something that is not known and that a decision depends on.
type DecisionNeed struct {
	Key      string   `json:"key"`
	Operator string   `json:"operator"`
	Values   []string `json:"values"`
	Reason   string   `json:"reason"`
}

// DecisionQuery asks whether a request would be allowed.
type DecisionQuery struct {
	// Principal is the id of a principal or account.
	Principal string
	Action    string
	// Resource is the id of a resource or the provider's name of one.
	Resource string
	// Context is key=value, or a key alone that is absent.
	Context []string
	// SessionPolicy limits the session that makes the request; empty for none.
	SessionPolicy string
	// AsOf is as in [AccessFilter].
	AsOf string
}

// Evaluate decides whether a request would be allowed.
func (c *Client) Evaluate(ctx context.Context, d DecisionQuery) (Answer[Decision], error) {
	q := url.Values{"principal": {d.Principal}, "action": {d.Action}, "resource": {d.Resource}, "context": d.Context}
	if len(d.Context) == 0 {
		q.Del("context")
	}
	if d.SessionPolicy != "" {
		q.Set("session_policy", d.SessionPolicy)
	}
	return send[Decision](ctx, c, call{method: http.MethodGet, path: "/v1/access/evaluate", query: dated(q, d.AsOf)})
}
