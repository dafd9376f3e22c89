package policy_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connectors/aws/policy"
)

// TestWorkIsBounded: texts that are made to be expensive are not decided at any
// price, and what was not looked at is neither allowed nor denied.
func TestWorkIsBounded(t *testing.T) {
	t.Parallel()
	const half = policy.MaxDocumentBytes / 2
	object, name := "arn:aws:s3:::"+strings.Repeat("a", 2000), strings.Repeat("a", 2000)
	list := func(one string) string { return `["` + strings.Repeat(one+`","`, half/(len(one)+3)) + `x"]` }
	again := "*" + strings.Repeat("a", 500) + "b"
	wildcards := "arn:aws:s3:::" + again
	for what, text := range map[string]string{
		"wildcards that begin again":  stating(`"Effect":"Deny","Action":"*","Resource":` + list(wildcards)),
		"within the parts of an ARN":  stating(`"Effect":"Deny","Action":"*","Resource":` + list("arn:aws:*3:::"+again)),
		"in what is excepted":         stating(`"Effect":"Deny","Action":"*","NotResource":` + list(wildcards)),
		"in a condition":              stating(`"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringLike":{"aws:username":` + list(again) + `}}`),
		"variables for long values":   stating(`"Effect":"Deny","Action":"*","Resource":"arn:aws:s3:::` + strings.Repeat("${aws:username}", half/15) + `b"`),
		"values of a negated set":     stating(`"Effect":"Deny","Action":"*","Resource":"*","Condition":{"ForAllValues:StringNotLike":{"aws:TagKeys":` + list(again) + `}}`),
		"dates, one after the other":  stating(`"Effect":"Deny","Action":"*","Resource":"*","Condition":{"ForAnyValue:DateEquals":{"aws:TagKeys":` + list("2026-01-01T00:00:00Z") + `}}`),
		"variables in what is denied": stating(`"Effect":"Deny","Action":"*","Resource":` + list("arn:aws:s3:::${aws:username}b")),
	} {
		d, err := policy.Parse(text)
		require.NoError(t, err, what)
		hostile := policy.Policy{Name: "hostile", Document: d}
		everything := layerOf(t, stating(allowAll)).Policies[0]
		nothing := layerOf(t, stating(`"Effect":"Deny","Action":"*","Resource":"*"`)).Policies[0]
		r := policy.Request{Caller: user(), Action: "s3:GetObject", Resource: object}
		keys := []string{}
		for range 40 {
			keys = append(keys, name)
		}
		r.Context = policy.Context{}.With("aws:username", name).With("aws:TagKeys", keys...).WithoutOthers("")
		decide := func(order ...policy.Policy) policy.Verdict {
			return policy.Evaluate(r, policy.Layers{ResourceAccount: home, Identity: policy.Layer{Policies: order}})
		}
		v := decide(everything, hostile)
		require.Equal(t, policy.Depends, v.Decision, what)
		require.Contains(t, v.Needs[len(v.Needs)-1].Reason, "more work", what)
		require.Equal(t, policy.Depends, decide(hostile, everything, nothing).Decision, "%s: what comes behind is neither", what)
		require.Equal(t, policy.Denied, decide(nothing, hostile).Decision, "%s: what was denied before stays so", what)
	}
}

// TestCaseOfNames: names that differ in nothing but case are different where AWS
// tells them apart, and the same where it does not.
func TestCaseOfNames(t *testing.T) {
	t.Parallel()
	key := "aws:PrincipalTag/Team"
	for what, c := range map[string]struct {
		own, resource string
		want          policy.Decision
	}{
		"the resource":       {stating(`"Effect":"Allow","Action":"s3:GetObject","Resource":"` + strings.ToUpper(bucketObject) + `"`), "", policy.Denied},
		"a part of it":       {stating(`"Effect":"Allow","Action":"s3:GetObject","Resource":"` + strings.Replace(bucketObject, "payroll", "Payroll", 1) + `"`), "", policy.Denied},
		"the action":         {stating(`"Effect":"Allow","Action":"S3:GETOBJECT","Resource":"*"`), "", policy.Allowed},
		"a denied action":    {`{"Statement":[{` + allowAll + `},{"Effect":"Deny","Action":"s3:getobject","Resource":"*"}]}`, "", policy.Denied},
		"a key":              {stating(allowAll + `,"Condition":{"stringequals":{"` + strings.ToUpper(key) + `":"logs"}}`), "", policy.Allowed},
		"a value":            {stating(allowAll + `,"Condition":{"StringEquals":{"` + key + `":"Logs"}}`), "", policy.Denied},
		"who a policy names": {stating(`"Effect":"Allow","Action":"s3:List*","Resource":"*"`), stating(`"Effect":"Allow","Action":"s3:*","Resource":"*","Principal":{"AWS":"` + strings.Replace(ann, "ann", "Ann", 1) + `"}`), policy.Denied},
		"whom it denies":     {stating(allowAll), stating(`"Effect":"Deny","Action":"s3:*","Resource":"*","Principal":{"AWS":"` + strings.Replace(ann, "ann", "Ann", 1) + `"}`), policy.Allowed},
	} {
		r := reading(user())
		r.Context = policy.Context{}.With(key, "logs").WithoutOthers("")
		l := policy.Layers{ResourceAccount: home, Identity: layerOf(t, c.own)}
		if c.resource != "" {
			l.Resource = layerOf(t, c.resource)
		}
		require.Equal(t, c.want, policy.Evaluate(r, l).Decision, what)
	}
}
