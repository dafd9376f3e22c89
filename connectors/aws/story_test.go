package aws_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connectors/aws"
)

// graph is everything a run emitted.
type graph struct {
	entities      map[connector.Ref]connector.Entity
	relationships []connector.Relationship
	gaps          []connector.Error
	skipped       []connector.Partition
	pages         []connector.Cursor // where each page says to go on
}

func newGraph() *graph { return &graph{entities: map[connector.Ref]connector.Entity{}} }

// content is what was emitted without order and repetition.
func (g *graph) content() map[string]bool {
	all := map[string]bool{}
	for _, e := range g.entities {
		all[fmt.Sprintf("%+v %s", e.Ref, e.Attributes)] = true
	}
	for _, r := range g.relationships {
		all[fmt.Sprintf("%s %s %s %s %s", r.Kind, r.From, r.To, r.Key, r.Attributes)] = true
	}
	return all
}

func (g *graph) Write(_ context.Context, page connector.Page) error {
	for _, e := range page.Entities {
		g.entities[e.Ref] = e
	}
	g.relationships = append(g.relationships, page.Relationships...)
	g.gaps = append(g.gaps, page.Gaps...)
	g.pages = append(g.pages, page.Next)
	return nil
}

// discover reads all partitions one after the other, as a worker does.
func discover(t testing.TB, s connector.Settings) *graph {
	t.Helper()
	return discoverWith(t, aws.New(), s)
}

func discoverWith(t testing.TB, c connector.Connector, s connector.Settings) *graph {
	t.Helper()
	session, err := c.Open(t.Context(), s)
	require.NoError(t, err)
	defer func() { require.NoError(t, session.Close()) }()
	plan, err := session.Plan(t.Context())
	require.NoError(t, err)
	g := newGraph()
	for _, p := range plan.Partitions {
		if p.Skip != nil {
			g.skipped = append(g.skipped, p)
			continue
		}
		require.NoError(t, session.Read(t.Context(), p, "", g), "%s %s", p.Stream, p.Key)
	}
	return g
}

// reaches reports whether allowing relationships lead from one entity to
// another. Boundaries contain and lead nowhere.
func (g *graph) reaches(from, to connector.Ref) bool {
	next := map[connector.Ref][]connector.Ref{}
	for _, r := range g.relationships {
		if r.Kind != connector.BoundaryContains && (r.Terms == nil || r.Terms.Effect != connector.Deny) {
			next[r.From] = append(next[r.From], r.To)
		}
	}
	seen := map[connector.Ref]bool{from: true}
	for queue := []connector.Ref{from}; len(queue) > 0; queue = queue[1:] {
		if queue[0] == to {
			return true
		}
		for _, n := range next[queue[0]] {
			if !seen[n] {
				seen[n] = true
				queue = append(queue, n)
			}
		}
	}
	return false
}

func (g *graph) count(kind connector.EntityKind, typ string) (n int) {
	for ref, e := range g.entities {
		if ref.Kind == kind && e.Type == typ {
			n++
		}
	}
	return n
}

// TestContractorReachesPayroll follows the two ways that the simulated
// organisation is known to hold: from an IAM user over a group and a role of
// another account, and from an Identity Center user over a permission set.
func TestContractorReachesPayroll(t *testing.T) {
	t.Parallel()
	c := newCloud(t, people)
	g := discover(t, c.settings(t, nil))
	require.Empty(t, g.gaps)
	summary := c.Summary()
	bucket := connector.Ref{Kind: connector.Resource, ID: "arn:aws:s3:::" + summary.Sensitive.Name}
	require.Contains(t, g.entities, bucket)
	for _, id := range []string{summary.Contractor.IAMUserID, summary.Contractor.DirectoryUserID} {
		person := connector.Ref{Kind: connector.Principal, ID: id}
		require.Contains(t, g.entities, person)
		require.True(t, g.reaches(person, bucket), "%s does not reach %s", id, bucket.ID)
	}
	require.True(t, slices.ContainsFunc(g.relationships, func(r connector.Relationship) bool {
		return r.Kind == connector.EntitlementGrantsResource && r.To == bucket && r.Terms.Effect == connector.Deny && r.Key == "Keep"
	}), "the role's denial is missing")
}

// TestCountsAgreeWithTheEstate compares what is emitted with what exists.
func TestCountsAgreeWithTheEstate(t *testing.T) {
	t.Parallel()
	c := newCloud(t, people)
	g := discover(t, c.settings(t, nil))
	want := c.Summary().Counts
	for typ, n := range map[string]int{"iam_user": want.IAMUsers, "iam_role": want.IAMRoles, "identity_center_user": want.DirectoryUsers} {
		require.Equal(t, n, g.count(connector.Account, typ), typ)
	}
	for typ, n := range map[string]int{
		"iam_group": want.IAMGroups, "iam_managed_policy": want.CustomerPolicies, "iam_inline_policy": want.InlinePolicies,
		"identity_center_group": want.DirectoryGroups, "permission_set": want.ProvisionedSets,
	} {
		require.Equal(t, n, g.count(connector.Entitlement, typ), typ)
	}
	require.Equal(t, want.Buckets, g.count(connector.Resource, "s3_bucket"))
	functions := 0 // in the connection's region
	for i := range c.Estate().Organization.Accounts {
		for _, f := range c.Estate().Inventory(i).Functions {
			if f.Region == c.Summary().Region {
				functions++
			}
		}
	}
	require.Equal(t, functions, g.count(connector.Resource, "lambda_function"))
	require.Equal(t, want.Accounts, g.count(connector.CloudAccountBoundary, "aws_account"))
	require.Equal(t, want.OrganizationalUnits, g.count(connector.CloudAccountBoundary, "organizational_unit"))
}

// TestLastUseIsKnown looks for the credential report's facts on users.
func TestLastUseIsKnown(t *testing.T) {
	t.Parallel()
	c := newCloud(t, people)
	g := discover(t, c.settings(t, nil))
	used := 0
	for _, e := range g.entities {
		if e.Type != "iam_user" || e.Kind != connector.Account {
			continue
		}
		var a struct {
			Keys []struct {
				Active   bool   `json:"active"`
				LastUsed string `json:"last_used_at"`
			} `json:"access_keys"`
			MFA *bool `json:"mfa_active"`
		}
		require.NoError(t, json.Unmarshal(e.Attributes, &a))
		require.NotNil(t, a.MFA, "user %s has no credential facts", e.Name)
		for _, k := range a.Keys {
			if k.LastUsed != "" {
				used++
			}
		}
	}
	require.NotZero(t, used)
}
