package access

import (
	"context"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/api/coverage"
	"github.com/gatehouse-project/gatehouse/internal/api/entity"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

type evaluateInput struct {
	Principal entity.QueryWho `query:"principal" required:"true" doc:"A principal, by any of its accounts, or an account; or an identity, by all accounts of its principals."`
	Action    string          `query:"action" required:"true" minLength:"1" maxLength:"256" doc:"One action of the provider, without wildcards." example:"s3:GetObject"`
	Resource  string          `query:"resource" required:"true" minLength:"1" maxLength:"2048" doc:"The id of a resource (ent_…), or the provider's name of one, which need not have been read." example:"arn:aws:s3:::payroll/may.csv"`
	Context   []string        `query:"context,explode" maxItems:"50" doc:"What is known of the circumstances: key=value, once for each value; a key alone says that it is absent. Keys that are not named are unknown, unless the graph tells." example:"[\"aws:SourceIp=203.0.113.7\"]"`
	Session   string          `query:"session_policy" maxLength:"8192" doc:"A policy in the provider's language that limits the session that makes the request; of AWS, at most 2,048 characters."`
	entity.Dated
}

type evaluateOutput struct{ Body Decision }

func evaluate(questions *graph.Questions) func(context.Context, *evaluateInput) (*evaluateOutput, error) {
	return func(ctx context.Context, in *evaluateInput) (*evaluateOutput, error) {
		given, err := circumstances(in.Context)
		if err != nil {
			return nil, err
		}
		answer, err := questions.Decide(ctx, api.CallerFrom(ctx), graph.DecisionQuery{
			Principal: in.Principal.ID, Identity: in.Principal.Identity, Action: in.Action, Resource: in.Resource, Context: given, SessionPolicy: in.Session, AsOf: in.AsOf.Moment,
		})
		if err != nil {
			return nil, err
		}
		n := naming(answer.Entities)
		shown := Decision{
			Action: answer.Action, Resource: answer.Resource, Decision: string(answer.Outcome),
			Routes: []Route{}, Basis: coverage.BasisOf(answer.AsOf, answer.HistoryBegins, answer.Truncated, answer.Coverage),
		}
		shown.Principal, shown.Identity = asked(answer.Subject, answer.Identity)
		shown.Undecided = append([]id.Connection{}, answer.Undecided...)
		for _, r := range answer.Routes {
			shown.Routes = append(shown.Routes, n.route(r))
		}
		return &evaluateOutput{Body: shown}, nil
	}
}

// circumstances reads key=value; a key without a value is absent.
func circumstances(given []string) (map[string][]string, error) {
	read := map[string][]string{}
	spelt := map[string]string{}
	for _, one := range given {
		key, value, valued := strings.Cut(one, "=")
		if key == "" || strings.ContainsAny(key, "\x00 ") {
			return nil, fault.InvalidField("query.context", "%q is neither key=value nor a key", one)
		}
		// Whoever spells a key twice means one key.
		first, again := spelt[strings.ToLower(key)]
		if !again {
			first = key
			spelt[strings.ToLower(key)] = key
		}
		if again && (!valued || len(read[first]) == 0) {
			return nil, fault.InvalidField("query.context", "says of %s that it is absent, and something else besides", key)
		}
		if valued {
			read[first] = append(read[first], value)
		} else {
			read[first] = nil
		}
	}
	return read, nil
}

func (n naming) effective(r graph.Route) Effective { return Effective{n.route(r)} }

func (n naming) route(r graph.Route) Route {
	if len(r.Accounts) > 0 {
		// Two connections may have read the same policies.
		n = n.of(n.entity(r.Accounts[0]).Connection)
	}
	shown := Route{Decision: string(r.Outcome), Accounts: []entity.Ref{}, Steps: []DecisionStep{}}
	for _, a := range r.Accounts {
		shown.Accounts = append(shown.Accounts, n.ref(a))
	}
	for _, s := range r.Steps {
		shown.Steps = append(shown.Steps, n.step(s))
	}
	return shown
}

func (n naming) step(d connector.AccessDecision) DecisionStep {
	shown := DecisionStep{
		Action: d.Action, Resource: d.Resource, Decision: string(d.Outcome), Explicit: d.Explicit,
		Layers: []DecisionLayer{}, Statements: []DecidingStatement{}, DependsOn: needs(d.Needs),
	}
	for _, l := range d.Layers {
		shown.Layers = append(shown.Layers, DecisionLayer{
			Layer: l.Layer, Level: l.Level, Allows: string(l.Allows), Denies: string(l.Denies), Unread: append([]string{}, l.Unread...),
		})
	}
	for _, s := range d.Statements {
		shown.Statements = append(shown.Statements, DecidingStatement{
			Layer: s.Layer, Level: s.Level, Policy: s.Policy, Entity: n.holder(s.Record), Statement: s.Key,
			Effect: string(s.Effect), Applies: string(s.Applies), DependsOn: needs(s.Needs),
		})
	}
	return shown
}

// of is what is named of one connection.
func (n naming) of(c id.Connection) naming {
	some := naming{}
	for e, entity := range n {
		if entity.Connection == c {
			some[e] = entity
		}
	}
	return some
}

// holder names what holds a policy by the provider's id, which is unique in its
// connection.
func (n naming) holder(ref connector.Ref) entity.Ref {
	for _, e := range n {
		if e.Kind == ref.Kind && e.ProviderID == ref.ID {
			return entity.RefTo(e)
		}
	}
	return entity.Ref{Kind: string(ref.Kind), ProviderID: ref.ID}
}

func needs(of []connector.DecisionNeed) []DecisionNeed {
	shown := []DecisionNeed{}
	for _, d := range of {
		shown = append(shown, DecisionNeed{Key: d.Key, Operator: d.Operator, Values: append([]string{}, d.Values...), Reason: d.Reason})
	}
	return shown
}
