package estate

import (
	"cmp"
	"slices"
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/aws/policy"
)

// Inventory is what one account contains, each list in the order in which AWS
// answers it: by name.
type Inventory struct {
	Account   Account
	Alias     string
	Users     []User
	Groups    []Group
	Roles     []Role
	Policies  []ManagedPolicy // those of the customer
	Buckets   []Bucket
	Functions []Function

	attachments map[string]int // policy ARN to number of users, groups and roles
	boundaries  map[string]int // policy ARN to number of users and roles
}

// Tag is a key and a value on a resource.
type Tag struct{ Key, Value string }

// InlinePolicy is embedded in one identity.
type InlinePolicy struct {
	Name     string
	Document policy.Document
}

// Identity is what users, groups and roles have in common.
type Identity struct {
	Name     string
	Path     string
	ID       string
	ARN      string
	Created  time.Time
	Attached []string // ARNs of managed policies
	Inline   []InlinePolicy
}

// Attachments is the number of users, groups and roles a policy is attached to.
func (i *Inventory) Attachments(policyARN string) int { return i.attachments[policyARN] }

// BoundaryUses is the number of users and roles that a policy bounds.
func (i *Inventory) BoundaryUses(policyARN string) int { return i.boundaries[policyARN] }

// User finds a user by name.
func (i *Inventory) User(name string) (*User, bool) {
	return find(i.Users, name, func(u *User) string { return u.Name })
}

// Group finds a group by name.
func (i *Inventory) Group(name string) (*Group, bool) {
	return find(i.Groups, name, func(g *Group) string { return g.Name })
}

// Role finds a role by name.
func (i *Inventory) Role(name string) (*Role, bool) {
	return find(i.Roles, name, func(r *Role) string { return r.Name })
}

// Bucket finds a bucket by name.
func (i *Inventory) Bucket(name string) (*Bucket, bool) {
	return find(i.Buckets, name, func(b *Bucket) string { return b.Name })
}

// Policy finds a policy by ARN among the customer's and those of AWS.
func (i *Inventory) Policy(arn string) (*ManagedPolicy, bool) {
	for n := range i.Policies {
		if i.Policies[n].ARN == arn {
			return &i.Policies[n], true
		}
	}
	return awsManagedPolicy(arn)
}

func find[T any](sorted []T, name string, nameOf func(*T) string) (*T, bool) {
	at, ok := slices.BinarySearchFunc(sorted, name, func(item T, name string) int { return cmp.Compare(nameOf(&item), name) })
	if !ok {
		return nil, false
	}
	return &sorted[at], true
}

func (e *Estate) makeInventory(account Account) *Inventory {
	inv := &Inventory{Account: account, Alias: e.Company.Slug + "-" + account.Name, attachments: map[string]int{}, boundaries: map[string]int{}}
	if account.Index == managementAccount {
		inv.Alias = account.Name
	}
	apps := e.apps(account)
	inv.Buckets = e.buckets(account, apps)
	inv.Functions = e.functions(account, apps)
	inv.Policies = e.policies(account, apps)
	inv.Groups = e.groups(account)
	inv.Roles = e.roles(account, apps)
	inv.Users = e.users(account, apps)

	slices.SortFunc(inv.Buckets, func(a, b Bucket) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(inv.Functions, func(a, b Function) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(inv.Policies, func(a, b ManagedPolicy) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(inv.Groups, func(a, b Group) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(inv.Roles, func(a, b Role) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(inv.Users, func(a, b User) int { return cmp.Compare(a.Name, b.Name) })
	for i := range inv.Users {
		e.issueKeys(account, i, &inv.Users[i])
	}
	inv.countAttachments()
	return inv
}

func (i *Inventory) countAttachments() {
	count := func(identity Identity, boundary string) {
		for _, arn := range identity.Attached {
			i.attachments[arn]++
		}
		if boundary != "" {
			i.boundaries[boundary]++
		}
	}
	for _, user := range i.Users {
		count(user.Identity, user.Boundary)
	}
	for _, group := range i.Groups {
		count(group.Identity, "")
	}
	for _, role := range i.Roles {
		count(role.Identity, role.Boundary)
	}
}

// identity fills in what follows from the kind, name and path.
func (e *Estate) identity(account Account, kind, path, name string) Identity {
	prefix := map[string]string{"user": prefixUser, "group": prefixGroup, "role": prefixRole}[kind]
	return Identity{
		Name: name, Path: path, ID: e.uniqueID(prefix, name, account.Index),
		ARN:     "arn:aws:iam::" + account.ID + ":" + kind + path + name,
		Created: e.before(30, 2000, "created/"+kind+name, account.Index),
	}
}

// apps are the applications that an account runs, from which its buckets,
// functions, roles and policies take their names.
func (e *Estate) apps(account Account) []string {
	if account.Suspended {
		return nil
	}
	names := []string{
		"orders", "invoices", "events", "profiles", "inventory", "statements", "telemetry", "tickets", "contracts", "media",
		"quotes", "sessions", "refunds", "forecasts", "webhooks", "audits",
	}
	first := e.draw.Intn(len(names), "first app", account.Index)
	apps := make([]string, e.draw.Between(3, 6, "apps", account.Index))
	for i := range apps {
		apps[i] = names[(first+i)%len(names)]
	}
	return apps
}
