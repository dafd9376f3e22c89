package aws

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// A role that trusts a whole account leaves it to that account's policies who
// may assume it (IAM user guide, "AWS account principals"). delegates knows
// which users and roles of an account have policies that speak of assuming
// roles, so that such a trust can be shown as what it comes to.
type delegates struct {
	// policies and groups are what has such statements, by the policy's ARN
	// and the group's lower-case name.
	policies map[string][]delegation
	groups   map[string][]delegation
	holders  []delegate // in the order AWS lists them
}

// delegate is a user or role with the delegations that reach it.
type delegate struct {
	id   string
	held []delegation
}

// delegation is one statement about assuming roles and the policy it is in.
type delegation struct {
	policy    string // id of the entitlement
	statement statement
}

func newDelegates() delegates {
	return delegates{policies: map[string][]delegation{}, groups: map[string][]delegation{}}
}

func (d *delegates) add(account string, out *iam.GetAccountAuthorizationDetailsOutput) {
	for _, p := range out.Policies {
		if found := delegationsOf(managedPolicyID(p, account), defaultDocument(p)); found != nil {
			d.policies[aws.ToString(p.Arn)] = found
		}
	}
	for _, g := range out.GroupDetailList {
		if found := d.gather(aws.ToString(g.GroupId), g.AttachedManagedPolicies, g.GroupPolicyList); found != nil {
			d.groups[strings.ToLower(aws.ToString(g.GroupName))] = found
		}
	}
	for _, u := range out.UserDetailList {
		found := d.gather(aws.ToString(u.UserId), u.AttachedManagedPolicies, u.UserPolicyList)
		for _, group := range u.GroupList {
			found = append(found, d.groups[strings.ToLower(group)]...)
		}
		if found != nil {
			d.holders = append(d.holders, delegate{aws.ToString(u.UserId), found})
		}
	}
	for _, r := range out.RoleDetailList {
		if found := d.gather(aws.ToString(r.RoleId), r.AttachedManagedPolicies, r.RolePolicyList); found != nil {
			d.holders = append(d.holders, delegate{aws.ToString(r.RoleId), found})
		}
	}
}

func (d *delegates) gather(owner string, attached []types.AttachedPolicy, inline []types.PolicyDetail) (found []delegation) {
	for _, p := range attached {
		found = append(found, d.policies[aws.ToString(p.PolicyArn)]...)
	}
	for _, p := range inline {
		found = append(found, delegationsOf(inlineID(owner, aws.ToString(p.PolicyName)), aws.ToString(p.PolicyDocument))...)
	}
	return found
}

// delegationsOf returns the statements of a policy that speak of assuming
// roles. A policy that cannot be read has none; the iam stream says that it
// could not be read.
func delegationsOf(policy, text string) (found []delegation) {
	d, err := parseDocument(text)
	if err != nil {
		return nil
	}
	for _, s := range d.Statements {
		if s.Covers("sts:AssumeRole") {
			// What else the statement allows is of no use here and would
			// be held for the whole run.
			found = append(found, delegation{policy, s.onRoles()})
		}
	}
	return found
}

// assumer is a delegate whose policies let it assume a certain role.
type assumer struct {
	id        string
	allowedBy []string
	deniedBy  []string
	// conditional says that each of the allowing statements has a condition.
	conditional bool
}

// assumers says which delegates a role's trust in their account comes to.
// Whoever is denied without a condition is left out; a denial with one is
// named.
func (d *delegates) assumers(roleARN string) (found []assumer) {
holders:
	for _, h := range d.holders {
		a := assumer{id: h.id, conditional: true}
		for _, x := range h.held {
			if !x.statement.namesRole(roleARN) {
				continue
			}
			hasCondition := x.statement.terms().Conditions != nil
			switch {
			case x.statement.Effect == "Allow":
				a.allowedBy = append(a.allowedBy, x.policy)
				a.conditional = a.conditional && hasCondition
			case !hasCondition:
				continue holders
			default:
				a.deniedBy = append(a.deniedBy, x.policy)
			}
		}
		if a.allowedBy != nil {
			slices.Sort(a.allowedBy)
			a.allowedBy = slices.Compact(a.allowedBy)
			slices.Sort(a.deniedBy)
			a.deniedBy = slices.Compact(a.deniedBy)
			found = append(found, a)
		}
	}
	return found
}

// namesRole reports whether the statement's resources cover the role. A denial
// whose pattern depends on the request is not taken to cover it.
func (s statement) namesRole(arn string) bool {
	matches := func(pattern string) bool {
		if s.Effect == "Deny" && strings.Contains(pattern, "${") {
			return false
		}
		return coverage(pattern, arn, "/").itself
	}
	if len(s.NotResource) > 0 {
		return !slices.ContainsFunc(s.NotResource, matches)
	}
	return slices.ContainsFunc(s.Resource, matches)
}
