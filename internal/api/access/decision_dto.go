package access

import (
	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/api/coverage"
	"github.com/gatehouse-project/gatehouse/internal/api/entity"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Decision is what would become of a request.
type Decision struct {
	Principal api.Nullable[entity.Ref]         `json:"principal" doc:"The principal or account that was asked about; null when an identity was."`
	Identity  api.Nullable[entity.IdentityRef] `json:"identity" doc:"The identity that was asked about; null when an entity was."`
	Action    string                           `json:"action" example:"s3:GetObject"`
	Resource  string                           `json:"resource" doc:"The provider's name of the resource." example:"arn:aws:s3:::payroll/may.csv"`
	Decision  string                           `json:"decision" enum:"allowed,denied,depends" doc:"Allowed and denied hold whatever is not known. Depends: allowed in one case and denied in another; the routes say on what."`
	Routes    []Route                          `json:"routes" nullable:"false" doc:"Ways that are not denied, best first, and what each account gets as itself; at most 20. The first certain way ends the search."`
	Undecided []id.Connection                  `json:"undecided_connection_ids" nullable:"false" doc:"Connections in which an identity has principals and of which requests are not decided; empty for an entity."`
	coverage.Basis
}

// Effective is the best way of an account to an action on a resource.
type Effective struct {
	Route
}

// Route is one way to make a request.
type Route struct {
	Decision string         `json:"decision" enum:"allowed,denied,depends"`
	Accounts []entity.Ref   `json:"accounts" nullable:"false" doc:"The account that begins, and those that it takes on one after the other; the last makes the request."`
	Steps    []DecisionStep `json:"steps" nullable:"false" doc:"Each assumption, and last the request itself."`
}

// DecisionStep is one request that is decided.
type DecisionStep struct {
	Action     string              `json:"action"`
	Resource   string              `json:"resource" doc:"What was decided about; with an asterisk at its end, any one with that beginning."`
	Decision   string              `json:"decision" enum:"allowed,denied,depends"`
	Explicit   bool                `json:"explicit" doc:"A statement denies; otherwise a denial means that in some layer none allows."`
	Layers     []DecisionLayer     `json:"layers" nullable:"false"`
	Statements []DecidingStatement `json:"statements" nullable:"false" doc:"What the decision rests on."`
	DependsOn  []DecisionNeed      `json:"depends_on" nullable:"false" doc:"Empty for allowed and denied."`
}

// DecisionLayer is what one kind of policy says.
type DecisionLayer struct {
	Layer  string   `json:"layer" doc:"The provider's kind of policy; for AWS identity, resource, permissions_boundary, session, service_control, resource_control." example:"identity"`
	Level  string   `json:"level,omitempty" doc:"Which of several of the kind, such as an organisational unit."`
	Allows string   `json:"allows" enum:"yes,no,unknown"`
	Denies string   `json:"denies" enum:"yes,no,unknown"`
	Unread []string `json:"unread" nullable:"false" doc:"What more may belong to it and is not known."`
}

// DecidingStatement is a statement that a decision rests on.
type DecidingStatement struct {
	Layer     string         `json:"layer"`
	Level     string         `json:"level,omitempty"`
	Policy    string         `json:"policy" doc:"The policy's name."`
	Entity    entity.Ref     `json:"entity" doc:"What holds the policy: an entitlement, or the resource or account whose own it is."`
	Statement string         `json:"statement,omitempty" doc:"The statement's id, or # and its place, from 0."`
	Effect    string         `json:"effect" enum:"allow,deny"`
	Applies   string         `json:"applies" enum:"yes,no,unknown"`
	DependsOn []DecisionNeed `json:"depends_on" nullable:"false"`
}

// DecisionNeed is something that is not known and that a decision depends on.
type DecisionNeed struct {
	Key      string   `json:"key,omitempty" doc:"The context key; left out for what is not about one." example:"aws:SourceIp"`
	Operator string   `json:"operator,omitempty" example:"IpAddress"`
	Values   []string `json:"values" nullable:"false" doc:"What the policy compares the key with."`
	Reason   string   `json:"reason"`
}
