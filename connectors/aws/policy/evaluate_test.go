package policy_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connectors/aws/policy"
)

const bucketObject = "arn:aws:s3:::payroll/may.csv"

func reading(c policy.Caller) policy.Request {
	return policy.Request{Caller: c, Action: "s3:GetObject", Resource: bucketObject, Context: policy.Context{}.WithoutOthers("")}
}

func user() policy.Caller { return policy.Caller{Kind: policy.User, ARN: ann, Account: home} }

func nightly() policy.Caller {
	return policy.Caller{Kind: policy.Session, ARN: loader, Account: home, SessionName: "nightly"}
}

func layerOf(t require.TestingT, texts ...string) policy.Layer {
	l := policy.Layer{}
	for _, text := range texts {
		d, err := policy.Parse(text)
		require.NoError(t, err)
		l.Policies = append(l.Policies, policy.Policy{Name: "p", Document: d})
	}
	return l
}

func stating(rest string) string {
	return `{"Version":"2012-10-17","Statement":{` + rest + `}}`
}

// allowing is a resource policy that lets somebody read.
func allowing(principal string) string {
	return stating(`"Effect":"Allow","Principal":` + principal + `,"Action":"s3:GetObject","Resource":"arn:aws:s3:::payroll/*"`)
}

// TestLayers holds the rules of "Policy evaluation logic" one by one.
func TestLayers(t *testing.T) {
	t.Parallel()
	const (
		readAll = `{"Version":"2012-10-17","Statement":[{"Sid":"Read","Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}`
		denyAll = `{"Version":"2012-10-17","Statement":[{"Sid":"Never","Effect":"Deny","Action":"*","Resource":"*"}]}`
		iamOnly = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*","Resource":"*"}]}`
		full    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	)
	nothing, read, deny, other := layerOf(t), layerOf(t, readAll), layerOf(t, denyAll), layerOf(t, iamOnly)
	toUser := layerOf(t, allowing(`{"AWS":"`+ann+`"}`))
	toRole := layerOf(t, allowing(`{"AWS":"`+loader+`"}`))
	toSession := layerOf(t, allowing(`{"AWS":"`+session+`"}`))
	toAccount := layerOf(t, allowing(`{"AWS":"`+home+`"}`))
	toAll := layerOf(t, allowing(`"*"`))
	fullLevel := layerOf(t, full)
	eve := policy.Caller{Kind: policy.User, ARN: "arn:aws:iam::" + foreign + ":user/eve", Account: foreign}
	cases := map[string]struct {
		caller   policy.Caller
		layers   policy.Layers
		want     policy.Decision
		explicit bool
	}{
		"nothing allows":  {user(), policy.Layers{}, policy.Denied, false},
		"identity allows": {user(), policy.Layers{Identity: read}, policy.Allowed, false},
		"explicit deny in the resource's policy wins":        {user(), policy.Layers{Identity: read, Resource: layerOf(t, stating(`"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"`))}, policy.Denied, true},
		"resource allows a user of the same account":         {user(), policy.Layers{Resource: toUser}, policy.Allowed, false},
		"boundary does not limit what a user is given":       {user(), policy.Layers{Resource: toUser, Boundary: &other}, policy.Allowed, false},
		"boundary limits identity policies":                  {user(), policy.Layers{Identity: read, Boundary: &other}, policy.Denied, false},
		"explicit deny of the boundary":                      {user(), policy.Layers{Resource: toUser, Boundary: &deny}, policy.Denied, true},
		"an account is given, and hands nothing on":          {user(), policy.Layers{Resource: toAccount}, policy.Denied, false},
		"an account is given, and hands it on":               {user(), policy.Layers{Resource: toAccount, Identity: read}, policy.Allowed, false},
		"resource allows the role":                           {nightly(), policy.Layers{Resource: toRole}, policy.Allowed, false},
		"boundary limits what a role is given":               {nightly(), policy.Layers{Resource: toRole, Boundary: &other}, policy.Denied, false},
		"session policy limits what a role is given":         {nightly(), policy.Layers{Resource: toRole, Session: &other}, policy.Denied, false},
		"session policy limits identity policies":            {nightly(), policy.Layers{Identity: read, Session: &other}, policy.Denied, false},
		"session policy alone gives nothing":                 {nightly(), policy.Layers{Session: &read}, policy.Denied, false},
		"boundary does not limit what a session is given":    {nightly(), policy.Layers{Resource: toSession, Boundary: &other, Session: &other}, policy.Allowed, false},
		"boundary does not limit what everyone is given":     {nightly(), policy.Layers{Resource: toAll, Boundary: &other}, policy.Allowed, false},
		"every level of control policies must allow":         {user(), policy.Layers{Identity: read, Controls: []policy.Layer{fullLevel, other}}, policy.Denied, false},
		"a level without policies allows nothing":            {user(), policy.Layers{Identity: read, Controls: []policy.Layer{nothing}}, policy.Denied, false},
		"all levels allow":                                   {user(), policy.Layers{Identity: read, Controls: []policy.Layer{fullLevel, read}}, policy.Allowed, false},
		"one level denies":                                   {user(), policy.Layers{Identity: read, Controls: []policy.Layer{fullLevel, layerOf(t, full, denyAll)}}, policy.Denied, true},
		"control policies limit what a user is given, too":   {user(), policy.Layers{Resource: toUser, Controls: []policy.Layer{other}}, policy.Denied, false},
		"resource control policies limit":                    {user(), policy.Layers{Identity: read, ResourceControls: []policy.Layer{layerOf(t, full, denyAll)}}, policy.Denied, true},
		"root may do everything":                             {policy.Caller{Kind: policy.Root, ARN: rootOf, Account: home}, policy.Layers{}, policy.Allowed, false},
		"control policies limit root":                        {policy.Caller{Kind: policy.Root, ARN: rootOf, Account: home}, policy.Layers{Controls: []policy.Layer{other}}, policy.Denied, false},
		"across accounts, only the caller's side allows":     {eve, policy.Layers{Identity: read}, policy.Denied, false},
		"across accounts, only the resource's side allows":   {eve, policy.Layers{Resource: toAll}, policy.Denied, false},
		"across accounts, both sides allow":                  {eve, policy.Layers{Identity: read, Resource: toAll}, policy.Allowed, false},
		"across accounts, the account is named":              {eve, policy.Layers{Identity: read, Resource: layerOf(t, allowing(`{"AWS":"arn:aws:iam::`+foreign+`:root"}`))}, policy.Allowed, false},
		"a key's policy must allow":                          {user(), policy.Layers{Identity: read, ResourceDecides: true}, policy.Denied, false},
		"a key's policy hands on to the account":             {user(), policy.Layers{Identity: read, Resource: toAccount, ResourceDecides: true}, policy.Allowed, false},
		"a key's policy names the user":                      {user(), policy.Layers{Resource: toUser, ResourceDecides: true}, policy.Allowed, false},
		"anyone, named":                                      {policy.Caller{Kind: policy.Anyone}, policy.Layers{Resource: toAll}, policy.Allowed, false},
		"anyone, not named":                                  {policy.Caller{Kind: policy.Anyone}, policy.Layers{Resource: toAccount}, policy.Denied, false},
		"a service":                                          {policy.Caller{Kind: policy.Service, ARN: "logging.s3.amazonaws.com"}, policy.Layers{Resource: layerOf(t, allowing(`{"Service":"logging.s3.amazonaws.com"}`))}, policy.Allowed, false},
		"another service":                                    {policy.Caller{Kind: policy.Service, ARN: "logs.amazonaws.com"}, policy.Layers{Resource: layerOf(t, allowing(`{"Service":"logging.s3.amazonaws.com"}`))}, policy.Denied, false},
		"NotPrincipal spares whom it names wholly":           {user(), policy.Layers{Identity: read, Resource: layerOf(t, stating(`"Effect":"Deny","NotPrincipal":{"AWS":["`+ann+`","`+rootOf+`"]},"Action":"*","Resource":"*"`))}, policy.Allowed, false},
		"NotPrincipal denies others":                         {user(), policy.Layers{Identity: read, Resource: layerOf(t, stating(`"Effect":"Deny","NotPrincipal":{"AWS":"`+foreign+`"},"Action":"*","Resource":"*"`))}, policy.Denied, true},
		"NotPrincipal that names a part":                     {nightly(), policy.Layers{Identity: read, Resource: layerOf(t, stating(`"Effect":"Deny","NotPrincipal":{"AWS":"`+loader+`"},"Action":"*","Resource":"*"`))}, policy.Depends, false},
		"a user whose name differs in case is another":       {policy.Caller{Kind: policy.User, ARN: "arn:aws:iam::" + home + ":user/team/Ann", Account: home}, policy.Layers{Resource: toUser}, policy.Denied, false},
		"the principal of a deleted user":                    {user(), policy.Layers{Resource: layerOf(t, allowing(`{"AWS":"AIDACKCEVSQ6C2EXAMPLE"}`))}, policy.Denied, false},
		"what was not read may deny":                         {user(), policy.Layers{Identity: read, Resource: policy.Layer{Unread: []string{"the bucket's policy was not read"}}}, policy.Depends, false},
		"what was not read may allow":                        {user(), policy.Layers{Resource: policy.Layer{Unread: []string{"the bucket's policy was not read"}}}, policy.Depends, false},
		"what was not read does not matter against a denial": {user(), policy.Layers{Identity: deny, Resource: policy.Layer{Unread: []string{"the bucket's policy was not read"}}}, policy.Denied, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.layers.ResourceAccount = home
			v := policy.Evaluate(reading(c.caller), c.layers)
			require.Equal(t, c.want, v.Decision, "%+v", v)
			require.Equal(t, c.explicit, v.Explicit)
		})
	}
}

