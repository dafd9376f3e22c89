package estate

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/simulator/aws/policy"
)

// The kinds of holders.
const (
	KindUser          = "iam_user"
	KindRole          = "iam_role"
	KindDirectoryUser = "identity_center_user"
)

// Holder is an identity of the organisation that something lets reach a bucket.
type Holder struct {
	Kind string `json:"kind"`
	// ID is AWS's own, which never changes.
	ID string `json:"id"`
	// Itself is what the holder's own policies and the bucket's say of it; empty
	// when nothing there allows.
	Itself Verdict `json:"itself,omitempty"`
	// Roles are those, by id, that it can take, one after the other, and that are
	// let in themselves; of somebody of Identity Center, from a permission set.
	Roles []string `json:"roles,omitempty"`
	// Account says that the bucket's policy lets in the holder's whole account, and
	// the holder's own policies allow it.
	Account bool `json:"account,omitempty"`
}

// Holders lists who reaches the objects of a bucket with an action on objects, in
// order of kind and id: users, roles and people of Identity Center, by their own
// policies, by the bucket's, and by the roles that they can take, however many one
// after the other. It is made from what the estate is made of, by the rules that
// AWS documents ("Policy evaluation logic"). Conditions, permissions boundaries and
// control policies are not weighed, and what a bucket's policy says of everyone is
// said of nobody in particular.
func (e *Estate) Holders(bucket, action string) ([]Holder, error) {
	for _, account := range e.Organization.Accounts {
		inv := e.Inventory(account.Index)
		if b, ok := inv.Bucket(bucket); ok {
			t := truth{estate: e, bucket: *b, owner: account, action: action, found: map[string]*Holder{}}
			t.findDirect()
			t.findChains()
			return t.sorted(), nil
		}
	}
	return nil, fmt.Errorf("there is no bucket %q", bucket)
}

// Reachable lists the buckets that an identity reaches, by name.
func (e *Estate) Reachable(id, action string) ([]string, error) {
	buckets := []string{}
	for _, account := range e.Organization.Accounts {
		for _, b := range e.Inventory(account.Index).Buckets {
			holders, err := e.Holders(b.Name, action)
			if err != nil {
				return nil, err
			}
			if slices.ContainsFunc(holders, func(h Holder) bool { return h.ID == id }) {
				buckets = append(buckets, b.Name)
			}
		}
	}
	slices.Sort(buckets)
	return buckets, nil
}

// truth is the search for the holders of one bucket.
type truth struct {
	estate *Estate
	bucket Bucket
	owner  Account
	action string
	found  map[string]*Holder
	// entered are the roles that are let in themselves, or lead to one that is.
	entered []roleIn
}

// roleIn is a role and its account.
type roleIn struct {
	role    Role
	account Account
	// opens are the roles that are let in, which taking this one leads to.
	opens []string
}

func (t *truth) holder(kind, id string) *Holder {
	if t.found[id] == nil {
		t.found[id] = &Holder{Kind: kind, ID: id}
	}
	return t.found[id]
}

// findDirect finds whoever is let in without taking a role.
func (t *truth) findDirect() {
	for _, account := range t.estate.Organization.Accounts {
		for _, a := range t.estate.actors(account) {
			verdict, whole := t.itself(a)
			if verdict == "" && !whole {
				continue
			}
			h := t.holder(a.kind, a.id)
			h.Itself, h.Account = verdict, whole
			if a.kind == KindRole && verdict != "" {
				role, _ := t.estate.Inventory(account.Index).roleByID(a.id)
				t.entered = append(t.entered, roleIn{role, account, []string{a.id}})
			}
		}
		sessions, holders := t.estate.provisioned(account)
		for n, a := range sessions {
			verdict, whole := t.itself(a)
			if verdict == "" && !whole {
				continue
			}
			for _, id := range holders[n] {
				h := t.holder(KindDirectoryUser, id)
				h.Itself, h.Account = better(h.Itself, verdict), h.Account || whole
			}
		}
	}
}

// better is what two sessions of one person come to.
func better(a, b Verdict) Verdict {
	order := []Verdict{"", Denied, Conditional, Allowed}
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}

// itself says how an actor is let in by itself, and whether it is as one of an
// account that the bucket's policy lets in as a whole.
func (t *truth) itself(a actor) (verdict Verdict, whole bool) {
	var named, theirs []policy.Document
	if t.bucket.Policy != nil {
		for _, s := range t.bucket.Policy.Statement {
			switch {
			case s.Principal == nil:
			case a.arn != "" && slices.Contains(s.Principal.AWS, a.arn):
				named = append(named, policy.Of(s))
			case slices.Contains(s.Principal.AWS, rootARN(a.account.ID)) && a.account.ID != t.owner.ID:
				theirs = append(theirs, policy.Of(s))
			}
		}
	}
	whole = t.reaches(theirs) != "" && t.reaches(a.documents) != ""
	if a.account.ID == t.owner.ID {
		named = append(slices.Clone(a.documents), named...)
	}
	return t.reaches(named), whole
}

