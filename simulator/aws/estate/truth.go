package estate

import (
	"fmt"

	"github.com/gatehouse-project/gatehouse/simulator/aws/policy"
)

// Verdict is what the policies of a permission set say of an action.
type Verdict string

// The verdicts. Conditional ones depend on what only a request would tell.
const (
	Allowed     Verdict = "allowed"
	Conditional Verdict = "conditional"
	Denied      Verdict = "denied"
)

// Reach is one way in which somebody reaches a bucket over Identity Center: a
// permission set that they hold in the bucket's account, as a member of a group or
// by themselves.
type Reach struct {
	UserID        string  `json:"user_id"`
	Email         string  `json:"email"`
	Enabled       bool    `json:"enabled"`
	Account       string  `json:"account"`
	PermissionSet string  `json:"permission_set"`
	Group         string  `json:"group,omitempty"`
	Verdict       Verdict `json:"verdict"`
	// Bounded says that a permissions boundary may take away from it.
	Bounded bool `json:"bounded,omitempty"`
}

// Truth lists who reaches the objects of a bucket with an action over Identity
// Center, by the statements of the policies of their permission sets alone: it is
// what a reader of the estate has to find, made from what the estate is made of.
// Ways on which nothing allows are left out. The bucket's own policy and service
// control policies are not looked at.
func (e *Estate) Truth(bucket, action string) ([]Reach, error) {
	for _, account := range e.Organization.Accounts {
		inv := e.Inventory(account.Index)
		if _, ok := inv.Bucket(bucket); ok {
			return e.truthIn(inv, bucket, action), nil
		}
	}
	return nil, fmt.Errorf("there is no bucket %q", bucket)
}

func (e *Estate) truthIn(inv *Inventory, bucket, action string) []Reach {
	c, found := e.Center, []Reach{}
	for _, given := range c.Assignments[inv.Account.Index] {
		set := c.PermissionSets[given.PermissionSet]
		verdict := verdictOn(inv.documents(set), action, "arn:aws:s3:::"+bucket+"/object")
		if verdict == "" {
			continue
		}
		holders, group := []int32{int32(given.Person)}, ""
		if given.Group >= 0 {
			holders, group = c.Groups[given.Group].Members, c.Groups[given.Group].Name
		}
		for _, person := range holders {
			user := c.User(int(c.positions[person]))
			found = append(found, Reach{
				UserID: user.ID, Email: user.Person.Email, Enabled: user.Enabled, Account: inv.Account.ID, PermissionSet: set.Name, Group: group,
				Verdict: verdict, Bounded: set.BoundaryARN != "" || set.BoundaryReference != nil,
			})
		}
	}
	return found
}

// documents are the policies of a permission set in an account.
func (i *Inventory) documents(set PermissionSet) []policy.Document {
	var all []policy.Document
	add := func(arn string) {
		if p, ok := i.Policy(arn); ok {
			all = append(all, p.DefaultVersion().Document)
		}
	}
	for _, arn := range set.AWSManaged {
		add(arn)
	}
	for _, reference := range set.Customer {
		add(customerPolicyARN(i.Account, reference.Path, reference.Name))
	}
	if set.Inline != nil {
		all = append(all, *set.Inline)
	}
	return all
}

// verdictOn weighs statements; empty when nothing allows.
func verdictOn(documents []policy.Document, action, resource string) Verdict {
	var allow, deny, doubt, some bool
	for _, document := range documents {
		for _, s := range document.Statement {
			if !s.Covers(action, resource) {
				continue
			}
			conditional := len(s.Condition) > 0
			switch {
			case s.Effect == policy.Deny && conditional:
				doubt = true
			case s.Effect == policy.Deny:
				deny = true
			case conditional:
				some = true
			default:
				some, allow = true, true
			}
		}
	}
	switch {
	case !some:
		return ""
	case deny:
		return Denied
	case allow && !doubt:
		return Allowed
	}
	return Conditional
}
