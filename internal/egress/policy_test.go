package egress

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAllowedHosts(t *testing.T) {
	t.Parallel()
	policy := Policy{AllowedHosts: []string{"login.example.com", "*.amazonaws.com", "2001:DB8::1", "203.0.113.7", "Graph.Example.COM."}}
	require.NoError(t, policy.Validate())
	for host, want := range map[string]bool{
		"login.example.com":           true,
		"LOGIN.example.com":           true,
		"login.example.com.":          true,
		"graph.example.com":           true,
		"iam.amazonaws.com":           true,
		"sts.eu-west-1.amazonaws.com": true,
		"2001:db8:0::1":               true,
		"203.0.113.7":                 true,
		"::ffff:203.0.113.7":          true,
		"amazonaws.com":               false,
		".amazonaws.com":              false,
		"amazonaws.com.evil.example":  false,
		"evilamazonaws.com":           false,
		"a.login.example.com":         false,
		"example.com":                 false,
		"login.example.com.evil":      false,
		"203.0.113.8":                 false,
		"":                            false,
	} {
		require.Equal(t, want, policy.allowsHost(host), "%q", host)
	}
	require.True(t, Policy{}.allowsHost("anything.example"))
}

func TestUselessPatternsAreReportedAndAllowNothing(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{"", "*", "*.", "*example.com", "a.*.example.com", "https://example.com", "example.com:443", "a b", "a..b", ".example.com"} {
		policy := Policy{AllowedHosts: []string{pattern}}
		require.Error(t, policy.Validate(), "%q", pattern)
		for _, host := range []string{"example.com", "a.example.com", "evilexample.com", "a.b.example.com", "x"} {
			require.False(t, policy.allowsHost(host), "%q allows %q", pattern, host)
		}
	}
}
