package policy_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/connectors/aws/policy"
)

// federating is the user in a session of its own, which began with a policy.
func federating() policy.Caller {
	c := user()
	c.Federating = true
	return c
}

// TestSessionsOfUsers: what a policy gives the user is limited by the session's
// policy, what it gives everyone is not, and STS cannot be called.
func TestSessionsOfUsers(t *testing.T) {
	t.Parallel()
	everything := stating(allowAll)
	reading := func(principal string) string {
		return stating(`"Effect":"Allow","Principal":` + principal + `,"Action":"s3:GetObject","Resource":"*"`)
	}
	listing := stating(`"Effect":"Allow","Action":"s3:List*","Resource":"*"`)
	for name, c := range map[string]struct {
		own, session, resource, action string
		want                           policy.Decision
	}{
		"both allow":                        {everything, everything, "", "s3:GetObject", policy.Allowed},
		"the session's does not":            {everything, listing, "", "s3:GetObject", policy.Denied},
		"only the session's does":           {listing, everything, "", "s3:GetObject", policy.Denied},
		"the bucket names the user":         {listing, everything, reading(`{"AWS":"` + ann + `"}`), "s3:GetObject", policy.Allowed},
		"and the session's limits that":     {everything, listing, reading(`{"AWS":"` + ann + `"}`), "s3:GetObject", policy.Denied},
		"the bucket names everyone":         {listing, listing, reading(`"*"`), "s3:GetObject", policy.Allowed},
		"the bucket names a session":        {listing, listing, reading(`{"AWS":"arn:aws:sts::` + home + `:federated-user/ann"}`), "s3:GetObject", policy.Depends},
		"another's session":                 {listing, listing, reading(`{"AWS":"arn:aws:sts::` + foreign + `:federated-user/ann"}`), "s3:GetObject", policy.Denied},
		"STS":                               {everything, everything, "", "sts:AssumeRole", policy.Denied},
		"a role that trusts everyone":       {everything, everything, stating(`"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"`), "sts:AssumeRole", policy.Denied},
		"who one is":                        {everything, everything, "", "sts:GetCallerIdentity", policy.Allowed},
		"IAM, in the console or not":        {everything, everything, "", "iam:ListUsers", policy.Depends},
		"IAM, which the session's does not": {everything, listing, "", "iam:ListUsers", policy.Denied},
	} {
		r := policy.Request{Caller: federating(), Action: c.action, Resource: bucketObject, Context: policy.Context{}.WithoutOthers("")}
		session := layerOf(t, c.session)
		l := policy.Layers{Identity: layerOf(t, c.own), Session: &session, ResourceAccount: home}
		if c.resource != "" {
			l.Resource = layerOf(t, c.resource)
		}
		v := policy.Evaluate(r, l)
		require.Equal(t, c.want, v.Decision, "%s: %+v", name, v)
		if v.Decision == policy.Depends {
			require.NotEmpty(t, v.Needs, name)
		}
	}
}

// TestSessionsNeverAllowMore: whoever begins a session with a policy may do no
// more in it than without.
func TestSessionsNeverAllowMore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r, l := drawRequest(t), drawLayers(t)
		r.Caller = rapid.SampledFrom([]policy.Caller{
			{Kind: policy.User, ARN: ann, Account: home}, {Kind: policy.Root, ARN: rootOf, Account: home}, {Kind: policy.Session, ARN: loader, Account: home, SessionName: "nightly"},
		}).Draw(t, "caller")
		l.Session = nil
		before := policy.Evaluate(r, l)
		session := drawLayer(t, false)
		l.Session, r.Caller.Federating = &session, r.Caller.Kind != policy.Session
		after := policy.Evaluate(r, l)
		require.LessOrEqual(t, rank(after.Decision), rank(before.Decision), "%s became %s", before.Decision, after.Decision)
	})
}
