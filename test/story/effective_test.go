package story

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/client"
)

// decisions orders what becomes of requests by how much is let through.
func decisions() []string { return []string{"denied", "depends", "allowed"} }

func rankOf(decision string) int { return slices.Index(decisions(), decision) }

// effective asks of a simulated organisation, read into a real database, what
// would become of requests: each row of who-can and of what-can says what the
// single decision about its account, and about its subject, says.
func effective(t *testing.T, p *plane) {
	c := newCloud(t, 63)
	conn := p.connect(t, "Effective", c.configuration(nil))
	require.Equal(t, "succeeded", p.discover(t, conn).Outcome)
	all := p.entities(t, conn)
	given := []string{"aws:SourceIp=127.0.0.1", "aws:SecureTransport=true", "aws:ViaAWSService=false", "aws:MultiFactorAuthPresent", "aws:RequestedRegion=" + c.Summary().Region}

	seen := map[string]int{}
	for _, about := range []struct {
		resourceType, action string
		resources            int
	}{{"s3_bucket", "s3:GetObject", 2}, {"s3_bucket", "s3:PutBucketPolicy", 1}, {"lambda_function", "lambda:InvokeFunction", 1}} {
		names := []string{}
		for name, e := range all {
			if e.Kind == "Resource" && e.Type == about.resourceType && e.ProviderID != c.bucket() {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		if about.resourceType == "s3_bucket" {
			names = append([]string{"Resource " + c.bucket()}, names...)
		}
		for _, name := range names[:min(len(names), about.resources)] {
			for _, context := range [][]string{nil, given} {
				p.requireRowsDecided(t, all[name], about.action, context, seen)
			}
		}
	}
	t.Logf("rows by decision: %v", seen)
	for _, decision := range decisions() {
		require.Positive(t, seen[decision], "%v", seen)
	}
	p.requireReachDecided(t, c, all, given)
	p.requireSessionsLimited(t, c, all, given)
}

// requireRowsDecided holds every row of who-can against the decision about its
// account, and what is found for its principals.
func (p *plane) requireRowsDecided(t *testing.T, resource client.Entity, action string, given []string, seen map[string]int) {
	t.Helper()
	who, err := p.api.WhoCan(t.Context(), resource.EntityID, client.AccessFilter{Action: action, Effective: true, Context: given}, client.Pages{})
	require.NoError(t, err)
	require.False(t, who.Basis.Truncated)
	best := map[string]string{}
	for _, row := range who.Items {
		require.NotNil(t, row.Effective, row.Account.Name)
		one := p.decide(t, row.Account.EntityID, action, resource.EntityID, given)
		require.Equal(t, one.Decision, row.Effective.Decision, "%s %s %s", row.Account.ProviderID, action, resource.ProviderID)
		require.Equal(t, one.Routes[0], *row.Effective)
		seen[one.Decision]++
		if one.Decision == "depends" {
			requireReasoned(t, one.Routes[0])
		}
		for _, principal := range row.Principals {
			if rankOf(one.Decision) >= rankOf(best[principal.EntityID]) {
				best[principal.EntityID] = one.Decision
			}
		}
	}
	for principal, decision := range best {
		require.GreaterOrEqual(t, rankOf(p.decide(t, principal, action, resource.EntityID, given).Decision), rankOf(decision),
			"a principal may do what one of its accounts may")
	}
}

// requireReasoned: what depends says on what.
func requireReasoned(t *testing.T, r client.Route) {
	t.Helper()
	var needs []client.DecisionNeed
	for _, s := range r.Steps {
		needs = append(needs, s.DependsOn...)
	}
	require.NotEmpty(t, needs)
	for _, n := range needs {
		require.NotEmpty(t, n.Reason)
		require.Equal(t, n.Operator == "", len(n.Values) == 0, "%+v", n)
	}
}

func (p *plane) decide(t *testing.T, who, action, resource string, given []string) client.Decision {
	t.Helper()
	a, err := p.api.Evaluate(t.Context(), client.DecisionQuery{Principal: who, Action: action, Resource: resource, Context: given})
	require.NoError(t, err)
	require.NotEmpty(t, a.Value.Routes)
	return a.Value
}

// requireReachDecided does the same for what the story's contractor and some
// others can.
func (p *plane) requireReachDecided(t *testing.T, c *cloud, all map[string]client.Entity, given []string) {
	t.Helper()
	s := c.Summary()
	reached := map[string]int{}
	for _, id := range []string{s.Contractor.IAMUserID, s.Contractor.DirectoryUserID} {
		const action = "s3:GetObject"
		what, err := p.api.WhatCan(t.Context(), all["Account "+id].EntityID, client.AccessFilter{Action: action, Effective: true, Context: given}, client.Pages{})
		require.NoError(t, err)
		require.NotEmpty(t, what.Items)
		for _, row := range what.Items {
			require.NotNil(t, row.Effective)
			one := p.decide(t, all["Account "+id].EntityID, action, row.Resource.EntityID, given)
			require.Equal(t, one.Routes[0], *row.Effective, row.Resource.ProviderID)
			reached[one.Decision]++
			if row.Resource.ProviderID == c.bucket() {
				require.Equal(t, "allowed", one.Decision, "the contractor reads payroll")
				require.Greater(t, len(one.Routes[0].Accounts), 1, "by a role")
				require.Len(t, one.Routes[0].Steps, len(one.Routes[0].Accounts), "one decision for each hop, and one for the request")
			}
		}
	}
	require.Positive(t, reached["allowed"], "%v", reached)
}

// requireSessionsLimited: a policy of the session takes away and never gives, and
// one that makes no sense is refused with the place of the mistake.
func (p *plane) requireSessionsLimited(t *testing.T, c *cloud, all map[string]client.Entity, given []string) {
	t.Helper()
	who := all["Account "+c.Summary().Contractor.IAMUserID].EntityID
	ask := func(policy string) (client.Decision, error) {
		a, err := p.api.Evaluate(t.Context(), client.DecisionQuery{Principal: who, Action: "s3:GetObject", Resource: c.bucket() + "/may.csv", Context: given, SessionPolicy: policy})
		return a.Value, err
	}
	for policy, want := range map[string]string{
		"": "allowed",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}`:                                                                "allowed",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:List*","Resource":"*"}]}`:                                                               "denied",
		`{"Version":"2012-10-17","Statement":[]}`:                                                                                                                    "denied",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"s3:ExistingObjectTag/class":"public"}}}]}`: "depends",
	} {
		got, err := ask(policy)
		require.NoError(t, err, policy)
		require.Equal(t, want, got.Decision, policy)
	}
	for _, wrong := range []string{
		`{"Statement":`, `[]`, `{"Statement":[],"Statement":[]}`, `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}]}`,
		`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"` + strings.Repeat("a", 2048) + `"}]}`, strings.Repeat(`{"a":`, 200),
	} {
		_, err := ask(wrong)
		requireRefused(t, err, http.StatusUnprocessableEntity)
		require.ErrorContains(t, err, "session_policy")
	}
	status, text := p.get(t, "/v1/access/evaluate?"+url.Values{
		"principal": {who}, "action": {"s3:GetObject"}, "resource": {c.bucket()}, "session_policy": {strings.Repeat("x", 9000)},
	}.Encode())
	require.Equal(t, http.StatusUnprocessableEntity, status, text)

	file := filepath.Join(t.TempDir(), "session.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"Statement":[{"Sid":"Office","Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}}]}`), 0o600))
	printed := p.cli(t, nil, "access", "can", who, "s3:GetObject", c.bucket(), "--session-policy", file, "--given", "aws:SecureTransport=true")
	require.Zero(t, printed.status, printed.stderr)
	require.Contains(t, printed.stdout, "depends: the value of aws:SourceIp is not known; the policy asks IpAddress 203.0.113.0/24")
}
