package aws

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

const stepSets = "permission_sets"

// reservedRolePrefix starts the names of the roles that Identity Center makes
// in an account for its permission sets:
// AWSReservedSSO_<permission set>_<16 hexadecimal digits>.
const reservedRolePrefix = "AWSReservedSSO_"

// readPermissionSets emits the permission sets in use in the account, who is
// assigned to them, and what they include: the policies of the role that
// Identity Center made for each in this account.
func (s *session) readPermissionSets(ctx context.Context, account string, from records.Place, b *records.Writer) error {
	instance, err := s.identityCenter(ctx)
	if err != nil {
		if isUnlisted(err) {
			b.Gap(*connector.AsError(err))
			return nil
		}
		return err
	}
	arns, err := s.provisionedSets(ctx, instance, account)
	if err != nil {
		return gapOrFail(b, err)
	}
	byName := map[string]string{}
	for _, arn := range arns {
		name, err := s.permissionSetName(ctx, instance, arn)
		if err != nil {
			return gapOrFail(b, err)
		}
		if name != "" {
			byName[name] = arn
		}
		if from.Step == stepRoles || from.Step == stepSets && arn <= from.After {
			continue
		}
		if err := b.At(records.Place{Step: stepSets, After: before(arns, arn)}); err != nil {
			return err
		}
		if err := gapOrFail(b, s.addAssignments(ctx, instance, account, arn, name, b)); err != nil {
			return err
		}
	}
	if len(arns) == 0 {
		return nil
	}
	marker := ""
	if from.Step == stepRoles {
		marker = from.Marker
	}
	return gapOrFail(b, s.linkReservedRoles(ctx, account, byName, marker, b))
}

// before returns the element that stands before arn, empty for the first.
func before(arns []string, arn string) string {
	if i := slices.Index(arns, arn); i > 0 {
		return arns[i-1]
	}
	return ""
}

// provisionedSets lists, in order, the permission sets that exist in the
// account: only for these is it worth asking for assignments.
func (s *session) provisionedSets(ctx context.Context, instance *ssoInstance, account string) ([]string, error) {
	var arns []string
	pages := ssoadmin.NewListPermissionSetsProvisionedToAccountPaginator(s.clients.ssoAdmin(), &ssoadmin.ListPermissionSetsProvisionedToAccountInput{
		InstanceArn: aws.String(instance.arn), AccountId: aws.String(account), MaxResults: aws.Int32(identityPageSize),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if hasCode(err, "ValidationException") && strings.Contains(err.Error(), "not supported") {
			return nil, nil // an account instance has users but no permission sets
		}
		if err != nil {
			return nil, classify(ctx, err, inAccount(account))
		}
		arns = append(arns, page.PermissionSets...)
	}
	slices.Sort(arns)
	return slices.Compact(arns), nil
}

// permissionSetName asks for a permission set's name once per session.
func (s *session) permissionSetName(ctx context.Context, instance *ssoInstance, arn string) (string, error) {
	if name, ok := s.sets[arn]; ok {
		return name, nil
	}
	out, err := s.clients.ssoAdmin().DescribePermissionSet(ctx, &ssoadmin.DescribePermissionSetInput{
		InstanceArn: aws.String(instance.arn), PermissionSetArn: aws.String(arn),
	})
	if err != nil {
		return "", classify(ctx, err, "permission set "+arn)
	}
	name := ""
	if out.PermissionSet != nil {
		name = aws.ToString(out.PermissionSet.Name)
	}
	if s.sets == nil {
		s.sets = map[string]string{}
	}
	s.sets[arn] = name
	return name, nil
}

func (s *session) addAssignments(ctx context.Context, instance *ssoInstance, account, arn, name string, b *records.Writer) error {
	set := entitlementRef(inAccountID(arn, account))
	b.Entity(connector.Entity{
		Ref: set, Name: records.Name(name), Type: "permission_set",
		Attributes: records.Attributes(map[string]any{"arn": arn, "account": account}),
	})
	pages := ssoadmin.NewListAccountAssignmentsPaginator(s.clients.ssoAdmin(), &ssoadmin.ListAccountAssignmentsInput{
		InstanceArn: aws.String(instance.arn), AccountId: aws.String(account), PermissionSetArn: aws.String(arn), MaxResults: aws.Int32(identityPageSize),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return classify(ctx, err, inAccount(account))
		}
		for _, a := range page.AccountAssignments {
			switch id := aws.ToString(a.PrincipalId); a.PrincipalType {
			case types.PrincipalTypeUser:
				b.Relate(connector.AccountAssignedEntitlement, accountRef(id), set)
			case types.PrincipalTypeGroup:
				b.Relate(connector.EntitlementIncludesEntitlement, entitlementRef(id), set)
			}
		}
	}
	return nil
}

// linkReservedRoles relates each permission set to the policies of its role in
// the account, so that what the role may do is what the assigned may do.
func (s *session) linkReservedRoles(ctx context.Context, account string, byName map[string]string, marker string, b *records.Writer) error {
	ids, err := s.policyIDs(ctx, account)
	if err != nil {
		return err
	}
	return s.eachDetailPage(ctx, account, []iamtypes.EntityType{iamtypes.EntityTypeRole}, marker, func(marker string, out *iam.GetAccountAuthorizationDetailsOutput) error {
		if err := b.At(records.Place{Step: stepRoles, Marker: marker}); err != nil {
			return err
		}
		for _, role := range out.RoleDetailList {
			if arn := byName[permissionSetOf(aws.ToString(role.RoleName))]; arn != "" {
				includeRole(b, account, entitlementRef(inAccountID(arn, account)), role, ids)
			}
		}
		return nil
	})
}

// permissionSetOf returns the permission set's name in the name of a role that
// Identity Center made, else nothing.
func permissionSetOf(role string) string {
	rest, ok := strings.CutPrefix(role, reservedRolePrefix)
	end := strings.LastIndexByte(rest, '_')
	if !ok || end < 0 {
		return ""
	}
	return rest[:end]
}

func includeRole(b *records.Writer, account string, set connector.Ref, role iamtypes.RoleDetail, ids map[string]string) {
	include := func(policy connector.Ref) {
		b.Relationship(connector.Relationship{
			Kind: connector.EntitlementIncludesEntitlement, From: set, To: policy,
			Attributes: records.Attributes(map[string]any{"role": aws.ToString(role.RoleId), "role_name": aws.ToString(role.RoleName)}),
		})
	}
	for _, p := range role.AttachedManagedPolicies {
		ref, ok := attachedRef(p, account, ids)
		if !ok {
			b.Gap(connector.Error{Category: connector.ProviderUnavailable, Message: "policy " + aws.ToString(p.PolicyArn) + " appeared while the account was read; the next run will have it", On: inAccount(account)})
			continue
		}
		include(ref)
	}
	for _, p := range role.RolePolicyList {
		include(entitlementRef(inlineID(aws.ToString(role.RoleId), aws.ToString(p.PolicyName))))
	}
}