// reaches weighs statements over any object of the bucket: an allow of some of them
// is enough, and a denial counts when it is of all of them.
func (t *truth) reaches(documents []policy.Document) Verdict {
	var whole []policy.Document
	some := false
	for _, d := range documents {
		for _, s := range d.Statement {
			part, all := t.objects(s)
			some = some || part && s.Effect == policy.Allow
			if all || part && s.Effect == policy.Allow {
				// Every object that is allowed stands for the others.
				s.Resource, s.NotResource = policy.List{"*"}, nil
				whole = append(whole, policy.Of(s))
			}
		}
	}
	if !some {
		return ""
	}
	return verdictOn(whole, t.action, "arn:aws:s3:::"+t.bucket.Name+"/object")
}

// objects says whether a statement speaks of the action on some object of the
// bucket, and on all of them.
func (t *truth) objects(s policy.Statement) (some, all bool) {
	plain := s
	plain.Resource, plain.NotResource = nil, nil
	if !plain.Covers(t.action, "") {
		return false, false
	}
	inside := "arn:aws:s3:::" + t.bucket.Name + "/"
	for _, pattern := range s.Resource {
		pattern = variables().ReplaceAllString(pattern, "*")
		some = some || begins(pattern, inside)
		all = all || policy.Match(pattern, inside+"*")
	}
	if len(s.NotResource) > 0 {
		some, all = true, true
		for _, pattern := range s.NotResource {
			some = some && !policy.Match(pattern, inside+"*")
			all = all && !begins(pattern, inside)
		}
	}
	return some, all
}

// variables are the policy variables, whose values only a request has.
func variables() *regexp.Regexp { return regexp.MustCompile(`\$\{[^}]*\}`) }

// begins says whether some text that begins so fits a pattern.
func begins(pattern, text string) bool {
	switch {
	case text == "" || strings.HasPrefix(pattern, "*"):
		return true
	case pattern == "":
		return false
	}
	return (pattern[0] == '?' || pattern[0] == text[0]) && begins(pattern[1:], text[1:])
}

// findChains finds whoever can take a role that is let in, or one that leads there.
func (t *truth) findChains() {
	seen := map[string]bool{}
	for len(t.entered) > 0 {
		next := t.entered[0]
		t.entered = t.entered[1:]
		for _, account := range t.estate.Organization.Accounts {
			if !trusts(next.role, account) {
				continue
			}
			for _, a := range t.estate.actors(account) {
				if !a.mayAssume(next.role, next.account) {
					continue
				}
				h := t.holder(a.kind, a.id)
				h.Roles = append(h.Roles, next.opens...)
				if a.kind == KindRole && !seen[a.id+next.opens[0]] {
					seen[a.id+next.opens[0]] = true
					role, _ := t.estate.Inventory(account.Index).roleByID(a.id)
					t.entered = append(t.entered, roleIn{role, account, next.opens})
				}
			}
			sessions, holders := t.estate.provisioned(account)
			for n, a := range sessions {
				if !a.mayAssume(next.role, next.account) {
					continue
				}
				for _, id := range holders[n] {
					h := t.holder(KindDirectoryUser, id)
					h.Roles = append(h.Roles, next.opens...)
				}
			}
		}
	}
}

// trusts says whether a role's trust policy names an account or anybody of it.
func trusts(role Role, account Account) bool {
	for _, s := range role.Trust.Statement {
		if s.Principal != nil && slices.ContainsFunc(s.Principal.AWS, func(arn string) bool { return strings.Contains(arn, "::"+account.ID+":") }) {
			return true
		}
	}
	return false
}

func (i *Inventory) roleByID(id string) (Role, bool) {
	at := slices.IndexFunc(i.Roles, func(r Role) bool { return r.ID == id })
	if at < 0 {
		return Role{}, false
	}
	return i.Roles[at], true
}

func (t *truth) sorted() []Holder {
	all := make([]Holder, 0, len(t.found))
	for _, h := range t.found {
		slices.Sort(h.Roles)
		h.Roles = slices.Compact(h.Roles)
		all = append(all, *h)
	}
	slices.SortFunc(all, func(a, b Holder) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID)) })
	return all
}
