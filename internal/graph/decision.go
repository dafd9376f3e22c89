package graph

import (
	"context"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Deciders finds who can decide a provider's requests.
type Deciders interface {
	// Decider returns the integration's connector, or false when it decides
	// nothing.
	Decider(i integration.ID) (connector.Decider, bool)
}

// DecisionQuery asks whether a request would be let through.
type DecisionQuery struct {
	// Principal is a principal, by any of its accounts, or an account. Identity, when
	// set, asks in its place by all accounts of all principals.
	Principal EntityID
	Identity  IdentityID
	// Action is one action in the provider's terms, without wildcards.
	Action string
	// Resource is the id of a resource, or the provider's own name of one that
	// need not have been read.
	Resource string
	// Context is what is known of the request's circumstances, as in
	// [connector.AccessRequest].
	Context map[string][]string
	// SessionPolicy limits the session that makes the request, as in
	// [connector.AccessRequest]; those before it have none.
	SessionPolicy string
	AsOf          Moment
}

// Route is one way to make the request: as an account, or as one that it takes
// on, one after the other.
type Route struct {
	// Accounts are the one that begins and those that it takes on; the last
	// makes the request.
	Accounts []EntityID
	// Steps decide each assumption, and last the request.
	Steps   []connector.AccessDecision
	Outcome connector.Outcome
}

// Request is the route's last step.
func (r Route) Request() connector.AccessDecision { return r.Steps[len(r.Steps)-1] }

// DecisionAnswer is what would become of a request.
type DecisionAnswer struct {
	// Subject is zero when an Identity was asked about.
	Subject          Entity
	Identity         *Identity
	Action, Resource string
	Outcome          connector.Outcome
	// Routes are the ways that are not denied, best first, and what each account
	// gets as itself; at most 20.
	Routes []Route
	// Undecided are connections in which an identity has principals and of which
	// requests are not decided.
	Undecided []id.Connection
	// Truncated says that not every way was looked at. What was found denied
	// until then depends on the others.
	Truncated     bool
	AsOf          time.Time
	HistoryBegins *time.Time

	Entities map[EntityID]Entity
	Coverage []Coverage
}

// MaxContextKeys bounds what a question may say of a request's circumstances.
const MaxContextKeys = 50

// Decide answers whether a request of a principal would be let through.
func (q *Questions) Decide(ctx context.Context, c workspace.Caller, d DecisionQuery) (DecisionAnswer, error) {
	var answer DecisionAnswer
	if d.Action == "" {
		return answer, fault.InvalidField("query.action", "is empty; name one action, such as s3:GetObject")
	}
	if err := validAction(d.Action); err != nil {
		return answer, err
	}
	if err := validContext(d.Context); err != nil {
		return answer, err
	}
	if d.Identity != (IdentityID{}) {
		return q.decideForAll(ctx, c, d)
	}
	err := q.ask(ctx, c, d.AsOf, func(v View) error {
		subject, err := v.Entity(ctx, d.Principal)
		if err != nil {
			return err
		}
		if err := mustBe("query.principal", subject, connector.Principal, connector.Account); err != nil {
			return err
		}
		resource, _, err := resourceName(ctx, v, d.Resource, subject.Integration)
		if err != nil {
			return err
		}
		answer = DecisionAnswer{Subject: subject, Action: d.Action, Resource: resource, AsOf: v.Moment(), HistoryBegins: v.HistoryBegins()}
		s, err := q.search(v, c, subject)
		if err != nil {
			return err
		}
		s.action, s.resource, s.context, s.sessionPolicy = d.Action, resource, d.Context, d.SessionPolicy
		accounts, err := s.accountsOf(ctx, subject)
		if err != nil {
			return err
		}
		found, err := s.routes(ctx, accounts)
		if err != nil {
			return err
		}
		answer.Outcome, answer.Routes, answer.Truncated = found.outcome, found.routes, found.truncated
		return s.complete(ctx, &answer)
	})
	return answer, err
}

func validContext(given map[string][]string) error {
	if len(given) > MaxContextKeys {
		return fault.InvalidField("query.context", "names %d keys, more than %d", len(given), MaxContextKeys)
	}
	return nil
}

// search prepares to decide requests of accounts of the entity's connection.
func (q *Questions) search(v View, c workspace.Caller, of Entity) (*search, error) {
	var decider connector.Decider
	known := false
	if q.Deciders != nil {
		decider, known = q.Deciders.Decider(of.Integration)
	}
	if !known {
		return nil, fault.New(fault.Invalid, "requests to %s cannot be decided: the integration says what statements say, not what comes of them; ask who-can or why", of.Integration)
	}
	return &search{
		view: v, conn: of.Connection, decider: decider, records: newRecords(v, c.Scope.Workspace, of.Connection),
		workspace: c.Scope.Workspace, refs: map[connector.Ref]EntityID{},
		own: map[connector.Ref]connector.AccessDecision{}, assumptions: map[[2]connector.Ref]connector.AccessDecision{},
	}, nil
}

// resourceName is the provider's name of what an id or a name stands for, and whose
// it is when that is known. When the principal is of one integration, it has to be of
// that.
func resourceName(ctx context.Context, v View, text string, of integration.ID) (string, integration.ID, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return "", "", fault.InvalidField("query.resource", "is empty; give the id of a resource, or the provider's name of one")
	}
	if !strings.HasPrefix(text, entityPrefix) {
		return text, of, nil
	}
	e, err := ParseEntityID(text)
	if err != nil {
		return "", "", fault.InvalidField("query.resource", "is neither the id of an entity nor a provider's name")
	}
	found, err := v.Entity(ctx, e)
	if err != nil {
		return "", "", err
	}
	if err := mustBe("query.resource", found, connector.Resource); err != nil {
		return "", "", err
	}
	if of != "" && found.Integration != of {
		return "", "", fault.InvalidField("query.resource", "is of %s, and the principal of %s", found.Integration, of)
	}
	return found.ProviderID, found.Integration, nil
}
