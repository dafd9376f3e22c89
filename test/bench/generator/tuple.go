package generator

import "github.com/gatehouse-project/gatehouse/connector"

// Tuple says that a user has a relation to an object, as systems for
// authorisation by relationships write it.
type Tuple struct {
	User     string `json:"user"`
	Relation string `json:"relation"`
	Object   string `json:"object"`
}

// The relations: who holds an entitlement, and who reads a resource.
const (
	relationHolder = "holder"
	relationReader = "reader"
)

// Tuples calls fn with what of an estate leads to access, until it fails: who
// holds what, what includes what, what grants what. Boundaries and the terms of
// grants are left out; every grant of an estate allows.
func Tuples(c Configuration, fn func(Tuple) error) error {
	e := newEstate(c)
	for _, sort := range []struct {
		count int
		make  func(i int) connector.Relationship
	}{
		{e.everyone, e.memberOfEveryone}, {e.memberships, e.membership}, {e.direct, e.directAssignment}, {e.includes, e.include}, {e.grants, e.grant},
	} {
		for i := range sort.count {
			if err := fn(tupleOf(sort.make(i))); err != nil {
				return err
			}
		}
	}
	return nil
}

// tupleOf writes a relationship as a tuple: who holds the one that includes
// holds what is included.
func tupleOf(r connector.Relationship) Tuple {
	switch r.Kind {
	case connector.AccountAssignedEntitlement:
		return Tuple{PeerName(r.From), relationHolder, PeerName(r.To)}
	case connector.EntitlementIncludesEntitlement:
		return Tuple{PeerName(r.From) + "#" + relationHolder, relationHolder, PeerName(r.To)}
	default:
		return Tuple{PeerName(r.From) + "#" + relationHolder, relationReader, PeerName(r.To)}
	}
}

// PeerName is what tuples call an account, an entitlement or a resource.
func PeerName(ref connector.Ref) string {
	switch ref.Kind {
	case connector.Account:
		return "account:" + ref.ID
	case connector.Entitlement:
		return "entitlement:" + ref.ID
	default:
		return "resource:" + ref.ID
	}
}
