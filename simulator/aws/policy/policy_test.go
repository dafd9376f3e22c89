package policy_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/simulator/aws/policy"
)

func TestOneStringIsWrittenBare(t *testing.T) {
	t.Parallel()
	document := policy.Of(
		policy.Statement{Sid: "A", Effect: policy.Allow, Action: policy.List{"s3:Get*"}, Resource: policy.List{"arn:aws:s3:::a", "arn:aws:s3:::a/*"}},
		policy.Statement{
			Effect: policy.Deny, Principal: &policy.Principal{Everyone: true}, NotAction: policy.List{"iam:*"}, Resource: policy.List{"*"},
			Condition: policy.Conditions{"Bool": {"aws:SecureTransport": {"false"}}},
		},
		policy.Statement{Effect: policy.Allow, Principal: &policy.Principal{Service: policy.List{"ec2.amazonaws.com"}}, Action: policy.List{"sts:AssumeRole"}},
	)
	require.Equal(t, `{"Version":"2012-10-17","Statement":[`+
		`{"Sid":"A","Effect":"Allow","Action":"s3:Get*","Resource":["arn:aws:s3:::a","arn:aws:s3:::a/*"]},`+
		`{"Effect":"Deny","Principal":"*","NotAction":"iam:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}},`+
		`{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`, document.JSON())
}

func TestListReadsBothForms(t *testing.T) {
	t.Parallel()
	var one, many policy.List
	require.NoError(t, json.Unmarshal([]byte(`"a"`), &one))
	require.NoError(t, json.Unmarshal([]byte(`["a","b"]`), &many))
	require.Error(t, json.Unmarshal([]byte(`{"a":1}`), &one))
	require.Equal(t, policy.List{"a"}, one)
	require.Equal(t, policy.List{"a", "b"}, many)
}

func TestEvaluate(t *testing.T) {
	t.Parallel()
	allowAll := policy.Statement{Effect: policy.Allow, Action: policy.List{"*"}, Resource: policy.List{"*"}}
	denyWithoutMFA := policy.Statement{
		Effect: policy.Deny, NotAction: policy.List{"iam:ListMFADevices"}, Resource: policy.List{"*"},
		Condition: policy.Conditions{"BoolIfExists": {"aws:MultiFactorAuthPresent": {"false"}}},
	}
	office := policy.Statement{
		Effect: policy.Allow, Action: policy.List{"s3:*"}, Resource: policy.List{"*"},
		Condition: policy.Conditions{"IpAddress": {"aws:SourceIp": {"192.0.2.0/24"}}},
	}
	odd := policy.Conditions{"DateGreaterThan": {"aws:CurrentTime": {"2030-01-01T00:00:00Z"}}}
	now := map[string]string{"aws:currenttime": "2026-01-01T00:00:00Z"}
	cases := map[string]struct {
		request    policy.Request
		statements []policy.Statement
		want       policy.Decision
	}{
		"nothing says so":           {policy.Request{Action: "s3:GetObject", Resource: "*"}, nil, policy.ImplicitDeny},
		"case of actions is moot":   {policy.Request{Action: "S3:getobject", Resource: "*"}, []policy.Statement{{Effect: policy.Allow, Action: policy.List{"s3:Get*"}, Resource: policy.List{"*"}}}, policy.Allowed},
		"denial wins":               {policy.Request{Action: "s3:GetObject", Resource: "*"}, []policy.Statement{allowAll, denyWithoutMFA}, policy.ExplicitDeny},
		"NotAction spares":          {policy.Request{Action: "iam:ListMFADevices", Resource: "*"}, []policy.Statement{allowAll, denyWithoutMFA}, policy.Allowed},
		"in range":                  {policy.Request{Action: "s3:GetObject", Resource: "*", Context: map[string]string{"aws:sourceip": "192.0.2.7"}}, []policy.Statement{office}, policy.Allowed},
		"out of range":              {policy.Request{Action: "s3:GetObject", Resource: "*", Context: map[string]string{"aws:sourceip": "203.0.113.7"}}, []policy.Statement{office}, policy.ImplicitDeny},
		"NotResource spares":        {policy.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::a"}, []policy.Statement{{Effect: policy.Allow, Action: policy.List{"*"}, NotResource: policy.List{"arn:aws:s3:::a*"}}}, policy.ImplicitDeny},
		"unknown allows nothing":    {policy.Request{Action: "s3:GetObject", Resource: "*", Context: now}, []policy.Statement{{Effect: policy.Allow, Action: policy.List{"*"}, Resource: policy.List{"*"}, Condition: odd}}, policy.ImplicitDeny},
		"unknown denies everything": {policy.Request{Action: "s3:GetObject", Resource: "*", Context: now}, []policy.Statement{allowAll, {Effect: policy.Deny, Action: policy.List{"*"}, Resource: policy.List{"*"}, Condition: odd}}, policy.ExplicitDeny},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, given := c.request.Context["aws:multifactorauthpresent"]; !given && c.request.Context == nil {
				c.request.Context = map[string]string{"aws:multifactorauthpresent": "false"}
			}
			require.Equal(t, c.want, policy.Evaluate(c.request, policy.Of(c.statements...)))
		})
	}
}

func TestTrustNeedsTheExternalID(t *testing.T) {
	t.Parallel()
	trust := policy.Of(policy.Statement{
		Effect: policy.Allow, Principal: &policy.Principal{AWS: policy.List{"arn:aws:iam::111122223333:root"}},
		Action: policy.List{"sts:AssumeRole"}, Condition: policy.Conditions{"StringEquals": {"sts:ExternalId": {"right"}}},
	})
	caller := policy.Caller{ARN: "arn:aws:iam::111122223333:user/a", Account: "111122223333"}
	for given, want := range map[string]policy.Decision{"right": policy.Allowed, "wrong": policy.ImplicitDeny} {
		decision, direct := trust.Trusts(caller, "sts:AssumeRole", map[string]string{"sts:externalid": given})
		require.Equal(t, want, decision)
		require.False(t, direct)
	}
	decision, _ := trust.Trusts(caller, "sts:AssumeRole", nil)
	require.Equal(t, policy.ImplicitDeny, decision)
	stranger := policy.Caller{ARN: "arn:aws:iam::444455556666:user/a", Account: "444455556666"}
	decision, _ = trust.Trusts(stranger, "sts:AssumeRole", map[string]string{"sts:externalid": "right"})
	require.Equal(t, policy.ImplicitDeny, decision)
}

func TestMatchAgreesWithItsDefinition(t *testing.T) {
	t.Parallel()
	var slow func(p, v string) bool
	slow = func(p, v string) bool {
		switch {
		case p == "":
			return v == ""
		case p[0] == '*':
			return slow(p[1:], v) || v != "" && slow(p, v[1:])
		default:
			return v != "" && (p[0] == '?' || p[0] == v[0]) && slow(p[1:], v[1:])
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringOfN(rapid.RuneFrom([]rune("ab*?")), 0, 8, -1).Draw(t, "pattern")
		value := rapid.StringOfN(rapid.RuneFrom([]rune("ab")), 0, 8, -1).Draw(t, "value")
		require.Equal(t, slow(pattern, value), policy.Match(pattern, value))
	})
}
