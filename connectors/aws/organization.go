package aws

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

// The entity types of the organisation and its root.
const (
	typeOrganization = "organization"
	typeRoot         = "organization_root"
)

// unit is a root or organisational unit, with what contains it.
type unit struct {
	id, name, arn, kind, parent string
	// policyTypes are the kinds of policy that are switched on; of a root only.
	policyTypes []string
}

// readOrganization emits the organisation's tree, or only the accounts that
// are read when there is no organisation or it cannot be seen. The units are
// walked first, breadth first, then each one's accounts are listed; the cursor
// names the unit and AWS's page of it.
func (s *session) readOrganization(ctx context.Context, _ string, from records.Place, b *records.Writer) error {
	if !s.configuration.OrganizationsEnabled {
		return s.addTargets(ctx, b)
	}
	o, err := s.describeOrganization(ctx)
	if isUnlisted(err) {
		var e *connector.Error
		errors.As(err, &e)
		b.Gap(*e)
		return s.addTargets(ctx, b)
	}
	if err != nil {
		return err
	}
	units, missing, err := s.walkUnits(ctx, o)
	if err != nil {
		return err
	}
	if from.Step == "" {
		b.Entity(connector.Entity{
			Ref: boundaryRef(o.id), Name: o.id, Type: typeOrganization,
			Attributes: records.Attributes(map[string]any{"arn": o.arn, "management_account": o.management}),
		})
		for _, u := range units {
			b.Entity(connector.Entity{Ref: boundaryRef(u.id), Name: records.Name(u.name), Type: u.kind, Attributes: records.Attributes(map[string]any{"arn": u.arn, "policy_types": u.policyTypes})})
			b.Relate(connector.BoundaryContains, boundaryRef(u.parent), boundaryRef(u.id))
		}
	}
	if missing != nil {
		b.Gap(*missing)
		return s.addTargets(ctx, b)
	}
	begun := from.Step == ""
	for _, u := range units {
		token := ""
		if !begun {
			if u.id != from.After {
				continue
			}
			begun, token = true, from.Marker
		}
		if err := s.addAccountsOf(ctx, u.id, token, b); err != nil {
			if _, denied := isDenied(err); denied {
				b.Gap(*connector.AsError(err))
				return s.addTargets(ctx, b)
			}
			return err
		}
	}
	if !begun {
		b.Gap(connector.Error{Category: connector.ProviderUnavailable, Message: "the organisational unit at which reading stopped is gone; the next run reads the organisation again"})
	}
	return nil
}

// walkUnits returns roots and units, each after its parent. missing is the
// permission that cut the walk short.
func (s *session) walkUnits(ctx context.Context, o *organization) (units []unit, missing *connector.Error, err error) {
	client := s.clients.organizations()
	roots := organizations.NewListRootsPaginator(client, &organizations.ListRootsInput{})
	for roots.HasMorePages() {
		page, err := roots.NextPage(ctx)
		if err != nil {
			return deniedOr(units, classify(ctx, err, "the organisation"))
		}
		for _, r := range page.Roots {
			root := unit{id: aws.ToString(r.Id), name: aws.ToString(r.Name), arn: aws.ToString(r.Arn), kind: typeRoot, parent: o.id}
			for _, t := range r.PolicyTypes {
				if t.Status == types.PolicyTypeStatusEnabled {
					root.policyTypes = append(root.policyTypes, strings.ToLower(string(t.Type)))
				}
			}
			slices.Sort(root.policyTypes)
			units = append(units, root)
		}
	}
	for i := 0; i < len(units); i++ {
		pages := organizations.NewListOrganizationalUnitsForParentPaginator(client, &organizations.ListOrganizationalUnitsForParentInput{ParentId: aws.String(units[i].id)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return deniedOr(units, classify(ctx, err, "the organisation"))
			}
			for _, ou := range page.OrganizationalUnits {
				units = append(units, unit{id: aws.ToString(ou.Id), name: aws.ToString(ou.Name), arn: aws.ToString(ou.Arn), kind: "organizational_unit", parent: units[i].id})
			}
		}
	}
	return units, nil, nil
}

func deniedOr(units []unit, err error) ([]unit, *connector.Error, error) {
	if e, denied := isDenied(err); denied {
		return units, e, nil
	}
	return nil, nil, err
}

// addAccountsOf adds the accounts directly inside a unit. AWS may send an
// empty page with a token, so only the token ends the list.
func (s *session) addAccountsOf(ctx context.Context, unitID, token string, b *records.Writer) error {
	for {
		if err := b.At(records.Place{Step: "accounts", After: unitID, Marker: token}); err != nil {
			return err
		}
		input := &organizations.ListAccountsForParentInput{ParentId: aws.String(unitID)}
		if token != "" {
			input.NextToken = aws.String(token)
		}
		out, err := s.clients.organizations().ListAccountsForParent(ctx, input)
		if err != nil {
			return classify(ctx, err, "the organisation")
		}
		for _, a := range out.Accounts {
			b.Once(accountBoundary(a))
			b.Relate(connector.BoundaryContains, boundaryRef(unitID), boundaryRef(aws.ToString(a.Id)))
		}
		if token = aws.ToString(out.NextToken); token == "" {
			return nil
		}
	}
}

// addTargets adds the accounts that are read without saying where they are in
// the organisation.
func (s *session) addTargets(ctx context.Context, b *records.Writer) error {
	ids, err := s.targets(ctx)
	if err != nil {
		return err
	}
	known := map[string]types.Account{}
	if s.organization != nil {
		for _, a := range s.organization.accounts {
			known[aws.ToString(a.Id)] = a
		}
	}
	for _, id := range ids {
		a, ok := known[id]
		if !ok {
			a = types.Account{Id: aws.String(id)}
		}
		b.Once(accountBoundary(a))
	}
	return nil
}

func accountBoundary(a types.Account) connector.Entity {
	id := aws.ToString(a.Id)
	name := aws.ToString(a.Name)
	if name == "" {
		name = id
	}
	return connector.Entity{
		Ref: boundaryRef(id), Name: records.Name(name), Type: "aws_account",
		Attributes: records.Attributes(map[string]any{
			"arn": aws.ToString(a.Arn), "email": aws.ToString(a.Email), "status": string(a.Status), "joined_at": a.JoinedTimestamp,
		}),
	}
}
