package policy_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connectors/aws/policy"
)

func TestParse(t *testing.T) {
	t.Parallel()
	d, err := policy.Parse(url.PathEscape(`{"version":"2012-10-17","statement":{"SID":"One","effect":"Allow","Principal":{"AWS":["*"]},"action":"s3:*","NotResource":["a","b"],"Condition":{"Bool":{"aws:SecureTransport":true}}}}`))
	require.NoError(t, err)
	require.Equal(t, "2012-10-17", d.Version)
	require.Len(t, d.Statements, 1)
	s := d.Statements[0]
	require.Equal(t, "One", s.Key)
	require.Equal(t, policy.List{"s3:*"}, s.Action)
	require.Equal(t, policy.List{"a", "b"}, s.NotResource)
	require.True(t, s.HasCondition())

	d, err = policy.Parse("  ")
	require.NoError(t, err)
	require.Empty(t, d.Statements)
}

func TestStatementsAreToldApart(t *testing.T) {
	t.Parallel()
	d, err := policy.Parse(`{"Statement":[{"Sid":"A","Effect":"Allow"},{"Sid":"B","Effect":"Allow"},{"Sid":"A","Effect":"Deny"},{"Effect":"Deny"}]}`)
	require.NoError(t, err)
	var keys []string
	for _, s := range d.Statements {
		keys = append(keys, s.Key)
	}
	require.Equal(t, []string{"#0", "B", "#2", "#3"}, keys)
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"a":`, 1000) + "1" + strings.Repeat("}", 1000)
	for name, text := range map[string]string{
		"no JSON":                        `{"Statement":`,
		"text after it":                  `{} {}x`,
		"a list":                         `["Statement"]`,
		"nothing":                        `null`,
		"nothing, encoded":               `%6eull`,
		"no statement":                   `{}`,
		"no statement but a version":     `{"Version":"2012-10-17"}`,
		"percent signs":                  `%7B%`,
		"two statements elements":        `{"Statement":[],"Statement":[]}`,
		"elements that differ in case":   `{"Statement":[{"Effect":"Deny","effect":"Allow"}]}`,
		"a condition key twice":          `{"Statement":[{"Effect":"Allow","Condition":{"StringEquals":{"aws:username":"a","aws:username":"b"}}}]}`,
		"no effect":                      `{"Statement":[{"Action":"*"}]}`,
		"an effect in small letters":     `{"Statement":[{"Effect":"allow"}]}`,
		"statement of a string":          `{"Statement":"all"}`,
		"statement of null":              `{"Statement":null}`,
		"action of a number":             `{"Statement":[{"Effect":"Allow","Action":7}]}`,
		"action beside not action":       `{"Statement":[{"Effect":"Allow","Action":"*","NotAction":"*"}]}`,
		"resource beside not resource":   `{"Statement":[{"Effect":"Allow","Resource":"*","NotResource":"*"}]}`,
		"principal beside not principal": `{"Statement":[{"Effect":"Allow","Principal":"*","NotPrincipal":"*"}]}`,
		"principal of a name":            `{"Statement":[{"Effect":"Allow","Principal":"ann"}]}`,
		"condition of a string":          `{"Statement":[{"Effect":"Allow","Condition":"never"}]}`,
		"condition value of an object":   `{"Statement":[{"Effect":"Allow","Condition":{"Bool":{"a":{}}}}]}`,
		"condition value of null":        `{"Statement":[{"Effect":"Allow","Condition":{"Bool":{"a":null}}}]}`,
		"nested deeply":                  deep,
		"longer than any":                `{"Statement":[` + strings.Repeat(" ", policy.MaxDocumentBytes) + `]}`,
		"encoded and longer":             strings.Repeat("%20", policy.MaxDocumentBytes) + "{}",
	} {
		_, err := policy.Parse(text)
		require.Error(t, err, name)
		require.Less(t, len(err.Error()), 200, name)
	}
}

// TestConditionKeysMayDifferInCase: tag names are told apart by case.
func TestConditionKeysMayDifferInCase(t *testing.T) {
	t.Parallel()
	_, err := policy.Parse(`{"Statement":[{"Effect":"Allow","Condition":{"StringEquals":{"aws:PrincipalTag/Team":"a","aws:PrincipalTag/team":"b"}}}]}`)
	require.NoError(t, err)
}

// TestLargestDocumentsAreDecided reads policies at AWS's limits and far beyond
// them, and decides requests by them without noticeable cost: the work grows
// with the text times the resource's length, whatever the wildcards.
func TestLargestDocumentsAreDecided(t *testing.T) {
	t.Parallel()
	for _, size := range []int{6144, 10240, 20480, 32 << 10, 512 << 10} {
		var resources []string
		for n := 0; n < size; {
			one := fmt.Sprintf("arn:aws:s3:::%s*/%d", strings.Repeat("a*", 60), len(resources))
			resources, n = append(resources, one), n+len(one)+3
		}
		text, err := json.Marshal(object{"Version": "2012-10-17", "Statement": object{"Effect": "Allow", "Action": "s3:*", "Resource": resources}})
		require.NoError(t, err)
		l := policy.Layers{ResourceAccount: home, Identity: layerOf(t, string(text))}
		r := reading(user())
		r.Resource = "arn:aws:s3:::" + strings.Repeat("a", 1000) + "/x"
		began := time.Now()
		require.Equal(t, policy.Denied, policy.Evaluate(r, l).Decision)
		t.Logf("%d bytes: %s", len(text), time.Since(began))
		r.Resource = "arn:aws:s3:::" + strings.Repeat("a", 1000) + "/1"
		require.Equal(t, policy.Allowed, policy.Evaluate(r, l).Decision)
	}
}

// FuzzParse looks for texts that make reading or deciding fail in any other way
// than by an error, and for verdicts that change when the text is read again.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `{"Statement":[]}`, `%7B%22Statement%22%3A%5B%5D%7D`, `{"Statement":{"Effect":"Deny","NotAction":[],"Resource":""}}`,
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["*"],"Service":"x"},"Action":"s3:*","Resource":["arn:aws:s3:::a/${aws:username}","${","${}","${a, 'b'}","${*}"]}]}`,
		`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","NotPrincipal":{"AWS":"` + rootOf + `"},"NotAction":"?:*","NotResource":"**","Condition":{"ForAllValues:NumericEqualsIfExists":{"s3:max-keys":[1,"2",1e9]},"Null":{"a":true}}}]}`,
		`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"DateEquals":{"aws:CurrentTime":"2026"},"IpAddress":{"aws:SourceIp":"::/0"},"BinaryEquals":{"x":"AA=="},"ArnLike":{"aws:PrincipalArn":"*"}}}]}`,
		`{"Statement":[{"Effect":"Allow","Effect":"Deny"}]}`, "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"\xff\"}]}",
	} {
		f.Add(seed, "arn:aws:s3:::a/ann")
	}
	f.Fuzz(func(t *testing.T, text, resource string) {
		if len(text) > 4096 || len(resource) > 512 {
			return
		}
		d, err := policy.Parse(text)
		if err != nil {
			require.Empty(t, d.Statements)
			return
		}
		layer := policy.Layer{Policies: []policy.Policy{{Name: "fuzzed", Document: d}}}
		r := reading(nightly())
		r.Resource, r.Context = resource, policy.Context{}
		first := policy.Evaluate(r, policy.Layers{Identity: layer, Resource: layer, Boundary: &layer, ResourceAccount: home})
		again, err := policy.Parse(text)
		require.NoError(t, err)
		layer = policy.Layer{Policies: []policy.Policy{{Name: "fuzzed", Document: again}}}
		require.Equal(t, first, policy.Evaluate(r, policy.Layers{Identity: layer, Resource: layer, Boundary: &layer, ResourceAccount: home}))
	})
}
