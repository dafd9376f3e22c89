package generator

import (
	"strconv"

	"github.com/gatehouse-project/gatehouse/connector"
)

// Numbers of the sorts of records, for [estate.changed] and pick.
const (
	sortAccount = iota + 1
	sortGroup
	sortPolicy
	sortResource
	sortMembership
	sortInclude
	sortGrant
	drawMember
	drawDirect
	drawInclude
	drawGrant
	drawBoundary
)

func boundaryRef(i int) connector.Ref {
	return connector.Ref{Kind: connector.CloudAccountBoundary, ID: name("unit", i)}
}

// AccountRef names the i-th account.
func AccountRef(i int) connector.Ref {
	return connector.Ref{Kind: connector.Account, ID: name("acct", i)}
}

func groupRef(i int) connector.Ref {
	return connector.Ref{Kind: connector.Entitlement, ID: name("group", i)}
}

func policyRef(i int) connector.Ref {
	return connector.Ref{Kind: connector.Entitlement, ID: name("policy", i)}
}

// ResourceRef names the i-th resource.
func ResourceRef(i int) connector.Ref {
	return connector.Ref{Kind: connector.Resource, ID: name("bucket", i)}
}

func (e *estate) boundary(i int) connector.Entity {
	return connector.Entity{Ref: boundaryRef(i), Name: "Unit " + strconv.Itoa(i), Type: "unit", Attributes: []byte(`{"environment":"production","status":"ACTIVE"}`)}
}

func (e *estate) account(i int) connector.Entity {
	n := strconv.Itoa(i)
	b := make([]byte, 0, 192)
	b = append(b, `{"created_at":"2024-0`...)
	b = strconv.AppendInt(b, int64(1+i%9), 10)
	b = append(b, `-17T08:30:00Z","department":"dept-`...)
	b = strconv.AppendInt(b, int64(pick(sortAccount, i, 400)), 10)
	b = append(b, `","last_used_days":`...)
	b = strconv.AppendInt(b, int64(i%90+e.revision(sortAccount, i)), 10)
	b = append(b, `,"mfa":true,"path":"/people/","tags":{"cost_center":"cc-`...)
	b = strconv.AppendInt(b, int64(i%977), 10)
	b = append(b, `","owner":"hr"}}`...)
	return connector.Entity{
		Ref: AccountRef(i), Name: "person." + n, Type: "user", Attributes: b,
		Identifiers: []connector.Identifier{{Type: connector.Email, Value: "person." + n + "@example.com"}},
	}
}

func (e *estate) group(i int) connector.Entity {
	return connector.Entity{Ref: groupRef(i), Name: "Group " + strconv.Itoa(i), Type: "group", Attributes: e.described(sortGroup, i, "team")}
}

func (e *estate) policy(i int) connector.Entity {
	return connector.Entity{Ref: policyRef(i), Name: "Policy " + strconv.Itoa(i), Type: "policy", Attributes: e.described(sortPolicy, i, "policy")}
}

func (e *estate) resource(i int) connector.Entity {
	return connector.Entity{Ref: ResourceRef(i), Name: "data-" + strconv.Itoa(i), Type: "bucket", Attributes: e.described(sortResource, i, "bucket")}
}

// described makes attributes of some 140 bytes.
func (e *estate) described(sort, i int, what string) []byte {
	b := make([]byte, 0, 192)
	b = append(b, `{"classification":"internal","created_at":"2023-11-02T10:00:00Z","description":"generated `...)
	b = append(append(b, what...), ' ')
	b = strconv.AppendInt(b, int64(i), 10)
	b = append(b, `","path":"/shared/","revision":`...)
	b = strconv.AppendInt(b, int64(e.revision(sort, i)), 10)
	return append(b, `,"tags":{"env":"prod"}}`...)
}

// containsAccount and containsResource put each into one boundary.
func (e *estate) containsAccount(i int) connector.Relationship {
	return connector.Relationship{Kind: connector.BoundaryContains, From: boundaryRef(i % e.boundaries), To: AccountRef(i)}
}

func (e *estate) containsResource(i int) connector.Relationship {
	return connector.Relationship{Kind: connector.BoundaryContains, From: boundaryRef(pick(drawBoundary, i, e.boundaries)), To: ResourceRef(i)}
}

// memberOfEveryone puts every account into group 0.
func (e *estate) memberOfEveryone(i int) connector.Relationship {
	return connector.Relationship{Kind: connector.AccountAssignedEntitlement, From: AccountRef(i), To: groupRef(0)}
}

// membership puts accounts into the other groups.
func (e *estate) membership(i int) connector.Relationship {
	account, group := spread(drawMember, i, e.accounts, e.groups-1)
	b := append(make([]byte, 0, 48), `{"revision":`...)
	b = strconv.AppendInt(b, int64(e.revision(sortMembership, i)), 10)
	b = append(b, `,"since":"2025-03-01"}`...)
	return connector.Relationship{Kind: connector.AccountAssignedEntitlement, From: AccountRef(account), To: groupRef(1 + group), Attributes: b}
}

// directAssignment gives accounts policies of their own; account 0, the
// administrator, has policy 0.
func (e *estate) directAssignment(i int) connector.Relationship {
	account, policy := 0, 0
	if i > 0 {
		account, policy = spread(drawDirect, i, e.accounts, e.policies-2)
		policy += 2
	}
	return connector.Relationship{Kind: connector.AccountAssignedEntitlement, From: AccountRef(account), To: policyRef(policy)}
}

// treeSize is how many groups are nested in one another.
const treeSize = 64

// include nests groups in trees of 64, eight in each, and attaches policies to
// groups; policy 1 to group 0.
func (e *estate) include(i int) connector.Relationship {
	r := connector.Relationship{Kind: connector.EntitlementIncludesEntitlement}
	switch {
	case i == 0:
		r.From, r.To = groupRef(0), policyRef(1)
	case i < e.groups && i%treeSize != 0:
		root := i - i%treeSize
		r.From, r.To = groupRef(i), groupRef(root+(i-root)/8)
	default:
		nth := i - e.groups
		if nth < 0 { // the root of a tree
			nth = e.includes - e.groups + i/treeSize
		}
		group, policy := spread(drawInclude, nth, e.groups, e.policies-2)
		r.From, r.To = groupRef(group), policyRef(2+policy)
	}
	if n := e.revision(sortInclude, i); n > 0 {
		r.Attributes = append(strconv.AppendInt([]byte(`{"revision":`), int64(n), 10), '}')
	}
	return r
}

// grant lets policy 0 reach half of all resources one by one, as far as a
// quarter of the grants suffices, policy 1 resource 0, and each other policy
// its share.
func (e *estate) grant(i int) connector.Relationship {
	r := connector.Relationship{Kind: connector.EntitlementGrantsResource, Key: "Statement" + strconv.Itoa(i%3)}
	administrator := min(e.resources/2, e.grants/4)
	switch {
	case i < administrator:
		r.From, r.To = policyRef(0), ResourceRef(i)
	case i == administrator:
		r.From, r.To = policyRef(1), ResourceRef(0)
	default:
		policy, resource := spread(drawGrant, i-administrator-1, e.policies-2, e.resources)
		r.From, r.To = policyRef(2+policy), ResourceRef(resource)
	}
	r.Terms = &connector.Terms{
		Effect:  connector.Allow,
		Actions: []string{"s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation", "s3:Revision" + strconv.Itoa(e.revision(sortGrant, i))},
	}
	if i%8 == 0 {
		r.Terms.Conditions = []byte(`{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`)
	}
	return r
}
