package aws

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/gatehouse-project/gatehouse/connector"
)

// detailPageSize is AWS's most objects per page (IAM API reference).
const detailPageSize = 1000

// eachDetailPage hands over an account's authorization details of some types
// from a marker on, page by page, each with the marker it was asked for by. A
// small account comes as one page, from the session's snapshot.
func (s *session) eachDetailPage(ctx context.Context, account string, filter []types.EntityType, marker string, visit func(marker string, out *iam.GetAccountAuthorizationDetailsOutput) error) error {
	if marker == "" {
		snapshot, err := s.snapshotOf(ctx, account)
		if err != nil {
			return err
		}
		if !snapshot.large {
			return visit("", snapshot.of(filter))
		}
	}
	return s.requestDetails(ctx, account, filter, marker, visit)
}

// eachPolicyPage is eachDetailPage with AWS's own policies that something on
// the page has attached among the page's policies.
func (s *session) eachPolicyPage(ctx context.Context, account string, filter []types.EntityType, marker string, visit func(marker string, out *iam.GetAccountAuthorizationDetailsOutput) error) error {
	return s.eachDetailPage(ctx, account, filter, marker, func(marker string, out *iam.GetAccountAuthorizationDetailsOutput) error {
		attached, err := s.awsPoliciesOn(ctx, account, out)
		if err != nil {
			return err
		}
		page := *out // out may be part of a snapshot
		page.Policies = slices.Concat(out.Policies, attached)
		return visit(marker, &page)
	})
}

// requestDetails asks AWS for the pages of GetAccountAuthorizationDetails. IAM
// may send less than it was asked for, or nothing, and still have more.
func (s *session) requestDetails(ctx context.Context, account string, filter []types.EntityType, marker string, visit func(marker string, out *iam.GetAccountAuthorizationDetailsOutput) error) error {
	cfg, err := s.enter(ctx, account)
	if err != nil {
		return err
	}
	client := iamClient(cfg)
	for {
		input := &iam.GetAccountAuthorizationDetailsInput{Filter: filter, MaxItems: aws.Int32(detailPageSize)}
		if marker != "" {
			input.Marker = aws.String(marker)
		}
		out, err := client.GetAccountAuthorizationDetails(ctx, input)
		if err != nil {
			return classify(ctx, err, inAccount(account))
		}
		if err := visit(marker, out); err != nil {
			return err
		}
		next := aws.ToString(out.Marker)
		if !out.IsTruncated {
			return nil
		}
		if next == "" || next == marker {
			return &connector.Error{Category: connector.ProviderUnavailable, Message: permGAAD + " says there is more but not where", On: inAccount(account)}
		}
		marker = next
	}
}

// policyIDs finds the unique ids of an account's own managed policies by ARN.
func (s *session) policyIDs(ctx context.Context, account string) (map[string]string, error) {
	ids := map[string]string{}
	err := s.eachDetailPage(ctx, account, []types.EntityType{types.EntityTypeLocalManagedPolicy}, "", func(_ string, out *iam.GetAccountAuthorizationDetailsOutput) error {
		for _, p := range out.Policies {
			ids[aws.ToString(p.Arn)] = managedPolicyID(p, account)
		}
		return nil
	})
	return ids, err
}

// defaultDocument returns the text of the version in force.
func defaultDocument(p types.ManagedPolicyDetail) string {
	for _, v := range p.PolicyVersionList {
		if v.IsDefaultVersion {
			return aws.ToString(v.Document)
		}
	}
	return ""
}

// isAWSManaged reports whether a policy is AWS's own. Its ARN has "aws" where
// others have an account id and is the same in every account.
func isAWSManaged(arn string) bool {
	account, ok := accountOfARN(arn)
	return ok && account == "aws"
}

// managedPolicyID names a managed policy: the account's own by its unique id,
// AWS's own by its ARN in the account. Endpoints that leave the unique id out,
// which AWS does not, get the ARN.
func managedPolicyID(p types.ManagedPolicyDetail, account string) string {
	arn, id := aws.ToString(p.Arn), aws.ToString(p.PolicyId)
	switch {
	case isAWSManaged(arn):
		return inAccountID(arn, account)
	case id == "":
		return arn
	}
	return id
}

// managedPolicyName is the policy's name, or the end of its ARN, which is the
// same.
func managedPolicyName(p types.ManagedPolicyDetail) string {
	if name := aws.ToString(p.PolicyName); name != "" {
		return name
	}
	arn := aws.ToString(p.Arn)
	return arn[strings.LastIndexByte(arn, '/')+1:]
}
