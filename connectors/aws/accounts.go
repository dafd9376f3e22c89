package aws

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/gatehouse-project/gatehouse/connector"
)

// caller is who the credentials are, by GetCallerIdentity, which needs no
// permission.
type caller struct {
	account, arn string
	// id is the unique id of the user or role.
	id string
}

func (s *session) whoAmI(ctx context.Context) (*caller, error) {
	if s.clients.closed.Load() {
		return nil, &connector.Error{Category: connector.Internal, Message: "the session is closed"}
	}
	if s.caller != nil {
		return s.caller, nil
	}
	out, err := s.clients.sts().GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return nil, classify(ctx, err, "the connection's credentials")
	}
	if !isAccountID(aws.ToString(out.Account)) {
		return nil, &connector.Error{Category: connector.ProviderUnavailable, Message: "sts:GetCallerIdentity was answered in a form that is not AWS's; check endpoint_url"}
	}
	s.caller = &caller{account: aws.ToString(out.Account), arn: aws.ToString(out.Arn)}
	// Behind a role's unique id stands the name of the session, which changes.
	s.clients.meter.account.Store(&s.caller.account)
	s.caller.id, _, _ = strings.Cut(aws.ToString(out.UserId), ":")
	return s.caller, nil
}

// organization is what the session knows of the organisation.
type organization struct {
	id, arn, management string
	// accounts in ascending order of id; nil until listed.
	accounts []types.Account
}

// describeOrganization returns the organisation the credentials belong to.
func (s *session) describeOrganization(ctx context.Context) (*organization, error) {
	if s.organization != nil {
		return s.organization, nil
	}
	out, err := s.clients.organizations().DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
	if err != nil {
		return nil, classify(ctx, err, "the organisation")
	}
	if out.Organization == nil || aws.ToString(out.Organization.Id) == "" {
		return nil, &connector.Error{Category: connector.ProviderUnavailable, Message: permDescribeOrg + " was answered without an organisation"}
	}
	o := out.Organization
	s.organization = &organization{id: aws.ToString(o.Id), arn: aws.ToString(o.Arn), management: aws.ToString(o.MasterAccountId)}
	return s.organization, nil
}

// listAccounts returns all accounts of the organisation, suspended ones too.
func (s *session) listAccounts(ctx context.Context) ([]types.Account, error) {
	o, err := s.describeOrganization(ctx)
	if err != nil {
		return nil, err
	}
	if o.accounts != nil {
		return o.accounts, nil
	}
	accounts := []types.Account{}
	pages := organizations.NewListAccountsPaginator(s.clients.organizations(), &organizations.ListAccountsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, classify(ctx, err, "the organisation")
		}
		accounts = append(accounts, page.Accounts...)
	}
	slices.SortFunc(accounts, func(a, b types.Account) int { return cmpString(a.Id, b.Id) })
	o.accounts = accounts
	return accounts, nil
}

// targets are the accounts this connection reads, in ascending order. When the
// organisation cannot be listed, that is the account of the credentials; the
// organization stream then says what was missing.
func (s *session) targets(ctx context.Context) ([]string, error) {
	if len(s.scope.Accounts) > 0 {
		return slices.Compact(slices.Sorted(slices.Values(s.scope.Accounts))), nil
	}
	me, err := s.whoAmI(ctx)
	if err != nil {
		return nil, err
	}
	if !s.configuration.OrganizationsEnabled {
		return []string{me.account}, nil
	}
	accounts, err := s.listAccounts(ctx)
	switch {
	case err == nil:
	case isUnlisted(err):
		s.guessed = true
		if e, denied := isDenied(err); denied {
			s.unlisted = e
		}
		return []string{me.account}, nil
	default:
		return nil, err
	}
	var ids []string
	for _, a := range accounts {
		if a.Status != types.AccountStatusSuspended {
			ids = append(ids, aws.ToString(a.Id))
		}
	}
	return ids, nil
}

// isUnlisted reports whether the organisation cannot be read for a reason that
// trying again does not change.
func isUnlisted(err error) bool {
	var e *connector.Error
	return errors.As(err, &e) && (e.Category == connector.PermissionDenied || e.Category == connector.ScopeInvalid)
}

// enter returns the SDK configuration for calls in an account, after making
// sure that its role can be assumed.
func (s *session) enter(ctx context.Context, account string) (aws.Config, error) {
	me, err := s.whoAmI(ctx)
	if err != nil {
		return aws.Config{}, err
	}
	cfg := s.clients.enterable(me.account, account)
	if account == me.account {
		return cfg, nil
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		failure := classify(ctx, err, s.clients.memberRoleARN(account))
		var e *connector.Error
		if errors.As(failure, &e) && e.Category == connector.PermissionDenied {
			return aws.Config{}, &connector.Error{
				Category: connector.PermissionDenied, Permission: permAssumeRole, On: s.clients.memberRoleARN(account), Cause: err,
				Message: "cannot assume the role in account " + account + ": the role, its trust policy, the external id or the permission to assume it is missing",
			}
		}
		return aws.Config{}, failure
	}
	return cfg, nil
}

// reach says whether this connection reads an account.
type reach struct {
	read bool
	// doubt is why it does not although it should, or might: what refers to
	// the account can then not be resolved, and nothing may be taken to be
	// gone because of that.
	doubt *connector.Error
}

func (s *session) reach(ctx context.Context, account string) (reach, error) {
	targets, err := s.targets(ctx)
	if err != nil {
		return reach{}, err
	}
	if _, ok := slices.BinarySearch(targets, account); !ok {
		return reach{doubt: s.unlisted}, nil
	}
	_, err = s.enter(ctx, account)
	if e, denied := isDenied(err); denied {
		return reach{doubt: e}, nil
	}
	return reach{read: err == nil}, err
}

func cmpString(a, b *string) int {
	switch x, y := aws.ToString(a), aws.ToString(b); {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}
