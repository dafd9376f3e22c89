package aws_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connectors/aws"
)

// policy is as much of a policy as its tests read.
type policy struct {
	Version   string
	Statement []struct {
		Sid       string
		Effect    string
		Action    []string
		Resource  any
		Condition map[string]map[string]string
	}
}

func packs(t *testing.T, configuration, scope string) map[string]connector.PermissionPack {
	t.Helper()
	all, err := aws.New().PermissionPacks(connector.PermissionSettings{Configuration: json.RawMessage(configuration), Scope: json.RawMessage(scope)})
	require.NoError(t, err)
	again, err := aws.New().PermissionPacks(connector.PermissionSettings{Configuration: json.RawMessage(configuration), Scope: json.RawMessage(scope)})
	require.NoError(t, err)
	require.Equal(t, all, again, "the same settings give the same packs")
	byKind := map[string]connector.PermissionPack{}
	for _, p := range all {
		require.NotContains(t, byKind, p.Kind)
		require.True(t, json.Valid([]byte(p.Content)), p.Kind)
		byKind[p.Kind] = p
	}
	return byKind
}

// policyIn reads a policy, whose statements have Sids as IAM takes them.
func policyIn(t *testing.T, p connector.PermissionPack) (read policy, actions []string) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(p.Content), &read))
	require.Equal(t, "2012-10-17", read.Version)
	sids := map[string]bool{}
	for _, s := range read.Statement {
		require.Regexp(t, "^[A-Za-z0-9]+$", s.Sid)
		require.False(t, sids[s.Sid])
		sids[s.Sid] = true
		require.Equal(t, "Allow", s.Effect)
		require.NotEmpty(t, s.Resource)
		for _, a := range s.Action {
			require.NotContains(t, actions, a, "each action is granted once")
			actions = append(actions, a)
		}
	}
	slices.Sort(actions)
	return read, actions
}

const wholeOrganisation = `{"organizations_enabled":true,"identity_center_enabled":true,"member_role_name":"GatehouseAudit","external_id":"contoso-1"}`

// Whatever the connector calls, the policy grants, and it grants nothing that the
// connector does not call.
func TestThePolicyGrantsWhatIsCalledAndNoMore(t *testing.T) {
	t.Parallel()
	c := newCloud(t, people)
	settings := c.settings(t, nil)
	session, err := aws.New().Open(t.Context(), settings)
	require.NoError(t, err)
	_, err = session.Check(t.Context())
	require.NoError(t, err)
	require.NoError(t, session.Close())
	require.Empty(t, discover(t, settings).gaps)
	var called []string
	for request := range c.Requests() {
		// AWS asks no permission for it.
		if request == "sts:GetCallerIdentity" {
			continue
		}
		called = append(called, strings.Replace(request, "s3:ListBuckets", "s3:ListAllMyBuckets", 1))
	}
	slices.Sort(called)
	all := packs(t, wholeOrganisation, "")
	_, granted := policyIn(t, all["aws_iam_policy"])
	require.Equal(t, called, granted)

	// In the other accounts, what is read there and nothing of the organisation.
	_, member := policyIn(t, all["aws_iam_policy_member"])
	require.Equal(t, []string{
		"iam:GenerateCredentialReport", "iam:GetAccountAuthorizationDetails", "iam:GetCredentialReport",
		"lambda:GetPolicy", "lambda:ListFunctions", "s3:GetBucketPolicy", "s3:ListAllMyBuckets",
	}, member)
}

func TestThePolicyFollowsTheConfiguration(t *testing.T) {
	t.Parallel()
	all := packs(t, "", "")
	require.Len(t, all, 1, "one account needs one policy")
	_, actions := policyIn(t, all["aws_iam_policy"])
	require.NotContains(t, actions, "sts:AssumeRole")
	require.NotContains(t, strings.Join(actions, " "), "organizations:")
	require.NotContains(t, strings.Join(actions, " "), "sso:")

	all = packs(t, `{"member_role_name":"audit/Reader","partition":"aws-cn"}`, `{"aws_accounts":["222222222222","111111111111"]}`)
	read, _ := policyIn(t, all["aws_iam_policy"])
	require.Equal(t, []any{"arn:aws-cn:iam::111111111111:role/audit/Reader", "arn:aws-cn:iam::222222222222:role/audit/Reader"}, read.Statement[len(read.Statement)-1].Resource)
	require.Contains(t, all["aws_cloudformation_member"].Content, `"Path": "/audit/"`)
	require.Contains(t, all["aws_cloudformation_member"].Content, `"RoleName": "Reader"`)

	all = packs(t, `{"auth_mode":"assume_role","role_arn":"arn:aws:iam::123456789012:role/Gatehouse","external_id":"x-1"}`, "")
	trust, _ := policyIn(t, connector.PermissionPack{Content: strings.Replace(all["aws_trust_policy"].Content, `"Principal"`, `"Resource"`, 1)})
	require.Equal(t, map[string]any{"AWS": "arn:aws:iam::123456789012:root"}, trust.Statement[0].Resource)
	require.Equal(t, "x-1", trust.Statement[0].Condition["StringEquals"]["sts:ExternalId"])
	assume, actions := policyIn(t, all["aws_iam_policy_assume"])
	require.Equal(t, []string{"sts:AssumeRole"}, actions)
	require.Equal(t, "arn:aws:iam::123456789012:role/Gatehouse", assume.Statement[0].Resource)
}

func TestSettingsThatMakeNoPolicy(t *testing.T) {
	t.Parallel()
	for _, settings := range []connector.PermissionSettings{
		{Configuration: json.RawMessage(`[]`)}, {Scope: json.RawMessage(`{"aws_accounts":["1"]}`)}, {Scope: json.RawMessage(`{"aws_accounts":1}`)},
	} {
		_, err := aws.New().PermissionPacks(settings)
		var refused *connector.Error
		require.ErrorAs(t, err, &refused)
	}
}
