package aws

import (
	"context"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

// The types of parties that policies name and no account read by us contains.
const (
	typeAnyone    = "anyone"
	typeService   = "aws_service"
	typeFederated = "federated"
	typeExternal  = "external_aws_principal"
	typeCanonical = "canonical_user"
)

// party is whom a policy names as principal.
type party struct {
	id string
	// outside is the type of a party that no stream emits; empty for users,
	// roles and roots of accounts that are read.
	outside string
	// account is set for the party that is a whole account.
	account string
	// doubt is why a party that may be inside could not be looked up.
	doubt *connector.Error
}

// parties resolves the principals of a statement, in the order of the text
// within each type. Types are taken in a fixed order.
func (s *session) parties(ctx context.Context, p principals) ([]party, error) {
	var found []party
	for _, kind := range []string{"AWS", "Service", "Federated", "CanonicalUser"} {
		for name, values := range p {
			if !strings.EqualFold(name, kind) {
				continue
			}
			for _, value := range values {
				one, err := s.party(ctx, kind, value)
				if err != nil {
					return nil, err
				}
				found = append(found, one)
			}
		}
	}
	return found, nil
}

func (s *session) party(ctx context.Context, kind, value string) (party, error) {
	value = strings.TrimSpace(value)
	switch {
	case value == "*":
		return party{id: "*", outside: typeAnyone}, nil
	case kind == "Service":
		return party{id: strings.ToLower(value), outside: typeService}, nil
	case kind == "Federated":
		return party{id: value, outside: typeFederated}, nil
	case kind == "CanonicalUser":
		return party{id: value, outside: typeCanonical}, nil
	case isAccountID(value):
		return s.root(ctx, value)
	}
	parts := strings.SplitN(value, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || !isAccountID(parts[4]) {
		// AWS writes the unique id of a user or role that was deleted after
		// the policy named it; nobody answers to it any more.
		return party{id: value, outside: typeExternal}, nil
	}
	account, path := parts[4], strings.Split(parts[5], "/")
	if parts[5] == "root" {
		return s.root(ctx, account)
	}
	r, err := s.reach(ctx, account)
	if err != nil {
		return party{}, err
	}
	if !r.read {
		return party{id: value, outside: typeExternal, doubt: r.doubt}, nil
	}
	d, err := s.directory(ctx, account)
	if e, denied := isDenied(err); denied {
		return party{id: value, outside: typeExternal, doubt: e}, nil
	}
	if err != nil {
		return party{}, err
	}
	var id string
	switch {
	case path[0] == "user":
		id = d.users[strings.ToLower(path[len(path)-1])]
	case path[0] == "role":
		id = d.roles[strings.ToLower(path[len(path)-1])]
	case path[0] == "assumed-role" && len(path) > 1:
		id = d.roles[strings.ToLower(path[1])]
	}
	if id == "" {
		return party{id: value, outside: typeExternal}, nil
	}
	return party{id: id}, nil
}

// root is the party of a whole account. It has the account's id, as the root
// user's unique id is.
func (s *session) root(ctx context.Context, account string) (party, error) {
	r, err := s.reach(ctx, account)
	if err != nil {
		return party{}, err
	}
	if r.read {
		return party{id: account, account: account}, nil
	}
	return party{id: account, account: account, outside: typeExternal, doubt: r.doubt}, nil
}

// addParty adds an outside party as the account that acts and the principal
// behind it. Others are emitted by the stream that reads them.
func addParty(b *records.Writer, p party) connector.Ref {
	if p.doubt != nil {
		b.Gap(*p.doubt)
	}
	if p.outside != "" {
		addIdentity(b, connector.Entity{Ref: accountRef(p.id), Name: records.Name(partyName(p)), Type: p.outside}, p.outside)
	}
	return accountRef(p.id)
}

func partyName(p party) string {
	if p.outside == typeAnyone {
		return "anyone"
	}
	return p.id
}

// addIdentity adds an account and the principal that acts through it, once.
func addIdentity(b *records.Writer, e connector.Entity, principalType string) {
	if b.Has(e.Ref) {
		return
	}
	b.Once(e)
	b.Once(connector.Entity{Ref: principalRef(e.ID), Name: e.Name, Type: principalType, Identifiers: e.Identifiers})
	b.Relate(connector.PrincipalRepresentsAccount, principalRef(e.ID), e.Ref)
}

// accountOfARN returns the account field of an ARN, which may be empty.
func accountOfARN(arn string) (account string, ok bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		return "", false
	}
	return parts[4], true
}
