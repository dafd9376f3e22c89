package aws

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/identitystore/types"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

// identityPageSize is the most the Identity Store and Identity Center APIs
// send per page.
const identityPageSize = 100

// ssoInstance is the organisation's Identity Center.
type ssoInstance struct {
	arn, store string
}

// identityCenter finds the Identity Center instance of the region.
func (s *session) identityCenter(ctx context.Context) (*ssoInstance, error) {
	if s.instance != nil {
		return s.instance, nil
	}
	out, err := s.clients.ssoAdmin().ListInstances(ctx, &ssoadmin.ListInstancesInput{})
	if err != nil {
		return nil, classify(ctx, err, "region "+s.configuration.IdentityCenterRegion)
	}
	if len(out.Instances) == 0 {
		return nil, &connector.Error{
			Category: connector.ScopeInvalid, On: "region " + s.configuration.IdentityCenterRegion,
			Message: "there is no Identity Center instance in region " + s.configuration.IdentityCenterRegion + "; set identity_center_region, or switch identity_center_enabled off",
		}
	}
	s.instance = &ssoInstance{arn: aws.ToString(out.Instances[0].InstanceArn), store: aws.ToString(out.Instances[0].IdentityStoreId)}
	return s.instance, nil
}

// readIdentityCenter emits users, then groups with their members.
func (s *session) readIdentityCenter(ctx context.Context, _ string, from records.Place, b *records.Writer) error {
	instance, err := s.identityCenter(ctx)
	if err != nil {
		if isUnlisted(err) {
			b.Gap(*connector.AsError(err))
			return nil
		}
		return err
	}
	if from.Step == "" || from.Step == stepUsers {
		if err := gapOrFail(b, s.readDirectoryUsers(ctx, instance, from.Marker, b)); err != nil {
			return err
		}
		from = records.Place{}
	}
	return gapOrFail(b, s.readDirectoryGroups(ctx, instance, from, b))
}

func (s *session) readDirectoryUsers(ctx context.Context, instance *ssoInstance, token string, b *records.Writer) error {
	client := s.clients.identityStore()
	for {
		if err := b.At(records.Place{Step: stepUsers, Marker: token}); err != nil {
			return err
		}
		input := &identitystore.ListUsersInput{IdentityStoreId: aws.String(instance.store), MaxResults: aws.Int32(identityPageSize)}
		if token != "" {
			input.NextToken = aws.String(token)
		}
		out, err := client.ListUsers(ctx, input)
		if err != nil {
			return classify(ctx, err, "identity store "+instance.store)
		}
		for _, u := range out.Users {
			addIdentity(b, directoryUser(instance, u), "person")
		}
		if token = aws.ToString(out.NextToken); token == "" {
			return nil
		}
	}
}

func directoryUser(instance *ssoInstance, u types.User) connector.Entity {
	e := connector.Entity{Ref: accountRef(aws.ToString(u.UserId)), Name: records.Name(aws.ToString(u.DisplayName)), Type: "identity_center_user"}
	name := aws.ToString(u.UserName)
	if e.Name == "" {
		e.Name = records.Name(name)
	}
	// Whoever administers Identity Center writes both, and ListUsers does not tell
	// whether an address was verified.
	add := func(t connector.IdentifierType, value string) {
		if value != "" && len(value) <= connector.MaxNameBytes && len(e.Identifiers) < connector.MaxIdentifiers {
			e.Identifiers = append(e.Identifiers, connector.Identifier{Type: t, Value: value, Unverified: true})
		}
	}
	for _, mail := range u.Emails {
		add(connector.Email, aws.ToString(mail.Value))
	}
	if strings.Contains(name, "@") {
		add(connector.UserPrincipalName, name)
	}
	external := map[string]string{}
	for _, x := range u.ExternalIds {
		external[aws.ToString(x.Issuer)] = aws.ToString(x.Id)
	}
	e.Attributes = records.Attributes(map[string]any{
		"user_name": name, "identity_store": instance.store, "title": aws.ToString(u.Title), "user_type": aws.ToString(u.UserType),
		"user_status": string(u.UserStatus), "external_ids": external,
	})
	return e
}

func (s *session) readDirectoryGroups(ctx context.Context, instance *ssoInstance, from records.Place, b *records.Writer) error {
	client := s.clients.identityStore()
	token, after := from.Marker, from.After
	for {
		input := &identitystore.ListGroupsInput{IdentityStoreId: aws.String(instance.store), MaxResults: aws.Int32(identityPageSize)}
		if token != "" {
			input.NextToken = aws.String(token)
		}
		out, err := client.ListGroups(ctx, input)
		if err != nil {
			return classify(ctx, err, "identity store "+instance.store)
		}
		for _, g := range skipPast(out.Groups, after) {
			if err := b.At(records.Place{Step: stepGroups, Marker: token, After: after}); err != nil {
				return err
			}
			if err := s.addDirectoryGroup(ctx, instance, g, b); err != nil {
				return err
			}
			after = aws.ToString(g.GroupId)
		}
		if token, after = aws.ToString(out.NextToken), ""; token == "" {
			return nil
		}
	}
}

// skipPast returns the groups after the one with that id, or all when it is
// not on the page any more.
func skipPast(groups []types.Group, id string) []types.Group {
	for i, g := range groups {
		if id != "" && aws.ToString(g.GroupId) == id {
			return groups[i+1:]
		}
	}
	return groups
}

func (s *session) addDirectoryGroup(ctx context.Context, instance *ssoInstance, g types.Group, b *records.Writer) error {
	id := aws.ToString(g.GroupId)
	b.Entity(connector.Entity{
		Ref: entitlementRef(id), Name: records.Name(aws.ToString(g.DisplayName)), Type: "identity_center_group",
		Attributes: records.Attributes(map[string]any{"identity_store": instance.store, "description": aws.ToString(g.Description)}),
	})
	pages := identitystore.NewListGroupMembershipsPaginator(s.clients.identityStore(), &identitystore.ListGroupMembershipsInput{
		IdentityStoreId: aws.String(instance.store), GroupId: aws.String(id), MaxResults: aws.Int32(identityPageSize),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return classify(ctx, err, "identity store "+instance.store)
		}
		for _, m := range page.GroupMemberships {
			if user, ok := m.MemberId.(*types.MemberIdMemberUserId); ok {
				b.Relate(connector.AccountAssignedEntitlement, accountRef(user.Value), entitlementRef(id))
			}
		}
	}
	return nil
}
