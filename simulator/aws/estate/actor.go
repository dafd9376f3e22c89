package estate

import (
	"slices"

	"github.com/gatehouse-project/gatehouse/simulator/aws/policy"
)

// actor is a session that can make requests: that of an IAM user, of a role, or of
// somebody who has taken a permission set in an account.
type actor struct {
	kind, id, arn string
	account       Account
	documents     []policy.Document
}

// actors are the users and roles of an account. A suspended one has none that
// could make requests.
func (e *Estate) actors(account Account) []actor {
	if account.Suspended {
		return nil
	}
	inv := e.Inventory(account.Index)
	all := make([]actor, 0, len(inv.Users)+len(inv.Roles))
	for _, u := range inv.Users {
		documents := inv.held(u.Identity)
		for _, name := range u.Groups {
			if g, ok := inv.Group(name); ok {
				documents = append(documents, inv.held(g.Identity)...)
			}
		}
		all = append(all, actor{KindUser, u.ID, u.ARN, account, documents})
	}
	for _, r := range inv.Roles {
		all = append(all, actor{KindRole, r.ID, r.ARN, account, inv.held(r.Identity)})
	}
	return all
}

// held are the policies of one user, group or role itself.
func (i *Inventory) held(of Identity) (all []policy.Document) {
	for _, arn := range of.Attached {
		if p, ok := i.Policy(arn); ok {
			all = append(all, p.DefaultVersion().Document)
		}
	}
	for _, p := range of.Inline {
		all = append(all, p.Document)
	}
	return all
}

// provisioned are the sessions that permission sets give in an account, each with
// those who may take it.
func (e *Estate) provisioned(account Account) (sessions []actor, holders [][]string) {
	if account.Suspended {
		return nil, nil
	}
	c, inv, at := e.Center, e.Inventory(account.Index), map[int]int{}
	for _, given := range c.Assignments[account.Index] {
		n, known := at[given.PermissionSet]
		if !known {
			n = len(sessions)
			at[given.PermissionSet] = n
			sessions = append(sessions, actor{kind: KindDirectoryUser, account: account, documents: inv.documents(c.PermissionSets[given.PermissionSet])})
			holders = append(holders, nil)
		}
		people := []int32{int32(given.Person)}
		if given.Group >= 0 {
			people = c.Groups[given.Group].Members
		}
		for _, person := range people {
			holders[n] = append(holders[n], c.UserID(int(person)))
		}
	}
	for n := range holders {
		slices.Sort(holders[n])
		holders[n] = slices.Compact(holders[n])
	}
	return sessions, holders
}

// mayAssume says whether an actor may take a role: its trust policy names the actor,
// or the actor's whole account and leaves it to the actor's own policies (IAM User
// Guide, "AWS account principals"). Over the border of an account they have to
// agree in either case ("Cross-account policy evaluation logic"). Conditions are
// taken to be met.
func (a actor) mayAssume(role Role, in Account) bool {
	named, whole := false, false
	for _, s := range role.Trust.Statement {
		if s.Effect != policy.Allow || s.Principal == nil || !s.Covers("sts:AssumeRole", role.ARN) {
			continue
		}
		named = named || slices.Contains(s.Principal.AWS, a.arn)
		whole = whole || slices.Contains(s.Principal.AWS, rootARN(a.account.ID))
	}
	if named && a.account.ID == in.ID {
		return true
	}
	return (named || whole) && a.id != role.ID && a.allows("sts:AssumeRole", role.ARN)
}

// allows weighs the actor's own policies, conditions taken to be met where they
// allow and not to be where they deny.
func (a actor) allows(action, resource string) bool {
	allowed := false
	for _, d := range a.documents {
		for _, s := range d.Statement {
			switch {
			case !s.Covers(action, resource):
			case s.Effect == policy.Allow:
				allowed = true
			case len(s.Condition) == 0:
				return false
			}
		}
	}
	return allowed
}
