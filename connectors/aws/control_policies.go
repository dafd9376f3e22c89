package aws

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

const stepControls = "control_policies"

// The entity types of the organisation's policies.
const (
	typeServiceControl  = "service_control_policy"
	typeResourceControl = "resource_control_policy"
)

// mostTargets is how many targets one entity lists. AWS's own policy is
// attached to everything there is: what has more targets is several entities.
const mostTargets = 2000

// readControlPolicies emits the service and resource control policies and what
// they are attached to: two calls for each policy, where asking each account
// and unit for its policies would take two for every one of those.
func (s *session) readControlPolicies(ctx context.Context, _ string, from records.Place, b *records.Writer) error {
	policies, err := s.controlPolicies(ctx)
	if err != nil {
		return gapOrFail(b, err)
	}
	for i, p := range policies {
		id := aws.ToString(p.Id)
		if from.Step != "" && id <= from.After {
			continue
		}
		after := ""
		if i > 0 {
			after = aws.ToString(policies[i-1].Id)
		}
		if err := b.At(records.Place{Step: stepControls, After: after}); err != nil {
			return err
		}
		if err := gapOrFail(b, s.addControlPolicy(ctx, b, p)); err != nil {
			return err
		}
	}
	return nil
}

// notWithPolicies are the answers where there can be no policies: in an
// organisation for consolidated billing, and outside any.
func notWithPolicies() []string {
	return []string{"PolicyTypeNotAvailableForOrganizationException", "AWSOrganizationsNotInUseException"}
}

// controlPolicies lists the policies of both kinds in order of id.
func (s *session) controlPolicies(ctx context.Context) ([]types.PolicySummary, error) {
	var found []types.PolicySummary
	for _, kind := range []types.PolicyType{types.PolicyTypeServiceControlPolicy, types.PolicyTypeResourceControlPolicy} {
		pages := organizations.NewListPoliciesPaginator(s.clients.organizations(), &organizations.ListPoliciesInput{Filter: kind})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if hasCode(err, notWithPolicies()...) {
				break
			}
			if err != nil {
				return nil, classify(ctx, err, "the organisation")
			}
			found = append(found, page.Policies...)
		}
	}
	slices.SortFunc(found, func(a, b types.PolicySummary) int { return cmpString(a.Id, b.Id) })
	return found, nil
}

func (s *session) addControlPolicy(ctx context.Context, b *records.Writer, p types.PolicySummary) error {
	id, name := aws.ToString(p.Id), aws.ToString(p.Name)
	client := s.clients.organizations()
	described, err := client.DescribePolicy(ctx, &organizations.DescribePolicyInput{PolicyId: p.Id})
	if hasCode(err, "PolicyNotFoundException") {
		return nil // deleted meanwhile
	}
	if err != nil {
		return classify(ctx, err, "the organisation")
	}
	text := ""
	if described.Policy != nil {
		text = aws.ToString(described.Policy.Content)
	}
	if _, err := parseDocument(text); err != nil {
		b.Gap(connector.Error{Category: connector.ProviderUnavailable, Message: "policy " + name + " of the organisation: " + err.Error(), Cause: err})
	}
	var targets []string
	pages := organizations.NewListTargetsForPolicyPaginator(client, &organizations.ListTargetsForPolicyInput{PolicyId: p.Id})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return classify(ctx, err, "the organisation")
		}
		for _, t := range page.Targets {
			targets = append(targets, aws.ToString(t.TargetId))
		}
	}
	slices.Sort(targets)
	for part, some := range parts(targets) {
		ref := entitlementRef(id)
		if part > 0 {
			ref.ID = fmt.Sprintf("%s/%d", id, part+1)
		}
		b.Entity(connector.Entity{
			Ref: ref, Name: records.Name(name), Type: strings.ToLower(string(p.Type)),
			Attributes: records.Attributes(map[string]any{
				"arn": aws.ToString(p.Arn), "description": aws.ToString(p.Description), "aws_managed": p.AwsManaged,
				"targets": some, "document": plainDocument(text),
			}, "description", "document"),
		})
	}
	return nil
}

// parts cuts targets into lists short enough for one entity, at least one.
func parts(targets []string) [][]string {
	if len(targets) == 0 {
		return [][]string{nil}
	}
	return slices.Collect(slices.Chunk(targets, mostTargets))
}
