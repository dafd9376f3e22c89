package access

import (
	"time"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/api/coverage"
	"github.com/gatehouse-project/gatehouse/internal/api/entity"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Access is that an account reaches a resource.
type Access struct {
	Principals  []entity.PrincipalRef    `json:"principals" nullable:"false" doc:"Who the account represents, and which persons or workloads that is; empty when nobody is known. At most 20."`
	Account     entity.Ref               `json:"account"`
	Resource    entity.Ref               `json:"resource"`
	Access      string                   `json:"access" enum:"direct,inherited" doc:"Direct: an entitlement that grants the resource itself is assigned to the account itself."`
	Decision    string                   `json:"decision" enum:"allowed,conditional,denied" doc:"What the statements found say together; not a full policy evaluation. Denied: unconditional denials cover all actions of every allow. Conditional: what is left of the allows holds on conditions, needs activation, or is denied on conditions."`
	Via         entity.Ref               `json:"via" doc:"The entitlement at the beginning of the shortest way."`
	ActingAs    api.Nullable[entity.Ref] `json:"acting_as" doc:"The account that is assumed on the shortest way; null when none is."`
	Hops        int                      `json:"hops" doc:"Edges of the shortest way from the account to the resource."`
	Actions     []string                 `json:"actions" nullable:"false" doc:"Actions that the allows name, in the provider's terms; at most 50. An asterisk stands for all that an entitlement gives."`
	MoreActions bool                     `json:"more_actions,omitempty"`
	Allows      []Ground                 `json:"allows" nullable:"false" doc:"At most 20."`
	Denies      []Ground                 `json:"denies" nullable:"false" doc:"At most 20."`
	MoreGrounds bool                     `json:"more_grounds,omitempty"`
	Effective   api.Nullable[Effective]  `json:"effective" doc:"What would become of the request for the action, by the best way; null unless asked for."`
}

// Ground is one grant that allows or denies.
type Ground struct {
	ActingAs    api.Nullable[entity.Ref] `json:"acting_as" doc:"The account that is assumed; null when the account acts as itself."`
	Via         entity.Ref               `json:"via" doc:"The entitlement that the acting account is assigned."`
	Entitlement entity.Ref               `json:"entitlement" doc:"The entitlement that grants; may be the same."`
	Hops        int                      `json:"hops"`
	Conditional bool                     `json:"conditional" doc:"A condition or an activation stands somewhere on the way."`
	Terms
}

// Terms are what an edge says.
type Terms struct {
	Key        string                   `json:"key,omitempty" doc:"Tells apart several statements between the same two ends."`
	Effect     string                   `json:"effect" enum:"allow,deny"`
	Actions    []string                 `json:"actions" nullable:"false" doc:"Empty means all that the entitlement stands for."`
	NotActions []string                 `json:"not_actions" nullable:"false"`
	Conditions api.Nullable[api.Object] `json:"conditions" doc:"In the provider's own form; null when there are none."`
	Given      string                   `json:"given" enum:"direct,eligible,inherited"`
	ExpiresAt  *time.Time               `json:"expires_at"`
}

// Total is how many rows an answer has over all pages.
type Total struct {
	Count             *int `json:"count,omitempty" doc:"Only when asked for; up to 10,000."`
	CountIsLowerBound bool `json:"count_is_lower_bound,omitempty" doc:"There may be more than count."`
}

// Principals is a page of who can reach a resource.
type Principals struct {
	Resource   entity.Ref `json:"resource"`
	Principals []Access   `json:"principals" nullable:"false"`
	NextCursor string     `json:"next_cursor,omitempty" doc:"A page may have fewer rows than its limit, even none, while there is a next one."`
	Total
	coverage.Basis
}

// Identities is a page of which persons and workloads can reach a resource.
type Identities struct {
	Resource     entity.Ref       `json:"resource"`
	Identities   []IdentityAccess `json:"identities" nullable:"false"`
	NextCursor   string           `json:"next_cursor,omitempty" doc:"A page may have fewer rows than its limit, even none, while there is a next one."`
	AccountCount *int             `json:"account_count,omitempty" doc:"How many accounts the rows of all pages have; only when asked for, up to 10,000."`
	Total
	coverage.Basis
}

// IdentityAccess is that a person or workload reaches a resource.
type IdentityAccess struct {
	Identity api.Nullable[entity.IdentityRef] `json:"identity" doc:"Null for an account through which nobody is known to act."`
	Decision string                           `json:"decision" enum:"allowed,conditional,denied" doc:"The best of all ways."`
	Access   string                           `json:"access" enum:"direct,inherited" doc:"Direct when one of the ways is."`
	Accounts int                              `json:"accounts" doc:"How many accounts there are ways by."`
	Ways     []Access                         `json:"ways" nullable:"false" doc:"One for each account; at most 20."`
}

// Resources is a page of what a principal or account can reach.
type Resources struct {
	Principal  api.Nullable[entity.Ref]         `json:"principal" doc:"The principal or account that was asked about; null when an identity was."`
	Identity   api.Nullable[entity.IdentityRef] `json:"identity" doc:"The identity that was asked about; null when an entity was."`
	Resources  []Access                         `json:"resources" nullable:"false"`
	NextCursor string                           `json:"next_cursor,omitempty" doc:"A page may have fewer rows than its limit, even none, while there is a next one."`
	Total
	coverage.Basis
}

// Paths is how one entity reaches another.
type Paths struct {
	From     api.Nullable[entity.Ref]         `json:"from" doc:"Null when an identity was asked about: each path then begins at one of its principals."`
	Identity api.Nullable[entity.IdentityRef] `json:"identity" doc:"The identity that was asked about; null when an entity was."`
	To       entity.Ref                       `json:"to"`
	Paths    []Path                           `json:"paths" nullable:"false" doc:"Shortest first."`
	coverage.Basis
}

// Path is a way on which no entity comes twice.
type Path struct {
	Effect string `json:"effect" enum:"allow,deny" doc:"Deny when some step is made by denying edges alone."`
	Hops   int    `json:"hops"`
	Steps  []Step `json:"steps" nullable:"false"`
}

// Step is one hop of a path.
type Step struct {
	Kind      string     `json:"kind" example:"account_assigned_entitlement"`
	From      entity.Ref `json:"from"`
	To        entity.Ref `json:"to"`
	Edges     []Edge     `json:"edges" nullable:"false" doc:"All edges that make the step, at most 20."`
	MoreEdges bool       `json:"more_edges,omitempty"`
}

// Edge is one relationship, and where it was seen.
type Edge struct {
	Terms
	FirstSeenRunID id.Run        `json:"first_seen_run_id" example:"run_123"`
	ConnectionID   id.Connection `json:"connection_id" example:"conn_12"`
	Stream         string        `json:"stream"`
	Partition      string        `json:"partition"`
	ValidFrom      time.Time     `json:"valid_from"`
}
