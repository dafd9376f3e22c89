package aws

import (
	"context"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
)

// Assumable returns the roles whose trust policies speak of an account, and of
// everyone, and those behind the permission sets of an Identity Center user.
func (Connector) Assumable(ctx context.Context, account connector.Ref, records connector.Records) ([]connector.Ref, error) {
	d := decider{ctx, records}
	var found []connector.Ref
	for _, from := range []connector.Ref{account, accountRef("*")} {
		assumes, _, err := records.From(ctx, connector.AccountAssumesAccount, from)
		if err != nil {
			return nil, err
		}
		for _, r := range assumes {
			if r.To != account && (r.Terms == nil || r.Terms.Effect != connector.Deny) && !slices.Contains(found, r.To) {
				found = append(found, r.To)
			}
		}
	}
	behind, err := d.behindSets(account)
	if err != nil {
		return nil, err
	}
	for _, s := range behind {
		if !slices.Contains(found, s.role) {
			found = append(found, s.role)
		}
	}
	return found, nil
}

// DecideAssumption decides sts:AssumeRole by both sides. A user of Identity
// Center takes the role of a permission set by being assigned to it; nothing
// else is asked.
func (Connector) DecideAssumption(ctx context.Context, from, to connector.Ref, given map[string][]string, records connector.Records) (connector.AccessDecision, error) {
	d := decider{ctx, records}
	e, found, err := records.Entity(ctx, to)
	if err != nil {
		return connector.AccessDecision{}, err
	}
	a := described[identityAttributes](e)
	if !found || e.Type != typeRole {
		return connector.AccessDecision{
			Outcome: connector.OutcomeDepends, Action: permAssumeRole, Resource: to.ID,
			Needs: []connector.DecisionNeed{{Reason: "the role was not read"}},
		}, nil
	}
	behind, err := d.behindSets(from)
	if err != nil {
		return connector.AccessDecision{}, err
	}
	for _, s := range behind {
		if s.role == to {
			return connector.AccessDecision{
				Outcome: connector.OutcomeAllowed, Action: permAssumeRole, Resource: a.ARN,
				Statements: []connector.DecidingStatement{{Layer: typePermissionSet, Policy: s.name, Record: s.set, Effect: connector.Allow, Applies: connector.Yes}},
			}, nil
		}
	}
	who, err := d.holder(from)
	if err != nil {
		return connector.AccessDecision{}, err
	}
	what := target{arn: a.ARN, account: a.Account}
	what.trusted(to.ID, e.Name, a.TrustPolicy)
	// Whoever comes with another provider's identity has an operation of its own.
	action := permAssumeRole
	if provider, ok := strings.CutPrefix(from.ID, "arn:"); ok && strings.Contains(provider, ":saml-provider/") {
		action = "sts:AssumeRoleWithSAML"
	} else if fe, ok, err := records.Entity(ctx, from); err != nil {
		return connector.AccessDecision{}, err
	} else if ok && fe.Type == typeFederated {
		action = "sts:AssumeRoleWithWebIdentity"
	}
	return d.decide(action, who, what, given)
}

// behindSet is the role behind a permission set that somebody is assigned to.
type behindSet struct {
	set, role connector.Ref
	name      string
}

// behindSets finds the permission sets of an Identity Center user, its own and
// its groups', and the roles that Identity Center made for them.
func (d decider) behindSets(account connector.Ref) ([]behindSet, error) {
	e, found, err := d.records.Entity(d.ctx, account)
	if err != nil || !found || e.Type != typeDirectoryUser {
		return nil, err
	}
	held, _, err := d.records.From(d.ctx, connector.AccountAssignedEntitlement, account)
	if err != nil {
		return nil, err
	}
	var behind []behindSet
	for _, h := range held {
		group, found, err := d.records.Entity(d.ctx, h.To)
		if err != nil {
			return nil, err
		}
		if !found {
			continue
		}
		sets := []connector.Ref{h.To}
		if group.Type == typeDirectoryGroup {
			included, _, err := d.records.From(d.ctx, connector.EntitlementIncludesEntitlement, h.To)
			if err != nil {
				return nil, err
			}
			sets = nil
			for _, r := range included {
				sets = append(sets, r.To)
			}
		}
		for _, set := range sets {
			if behind, err = d.addBehind(behind, set); err != nil {
				return nil, err
			}
		}
	}
	return behind, nil
}

// addBehind adds the role behind a permission set, which what the set includes
// was read from.
func (d decider) addBehind(behind []behindSet, set connector.Ref) ([]behindSet, error) {
	e, found, err := d.records.Entity(d.ctx, set)
	if err != nil || !found || e.Type != typePermissionSet {
		return behind, err
	}
	included, _, err := d.records.From(d.ctx, connector.EntitlementIncludesEntitlement, set)
	if err != nil {
		return behind, err
	}
	for _, r := range included {
		id := described[struct {
			Role string `json:"role"`
		}](connector.Entity{Attributes: r.Attributes}).Role
		if s := (behindSet{set, accountRef(id), e.Name}); id != "" && !slices.Contains(behind, s) {
			behind = append(behind, s)
		}
	}
	return behind, nil
}
