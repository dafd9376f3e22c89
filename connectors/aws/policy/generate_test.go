package policy_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/connectors/aws/policy"
)

// The small world of the generated requests: few enough names that statements
// meet requests often.
const (
	home    = "111122223333"
	foreign = "444455556666"
	ann     = "arn:aws:iam::" + home + ":user/team/ann"
	loader  = "arn:aws:iam::" + home + ":role/data/Loader"
	rootOf  = "arn:aws:iam::" + home + ":root"
	session = "arn:aws:sts::" + home + ":assumed-role/Loader/nightly"
)

func actions() []string { return []string{"s3:GetObject", "s3:PutObject", "iam:GetUser"} }

func actionPatterns() []string {
	return append(actions(), "*", "*", "*", "s3:*", "S3:get*", "s3:???Object", "iam:*", "ec2:*")
}

func resources() []string {
	return []string{"arn:aws:s3:::logs/a", "arn:aws:s3:::logs/ann", "arn:aws:s3:::data/b", "arn:aws:iam::" + home + ":user/team/ann", "*"}
}

func resourcePatterns() []string {
	return append(resources(), "*", "*", "arn:*", "arn:aws:s3:::logs/*", "arn:aws:s3:::*/a", "arn:aws:s3:*", "arn:aws:s3:::logs/${aws:username}",
		"arn:aws:s3:::${aws:PrincipalTag/team, 'logs'}/*", "arn:aws:s3:::logs/${*}", "arn:*:iam::*:user/*")
}

// domains are the values that keys take; the first list of each is used in
// policies, too.
func domains() map[string][]string {
	return map[string][]string{
		"aws:username":               {"ann", "ben"},
		"aws:SourceIp":               {"10.1.2.3", "192.0.2.7"},
		"aws:PrincipalTag/team":      {"logs", "data"},
		"aws:MultiFactorAuthPresent": {"true", "false"},
		"aws:CurrentTime":            {"2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"},
		"s3:max-keys":                {"10", "20"},
		"aws:PrincipalArn":           {ann, loader},
		"aws:TagKeys":                {"team", "cost"},
	}
}

func keys() []string {
	var list []string
	for key := range domains() {
		list = append(list, key)
	}
	slices.Sort(list)
	return list
}

func operators() map[string][]string {
	return map[string][]string{
		"aws:username":               {"StringEquals", "StringNotEquals", "StringLike", "StringEqualsIgnoreCase", "StringNotLike"},
		"aws:SourceIp":               {"IpAddress", "NotIpAddress"},
		"aws:PrincipalTag/team":      {"StringEquals", "StringNotEqualsIgnoreCase"},
		"aws:MultiFactorAuthPresent": {"Bool"},
		"aws:CurrentTime":            {"DateLessThan", "DateGreaterThanEquals", "DateEquals", "DateNotEquals"},
		"s3:max-keys":                {"NumericLessThan", "NumericEquals", "NumericNotEquals", "NumericGreaterThanEquals"},
		"aws:PrincipalArn":           {"ArnLike", "ArnNotEquals"},
		"aws:TagKeys":                {"StringEquals", "StringLike", "StringNotEquals"},
	}
}

func compared() map[string][]string {
	return map[string][]string{
		"aws:username":               {"ann", "ANN", "a*", "${aws:PrincipalTag/team}"},
		"aws:SourceIp":               {"10.0.0.0/8", "192.0.2.7"},
		"aws:PrincipalTag/team":      {"logs", "Data", "${aws:username}"},
		"aws:MultiFactorAuthPresent": {"true", "false"},
		"aws:CurrentTime":            {"2026-06-01", "2027-01-01T00:00:00Z", "1767225600"},
		"s3:max-keys":                {"10", "15.5", "many"},
		"aws:PrincipalArn":           {ann, "arn:aws:iam::*:role/*", "arn:*:*"},
		"aws:TagKeys":                {"team", "c*"},
	}
}

type object = map[string]any

func someOf(t *rapid.T, label string, from []string) []string {
	return rapid.SliceOfN(rapid.SampledFrom(from), 1, 2).Draw(t, label)
}

func drawConditions(t *rapid.T) object {
	conditions := object{}
	for range rapid.IntRange(0, 2).Draw(t, "conditions") {
		key := rapid.SampledFrom(keys()).Draw(t, "key")
		operator := rapid.SampledFrom(operators()[key]).Draw(t, "operator")
		operator = rapid.SampledFrom([]string{"", "", "", "ForAnyValue:", "ForAllValues:"}).Draw(t, "set") + operator
		operator += rapid.SampledFrom([]string{"", "", "IfExists"}).Draw(t, "suffix")
		values := any(someOf(t, "values", compared()[key]))
		if rapid.IntRange(0, 7).Draw(t, "null") == 0 {
			operator, values = "Null", rapid.SampledFrom([]string{"true", "false"}).Draw(t, "absent")
		}
		if rapid.IntRange(0, 40).Draw(t, "unheard of") == 0 {
			operator = "StringResembles"
		}
		conditions[operator] = object{key: values}
	}
	return conditions
}

