package aws_test

import (
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/simulator/aws"
	"github.com/gatehouse-project/gatehouse/simulator/aws/estate"
)

// A granted policy stands alone: what the estate gave besides is gone, and what
// the policy does not say is refused.
func TestAGrantIsAllThatSomebodyHas(t *testing.T) {
	t.Parallel()
	b := setup(t, aws.Options{People: 40, Seed: 1})
	account := b.activeAccounts()[1].ID
	const details = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:GetAccountAuthorizationDetails","Resource":"*"}]}`
	const nothingElse = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sts:AssumeRole","organizations:DescribeOrganization"],"Resource":"*"}]}`
	require.NoError(t, b.Grant(estate.AuditRole, details))
	require.NoError(t, b.Grant(estate.AuditorUser, nothingElse))

	_, err := organizations.NewFromConfig(b.auditor()).DescribeOrganization(t.Context(), &organizations.DescribeOrganizationInput{})
	require.NoError(t, err)
	_, err = organizations.NewFromConfig(b.auditor()).ListAccounts(t.Context(), &organizations.ListAccountsInput{})
	requireCode(t, err, "AccessDeniedException")
	member := iam.NewFromConfig(b.member(t, account))
	_, err = member.GetAccountAuthorizationDetails(t.Context(), &iam.GetAccountAuthorizationDetailsInput{MaxItems: sdk.Int32(1)})
	require.NoError(t, err)
	_, err = member.GenerateCredentialReport(t.Context(), &iam.GenerateCredentialReportInput{})
	requireCode(t, err, "AccessDenied")

	require.Error(t, b.Grant(estate.AuditRole, "{"))
	require.Error(t, b.Grant(estate.AuditRole, `{"Version":"2012-10-17","Statement":[]}`))
}