// TestGetCallerIdentityIsAlwaysAllowed, as the STS API reference says.
func TestGetCallerIdentityIsAlwaysAllowed(t *testing.T) {
	t.Parallel()
	r := reading(user())
	r.Action, r.Resource = "sts:getcalleridentity", "*"
	deny := layerOf(t, stating(`"Effect":"Deny","Action":"*","Resource":"*"`))
	require.Equal(t, policy.Allowed, policy.Evaluate(r, policy.Layers{Identity: deny, ResourceAccount: home}).Decision)
}

// TestConditions holds the operators, one statement each. A context of nil
// knows nothing; of others, what is not named is absent.
func TestConditions(t *testing.T) {
	t.Parallel()
	type context = map[string][]string
	cases := []struct {
		condition string
		context   context
		want      policy.Decision
	}{
		{`{"StringEquals":{"aws:username":"ann"}}`, context{"AWS:UserName": {"ann"}}, policy.Allowed},
		{`{"StringEquals":{"aws:username":"ann"}}`, context{"aws:username": {"Ann"}}, policy.Denied},
		{`{"stringequalsignorecase":{"aws:username":"ann"}}`, context{"aws:username": {"Ann"}}, policy.Allowed},
		{`{"StringEquals":{"aws:username":"a*"}}`, context{"aws:username": {"ann"}}, policy.Denied},
		{`{"StringLike":{"aws:username":["x","a?n*"]}}`, context{"aws:username": {"ann"}}, policy.Allowed},
		{`{"StringLike":{"aws:username":"a${*}n"}}`, context{"aws:username": {"ann"}}, policy.Denied},
		{`{"StringLike":{"aws:username":"a${*}n"}}`, context{"aws:username": {"a*n"}}, policy.Allowed},
		{`{"StringNotEquals":{"aws:username":["ann","ben"]}}`, context{"aws:username": {"eve"}}, policy.Allowed},
		{`{"StringNotEquals":{"aws:username":["ann","ben"]}}`, context{"aws:username": {"ben"}}, policy.Denied},
		{`{"StringNotEquals":{"aws:username":"ann"}}`, context{}, policy.Allowed},
		{`{"StringEquals":{"aws:username":"ann"}}`, context{}, policy.Denied},
		{`{"StringEqualsIfExists":{"aws:username":"ann"}}`, context{}, policy.Allowed},
		{`{"StringEquals":{"aws:username":"ann"}}`, nil, policy.Depends},
		{`{"StringEqualsIfExists":{"aws:username":"ann"}}`, nil, policy.Depends},
		{`{"NumericLessThanEquals":{"s3:max-keys":"10"}}`, context{"s3:max-keys": {"10"}}, policy.Allowed},
		{`{"NumericLessThan":{"s3:max-keys":10.5}}`, context{"s3:max-keys": {"11"}}, policy.Denied},
		{`{"NumericGreaterThan":{"s3:max-keys":"-1"}}`, context{"s3:max-keys": {"0"}}, policy.Allowed},
		{`{"NumericEquals":{"s3:max-keys":"1e999999999"}}`, context{"s3:max-keys": {"1"}}, policy.Depends},
		{`{"DateGreaterThan":{"aws:CurrentTime":"2026-01-01T00:00:00Z"}}`, context{"aws:CurrentTime": {"2026-06-01T12:00:00+02:00"}}, policy.Allowed},
		{`{"DateLessThan":{"aws:EpochTime":"1767225600"}}`, context{"aws:EpochTime": {"1767225599"}}, policy.Allowed},
		{`{"DateNotEquals":{"aws:CurrentTime":"2026-01-01"}}`, context{"aws:CurrentTime": {"2026-01-01T00:00:00Z"}}, policy.Denied},
		{`{"Bool":{"aws:SecureTransport":false}}`, context{"aws:SecureTransport": {"false"}}, policy.Allowed},
		{`{"Bool":{"aws:SecureTransport":"True"}}`, context{"aws:SecureTransport": {"false"}}, policy.Denied},
		{`{"Bool":{"aws:MultiFactorAuthPresent":"false"}}`, context{}, policy.Denied},
		{`{"BoolIfExists":{"aws:MultiFactorAuthPresent":"true"}}`, context{}, policy.Allowed},
		{`{"BinaryEquals":{"x:key":"QmluYXJ5"}}`, context{"x:key": {"QmluYXJ5"}}, policy.Allowed},
		{`{"IpAddress":{"aws:SourceIp":["203.0.113.0/24","2001:db8::/32"]}}`, context{"aws:SourceIp": {"2001:db8::7"}}, policy.Allowed},
		{`{"IpAddress":{"aws:SourceIp":"203.0.113.7"}}`, context{"aws:SourceIp": {"203.0.113.8"}}, policy.Denied},
		{`{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`, context{"aws:SourceIp": {"::ffff:203.0.113.8"}}, policy.Denied},
		{`{"IpAddress":{"aws:SourceIp":"here"}}`, context{"aws:SourceIp": {"203.0.113.8"}}, policy.Depends},
		{`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/*"}}`, context{"aws:PrincipalArn": {loader}}, policy.Allowed},
		{`{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam:*/Loader"}}`, context{"aws:PrincipalArn": {loader}}, policy.Denied},
		{`{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/*"}}`, context{"aws:PrincipalArn": {ann}}, policy.Allowed},
		{`{"Null":{"aws:TokenIssueTime":"true"}}`, context{}, policy.Allowed},
		{`{"Null":{"aws:TokenIssueTime":"false"}}`, context{}, policy.Denied},
		{`{"ForAllValues:StringEquals":{"aws:TagKeys":["team","cost"]}}`, context{"aws:TagKeys": {"team", "cost"}}, policy.Allowed},
		{`{"ForAllValues:StringEquals":{"aws:TagKeys":["team","cost"]}}`, context{"aws:TagKeys": {"team", "x"}}, policy.Denied},
		{`{"ForAllValues:StringEquals":{"aws:TagKeys":"team"}}`, context{}, policy.Allowed},
		{`{"ForAllValues:StringEquals":{"aws:TagKeys":"team"}}`, context{"aws:TagKeys": {""}}, policy.Allowed},
		{`{"ForAnyValue:StringEquals":{"aws:TagKeys":"team"}}`, context{"aws:TagKeys": {"x", "team"}}, policy.Allowed},
		{`{"ForAnyValue:StringEquals":{"aws:TagKeys":"team"}}`, context{}, policy.Denied},
		{`{"ForAnyValue:StringNotEquals":{"aws:TagKeys":"team"}}`, context{"aws:TagKeys": {"x", "team"}}, policy.Allowed},
		{`{"ForAllValues:StringNotEquals":{"aws:TagKeys":"team"}}`, context{"aws:TagKeys": {"x", "team"}}, policy.Denied},
		{`{"StringEquals":{"aws:TagKeys":"team"}}`, context{"aws:TagKeys": {"x", "team"}}, policy.Depends},
		{`{"StringEquals":{"aws:username":"ann","aws:PrincipalTag/team":"x"}}`, context{"aws:username": {"ann"}}, policy.Denied},
		{`{"StringEquals":{"aws:username":"ann"},"Bool":{"aws:SecureTransport":"true"}}`, context{"aws:username": {"ann"}, "aws:securetransport": {"true"}}, policy.Allowed},
		{`{"StringEquals":{"s3:ExistingObjectTag/owner":"${aws:username}"}}`, context{"aws:username": {"ann"}, "s3:existingobjecttag/owner": {"ann"}}, policy.Allowed},
		{`{"StringNotEquals":{"s3:ExistingObjectTag/owner":"${aws:username}"}}`, context{"s3:existingobjecttag/owner": {"ann"}}, policy.Depends},
		{`{"StringEquals":{"aws:username":"${aws:PrincipalTag/x, 'ann'}"}}`, context{"aws:username": {"ann"}}, policy.Allowed},
		{`{"StringResembles":{"aws:username":"ann"}}`, context{"aws:username": {"ann"}}, policy.Depends},
	}
	for _, c := range cases {
		t.Run(c.condition, func(t *testing.T) {
			t.Parallel()
			r := reading(user())
			r.Context = policy.Context{}
			for key, values := range c.context {
				r.Context = r.Context.With(key, values...)
			}
			if c.context != nil {
				r.Context = r.Context.WithoutOthers("")
			}
			v := policy.Evaluate(r, policy.Layers{ResourceAccount: home, Identity: layerOf(t, stating(`"Effect":"Allow","Action":"*","Resource":"*","Condition":`+c.condition))})
			require.Equal(t, c.want, v.Decision, "%v", c.context)
		})
	}
}