// drawStatement makes a statement; of a resource policy with principals.
func drawStatement(t *rapid.T, effect string, ofResource bool) object {
	s := object{"Effect": effect}
	s[rapid.SampledFrom([]string{"Action", "Action", "Action", "NotAction"}).Draw(t, "action element")] = someOf(t, "actions", actionPatterns())
	s[rapid.SampledFrom([]string{"Resource", "Resource", "Resource", "NotResource"}).Draw(t, "resource element")] = someOf(t, "resources", resourcePatterns())
	if c := drawConditions(t); len(c) > 0 {
		s["Condition"] = c
	}
	if ofResource {
		names := []string{"*", ann, loader, rootOf, home, session, "arn:aws:sts::" + home + ":assumed-role/Loader/other", "arn:aws:iam::" + foreign + ":root", "AIDACKCEVSQ6C2EXAMPLE"}
		element := "Principal"
		if effect == policy.Deny && rapid.IntRange(0, 3).Draw(t, "not principal") == 0 {
			element = "NotPrincipal"
		}
		s[element] = object{"AWS": rapid.SliceOfNDistinct(rapid.SampledFrom(names), 1, 3, rapid.ID[string]).Draw(t, "principals")}
		if rapid.IntRange(0, 15).Draw(t, "canonical") == 0 {
			s[element] = object{"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}
		}
	}
	return s
}

func drawEffect(t *rapid.T) string {
	return rapid.SampledFrom([]string{policy.Allow, policy.Allow, policy.Deny}).Draw(t, "effect")
}

func parsed(t require.TestingT, statements ...object) policy.Document {
	text, err := json.Marshal(object{"Version": "2012-10-17", "Statement": statements})
	require.NoError(t, err)
	d, err := policy.Parse(string(text))
	require.NoError(t, err, "%s", text)
	return d
}

func drawLayer(t *rapid.T, ofResource bool) policy.Layer {
	statements := []object{}
	for range rapid.IntRange(0, 3).Draw(t, "statements") {
		statements = append(statements, drawStatement(t, drawEffect(t), ofResource))
	}
	return policy.Layer{Policies: []policy.Policy{{Name: "generated", Document: parsed(t, statements...)}}}
}

func drawLayers(t *rapid.T) policy.Layers {
	l := policy.Layers{
		Identity:        drawLayer(t, false),
		Resource:        drawLayer(t, true),
		ResourceDecides: rapid.IntRange(0, 3).Draw(t, "resource decides") == 0,
		ResourceAccount: rapid.SampledFrom([]string{home, home, foreign}).Draw(t, "resource account"),
	}
	optional := func(label string) *policy.Layer {
		if rapid.IntRange(0, 2).Draw(t, label) > 0 {
			return nil
		}
		layer := drawLayer(t, false)
		return &layer
	}
	l.Boundary, l.Session = optional("boundary"), optional("session")
	for range rapid.IntRange(0, 2).Draw(t, "levels") {
		layer := drawLayer(t, false)
		if rapid.Bool().Draw(t, "full access") {
			layer.Policies = append(layer.Policies, policy.Policy{Name: "FullAWSAccess", Document: parsed(t, object{"Effect": "Allow", "Action": "*", "Resource": "*"})})
		}
		l.Controls = append(l.Controls, layer)
	}
	return l
}

func drawCaller(t *rapid.T) policy.Caller {
	return rapid.SampledFrom([]policy.Caller{
		{Kind: policy.User, ARN: ann, Account: home},
		{Kind: policy.Session, ARN: loader, Account: home, SessionName: "nightly"},
		{Kind: policy.Root, ARN: rootOf, Account: home},
		{Kind: policy.User, ARN: ann, Account: home, Federating: true},
		{Kind: policy.Anyone},
		{Kind: policy.User, ARN: "arn:aws:iam::" + foreign + ":user/eve", Account: foreign},
	}).Draw(t, "caller")
}

// drawContext knows each key or says that it is absent.
func drawContext(t *rapid.T) policy.Context {
	var c policy.Context
	for _, key := range keys() {
		c = c.With(key, rapid.SampledFrom(completions(key)).Draw(t, key)...)
	}
	return c.WithoutOthers("")
}

// completions are what an unknown key may turn out to be.
func completions(key string) [][]string {
	d := domains()[key]
	return [][]string{nil, {d[0]}, {d[1]}, {d[0], d[1]}, {""}}
}

func drawRequest(t *rapid.T) policy.Request {
	return policy.Request{
		Caller: drawCaller(t), Action: rapid.SampledFrom(actions()).Draw(t, "action"),
		Resource: rapid.SampledFrom(resources()).Draw(t, "resource"), Context: drawContext(t),
	}
}

// rank orders decisions by how much they allow.
func rank(d policy.Decision) int {
	return slices.Index([]policy.Decision{policy.Denied, policy.Depends, policy.Allowed}, d)
}

// TestGeneratedRequestsAreOfAllKinds keeps the properties from holding because
// nothing ever meets.
func TestGeneratedRequestsAreOfAllKinds(t *testing.T) {
	t.Parallel()
	const drawn = 800
	seen := map[string]int{}
	generator := rapid.Custom(func(t *rapid.T) policy.Verdict { return policy.Evaluate(drawRequest(t), drawLayers(t)) })
	for seed := range drawn {
		v := generator.Example(seed)
		kind := string(v.Decision)
		if v.Explicit {
			kind = "explicitly " + kind
		}
		seen[kind]++
	}
	for _, kind := range []string{"allowed", "denied", "explicitly denied", "depends"} {
		require.Greater(t, seen[kind], drawn/100, "%s: %v", kind, seen)
	}
}
