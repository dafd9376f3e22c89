package generator

import (
	"strconv"

	"github.com/gatehouse-project/gatehouse/connector"
)

// estate makes the records of one configuration, each from its number alone.
type estate struct {
	Configuration
	boundaries, accounts, groups, policies, resources int
	// everyone to grants count relationships; see the makers of the same names.
	everyone, memberships, direct, includes, grants int
}

// newEstate divides the records among the kinds: of 1,000 entities one is a
// boundary, 500 are accounts, 40 groups, 60 policies and the rest resources.
func newEstate(c Configuration) *estate {
	e := &estate{
		Configuration: c,
		boundaries:    c.Entities / 1000, accounts: c.Entities / 2, groups: c.Entities / 25, policies: c.Entities * 6 / 100,
	}
	e.resources = c.Entities - e.boundaries - e.accounts - e.groups - e.policies
	e.everyone, e.memberships, e.direct, e.includes = e.accounts, c.Relationships/6, c.Relationships/30, c.Relationships/15
	e.grants = c.Relationships - e.accounts - e.resources - e.everyone - e.memberships - e.direct - e.includes
	return e
}

// section is a run of records of one sort within a stream.
type section struct {
	count        int
	entity       func(i int) connector.Entity
	relationship func(i int) connector.Relationship
}

func (e *estate) sections(stream string) []section {
	switch stream {
	case streamIdentities:
		return []section{
			{count: e.boundaries, entity: e.boundary},
			{count: e.accounts, entity: e.account},
			{count: e.accounts, relationship: e.containsAccount},
			{count: e.everyone, relationship: e.memberOfEveryone},
			{count: e.memberships, relationship: e.membership},
			{count: e.direct, relationship: e.directAssignment},
		}
	case streamEntitlements:
		return []section{
			{count: e.groups, entity: e.group},
			{count: e.policies, entity: e.policy},
			{count: e.includes, relationship: e.include},
		}
	}
	return []section{
		{count: e.resources, entity: e.resource},
		{count: e.resources, relationship: e.containsResource},
		{count: e.grants, relationship: e.grant},
	}
}

// revision is how often the i-th record of a sort has changed since revision 0.
// Each revision changes its share of all records, and others than the one before:
// with one in a hundred, a record changes every hundredth time.
func (e *estate) revision(sort, i int) int {
	if e.ChangedPermille == 0 {
		return 0
	}
	every := max(1, 1000/e.ChangedPermille)
	return (e.Revision + int(scatter(sort<<40|i)%uint64(every))) / every
}

// scatter spreads numbers evenly (SplitMix64's finaliser).
func scatter(n int) uint64 {
	x := uint64(n) + 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// pick returns one of n, for the i-th draw of a purpose.
func pick(purpose, i, n int) int { return int(scatter(purpose<<40|i) % uint64(n)) }

// spread returns the i-th of many pairs that are all different: sources take
// turns, and each has a first target of its own and goes on from there.
func spread(purpose, i, sources, targets int) (source, target int) {
	source = i % sources
	return source, (pick(purpose, source, targets) + i/sources*7919) % targets
}

// name makes an id such as "acct/0000000042".
func name(prefix string, i int) string {
	const digits = 10
	b := make([]byte, 0, len(prefix)+1+digits)
	b = append(append(b, prefix...), '/')
	text := strconv.Itoa(i)
	for range digits - len(text) {
		b = append(b, '0')
	}
	return string(append(b, text...))
}