// TestVariablesAreOfTheNewLanguageOnly: without the version of 2012, ${…} is
// itself.
func TestVariablesAreOfTheNewLanguageOnly(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]policy.Decision{`"Version":"2012-10-17",`: policy.Allowed, `"Version":"2008-10-17",`: policy.Denied, ``: policy.Denied} {
		text := `{` + version + `"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::payroll/${aws:username}"}]}`
		r := reading(user())
		r.Resource, r.Context = "arn:aws:s3:::payroll/ann", r.Context.With("aws:username", "ann")
		require.Equal(t, want, policy.Evaluate(r, policy.Layers{ResourceAccount: home, Identity: layerOf(t, text)}).Decision, version)
	}
}

// TestDependsNamesTheCondition: a verdict that depends says on which key, and
// how it is compared.
func TestDependsNamesTheCondition(t *testing.T) {
	t.Parallel()
	r := reading(user())
	r.Context = policy.Context{}
	v := policy.Evaluate(r, policy.Layers{ResourceAccount: home, Identity: layerOf(t, `{"Version":"2012-10-17","Statement":[
		{"Sid":"Office","Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}}]}`)})
	require.Equal(t, policy.Depends, v.Decision)
	require.Equal(t, []policy.Dependency{{Key: "aws:SourceIp", Operator: "IpAddress", Values: []string{"203.0.113.0/24"}, Reason: "the value of aws:SourceIp is not known"}}, v.Needs)
	require.Len(t, v.Deciding(), 1)
	require.Equal(t, "Office", v.Deciding()[0].Statement)
}
