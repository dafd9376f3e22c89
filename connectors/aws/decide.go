package aws

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connectors/aws/policy"
)

var _ connector.Decider = Connector{}

// Decide gathers the policies that bear on a request from the records, and
// has them evaluated.
func (Connector) Decide(ctx context.Context, r connector.AccessRequest, records connector.Records) (connector.AccessDecision, error) {
	d := decider{ctx, records}
	who, err := d.holder(r.Account)
	if err != nil {
		return connector.AccessDecision{}, err
	}
	if err := who.within(r.SessionPolicy); err != nil {
		return connector.AccessDecision{}, err
	}
	what, err := d.resource(r.Action, r.Resource, who)
	if err != nil {
		return connector.AccessDecision{}, err
	}
	return d.decide(r.Action, who, what, r.Context)
}

// decider decides one request by the records.
type decider struct {
	ctx     context.Context
	records connector.Records
}

// decide evaluates the request of an identity for a resource.
func (d decider) decide(action string, who holder, what target, given map[string][]string) (connector.AccessDecision, error) {
	layers := policy.Layers{
		Identity: who.policies, Boundary: who.boundary, Session: who.session,
		Resource: what.policies, ResourceDecides: what.decides, ResourceAccount: what.account,
	}
	from, err := d.place(who.account)
	if err != nil {
		return connector.AccessDecision{}, err
	}
	to := from
	if what.account != who.account {
		if to, err = d.place(what.account); err != nil {
			return connector.AccessDecision{}, err
		}
	}
	if !who.outsideControls {
		if layers.Controls, err = d.controls(from, typeServiceControl); err != nil {
			return connector.AccessDecision{}, err
		}
	}
	if underResourceControls(action) && !who.outsideControls {
		if layers.ResourceControls, err = d.controls(to, typeResourceControl); err != nil {
			return connector.AccessDecision{}, err
		}
	}
	request := policy.Request{Caller: who.caller, Action: action, Resource: what.arn, Context: contextOf(who, what, from, to)}
	for key, values := range given {
		request.Context = request.Context.With(key, values...)
	}
	return shown(request, policy.Evaluate(request, layers)), nil
}

// shown puts a verdict in the contract's words.
func shown(r policy.Request, v policy.Verdict) connector.AccessDecision {
	d := connector.AccessDecision{Outcome: connector.Outcome(v.Decision), Explicit: v.Explicit, Action: r.Action, Resource: r.Resource, Needs: needsOf(v.Needs)}
	for _, l := range v.Layers {
		d.Layers = append(d.Layers, connector.DecisionLayer{Layer: string(l.Layer), Level: l.Level, Allows: answerOf(l.Allows), Denies: answerOf(l.Denies), Unread: l.Unread})
	}
	for _, f := range v.Deciding() {
		s := connector.DecidingStatement{
			Layer: string(f.Layer), Level: f.Level, Policy: f.Policy, Key: f.Statement, Effect: connector.Allow, Applies: answerOf(f.Applies), Needs: needsOf(f.Needs),
		}
		if f.Effect == policy.Deny {
			s.Effect = connector.Deny
		}
		s.Record = refOf(f)
		d.Statements = append(d.Statements, s)
	}
	return d
}

// refOf names the entity that holds a finding's policy: a resource or trusting
// role holds its own.
func refOf(f policy.Finding) connector.Ref {
	switch {
	case f.Layer != policy.LayerResource:
		return entitlementRef(f.PolicyID)
	case isRoleID(f.PolicyID):
		return accountRef(f.PolicyID)
	}
	return resourceRef(f.PolicyID)
}

// isRoleID tells the unique id of a role from an ARN.
func isRoleID(id string) bool {
	_, isARN := accountOfARN(id)
	return !isARN
}

func needsOf(needs []policy.Dependency) []connector.DecisionNeed {
	var shown []connector.DecisionNeed
	for _, n := range needs {
		shown = append(shown, connector.DecisionNeed(n))
	}
	return shown
}

func answerOf(t policy.Truth) connector.Answer {
	switch t {
	case policy.True:
		return connector.Yes
	case policy.False:
		return connector.No
	}
	return connector.NotKnown
}

// described reads an entity's attributes. What cannot be decoded was not
// written by this connector and counts as not there.
func described[T any](e connector.Entity) (attributes T) {
	if len(e.Attributes) > 0 {
		if err := json.Unmarshal(e.Attributes, &attributes); err != nil {
			var none T
			return none
		}
	}
	return attributes
}

// add appends a policy's document to a layer, or why it is not known.
func add(l *policy.Layer, name, id string, document json.RawMessage) {
	if len(document) == 0 {
		l.Unread = append(l.Unread, "the text of "+name+" could not be read or kept")
		return
	}
	parsed, err := policy.Parse(string(document))
	if err != nil {
		l.Unread = append(l.Unread, "the text of "+name+" makes no sense: "+err.Error())
		return
	}
	l.Policies = append(l.Policies, policy.Policy{Name: name, ID: id, Document: parsed})
}

// complete reports whether a stream of an account was read completely.
func (d decider) complete(stream, account string) (bool, error) {
	return d.records.Complete(d.ctx, connector.Partition{Stream: stream, Key: account})
}

// appendOnce appends a reason unless it is there.
func appendOnce(list []string, text string) []string {
	if slices.Contains(list, text) {
		return list
	}
	return append(list, text)
}
