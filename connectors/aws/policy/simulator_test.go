package policy_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/connectors/aws/policy"
	simulated "github.com/gatehouse-project/gatehouse/simulator/aws/policy"
)

// TestAgreesWithTheSimulator compares decisions about identity policies with
// the evaluator of the simulator, which shares no code with ours. It knows
// fewer operators, no variables and no third value, so what is generated keeps
// to what it knows.
func TestAgreesWithTheSimulator(t *testing.T) {
	t.Parallel()
	type operator struct {
		name, key string
		values    []string
	}
	operators := []operator{
		{"StringEquals", "aws:username", []string{"ann", "ben"}},
		{"StringNotEquals", "aws:username", []string{"ann", "ben"}},
		{"StringLike", "aws:username", []string{"a*", "?en", "*"}},
		{"StringNotLikeIfExists", "aws:username", []string{"a*", "?en", "*"}},
		{"StringEqualsIgnoreCase", "aws:username", []string{"ANN"}},
		{"ArnLike", "aws:principalarn", []string{ann, "arn:aws:iam::*:role/*", "arn:aws:iam::" + home + ":user/*"}},
		{"ArnNotEquals", "aws:principalarn", []string{ann, "arn:aws:iam::*:role/*"}},
		{"IpAddress", "aws:sourceip", []string{"10.0.0.0/8", "192.0.2.7"}},
		{"NotIpAddressIfExists", "aws:sourceip", []string{"10.0.0.0/8", "192.0.2.7/32"}},
		{"Bool", "aws:multifactorauthpresent", []string{"true", "False"}},
		{"BoolIfExists", "aws:multifactorauthpresent", []string{"true"}},
		{"Null", "aws:multifactorauthpresent", []string{"true", "false"}},
	}
	given := map[string][]string{
		"aws:username": {"", "ann", "ben"}, "aws:principalarn": {"", ann, loader}, "aws:sourceip": {"", "10.1.2.3", "192.0.2.7"},
		"aws:multifactorauthpresent": {"", "true", "false"},
	}
	patterns := append(resources(), "*", "arn:aws:s3:::logs/*", "arn:aws:s3:::*", "arn:aws:s3:::l?gs/a*", "arn:aws:iam::*:user/*")
	ours := map[simulated.Decision]policy.Verdict{
		simulated.Allowed: {Decision: policy.Allowed}, simulated.ExplicitDeny: {Decision: policy.Denied, Explicit: true}, simulated.ImplicitDeny: {Decision: policy.Denied},
	}
	rapid.Check(t, func(t *rapid.T) {
		context, known := map[string]string{}, policy.Context{}.WithoutOthers("")
		for key, values := range given {
			if v := rapid.SampledFrom(values).Draw(t, key); v != "" {
				context[key], known = v, known.With(key, v)
			}
		}
		var theirs []simulated.Document
		var layer policy.Layer
		for range rapid.IntRange(1, 3).Draw(t, "policies") {
			var statements []simulated.Statement
			for range rapid.IntRange(1, 3).Draw(t, "statements") {
				s := simulated.Statement{Effect: drawEffect(t)}
				if rapid.IntRange(0, 3).Draw(t, "not action") == 0 {
					s.NotAction = someOf(t, "not actions", actionPatterns())
				} else {
					s.Action = someOf(t, "actions", actionPatterns())
				}
				if rapid.IntRange(0, 3).Draw(t, "not resource") == 0 {
					s.NotResource = someOf(t, "not resources", patterns)
				} else {
					s.Resource = someOf(t, "resources", patterns)
				}
				if rapid.Bool().Draw(t, "conditional") {
					o := rapid.SampledFrom(operators).Draw(t, "operator")
					values := simulated.List{rapid.SampledFrom(o.values).Draw(t, "value")}
					if o.name != "Null" {
						values = append(values, rapid.SampledFrom(o.values).Draw(t, "other value"))
					}
					s.Condition = simulated.Conditions{o.name: {o.key: values}}
				}
				statements = append(statements, s)
			}
			theirs = append(theirs, simulated.Of(statements...))
			text, err := json.Marshal(simulated.Of(statements...))
			require.NoError(t, err)
			d, err := policy.Parse(string(text))
			require.NoError(t, err)
			layer.Policies = append(layer.Policies, policy.Policy{Name: "generated", Document: d})
		}
		action, resource := rapid.SampledFrom(actions()).Draw(t, "action"), rapid.SampledFrom(resources()).Draw(t, "resource")
		got := policy.Evaluate(policy.Request{
			Caller: policy.Caller{Kind: policy.User, ARN: ann, Account: home}, Action: action, Resource: resource, Context: known,
		}, policy.Layers{Identity: layer, ResourceAccount: home})
		want := ours[simulated.Evaluate(simulated.Request{Action: action, Resource: resource, Context: context}, theirs...)]
		require.Equal(t, want.Decision, got.Decision)
		require.Equal(t, want.Explicit, got.Explicit)
	})
}
