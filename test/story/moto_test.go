package story

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/client"
	"github.com/gatehouse-project/gatehouse/test/moto"
)

// motoComparison discovers an organisation in an AWS that we did not write, on
// the command line, and compares the graph with what that AWS lists itself.
func motoComparison(t *testing.T, p *plane) {
	m := newMotoCloud(t)
	const name = "Moto"
	created := p.cli(t, []string{"STORY_SECRET=" + aws.ToString(m.key.SecretAccessKey)},
		"connections", "create", "aws", "--name", name, "--set-env", "secret_access_key=STORY_SECRET",
		"--set", "access_key_id="+aws.ToString(m.key.AccessKeyId), "--set", "region="+motoRegion, "--set", "endpoint_url="+m.url,
		"--set", "member_role_name="+entranceRole, "--set", "organizations_enabled=true",
		"--scope", "aws_accounts="+m.management.id+","+m.member.id, "-o", "json")
	require.Zero(t, created.status, created.stderr)
	var conn client.Connection
	decode(t, created.stdout, &conn)
	var tested client.ConnectionTest
	p.ask(t, &tested, "connections", "test", name)
	require.Equal(t, "success", tested.Status, "%+v", tested)
	var run client.Run
	printed := p.ask(t, &run, "runs", "start", "discovery.run", "--connection", name, "--watch")
	require.Equal(t, "succeeded", run.Outcome, printed)

	g := readMotoGraph(t, p, conn.ConnectionID)
	l := m.list(t)
	g.requireThings(t, l)
	g.requireDetails(t, l)
	g.requireHoldings(t, l)
	g.requireReach(t)

	again := p.discover(t, conn.ConnectionID)
	require.Equal(t, "succeeded", again.Outcome, "%+v", again)
	// Entities may change: reading is a last use of a key and a role, which is shown.
	for _, change := range []string{"entities_new", "entities_closed", "relationships_new", "relationships_changed", "relationships_closed"} {
		require.Contains(t, again.SummaryCounts, change)
		require.Zero(t, again.SummaryCounts[change], "%s: %v", change, again.SummaryCounts)
	}
}

// motoGraph is what the graph holds of moto's organisation.
type motoGraph struct {
	plane  *plane
	things map[thing]client.Entity
}

// motoAttributes are those that the comparison is about.
type motoAttributes struct {
	ARN, Account, Owner string
	Boundary            string `json:"permissions_boundary"`
	Versions            []string
	DefaultVersion      string `json:"default_version"`
	Document            json.RawMessage
}

func attributesOf(t *testing.T, e client.Entity) (a motoAttributes) {
	t.Helper()
	decode(t, string(e.Attributes), &a)
	return a
}

// readMotoGraph reads all entities of the kinds that moto can list, under the
// names that a listing gives them.
func readMotoGraph(t *testing.T, p *plane, conn string) *motoGraph {
	t.Helper()
	g := &motoGraph{plane: p, things: map[thing]client.Entity{}}
	for _, e := range p.entities(t, conn) {
		own := thing{e.Type, e.ProviderID}
		switch e.Type {
		case "iam_user":
			if e.Kind == "Principal" {
				continue // who acts through the user of the same id
			}
		case "iam_managed_policy":
			own.name = attributesOf(t, e).ARN
		case "aws_managed_policy":
			own.name = attributesOf(t, e).Account + " " + attributesOf(t, e).ARN
		case "iam_inline_policy":
			own = inlineName(attributesOf(t, e).Owner, e.Name)
		case "iam_role", "iam_group", "s3_bucket", "lambda_function", "aws_account", "organizational_unit":
		default:
			continue
		}
		require.NotContains(t, g.things, own)
		g.things[own] = e
	}
	return g
}

// requireThings requires that nothing is missing and nothing made up.
func (g *motoGraph) requireThings(t *testing.T, l *listing) {
	t.Helper()
	var seen, listed []thing
	for own := range g.things {
		seen = append(seen, own)
	}
	for own := range l.things {
		listed = append(listed, own)
	}
	require.ElementsMatch(t, listed, seen)
}

// requireDetails compares boundaries, and versions and texts of policies.
func (g *motoGraph) requireDetails(t *testing.T, l *listing) {
	t.Helper()
	require.NotEmpty(t, l.boundaries)
	for own, e := range g.things {
		if own.kind == "iam_user" || own.kind == "iam_role" {
			require.Equal(t, l.boundaries[own], attributesOf(t, e).Boundary, "boundary of %s", e.Name)
		}
		if own.kind == "iam_managed_policy" {
			a := attributesOf(t, e)
			require.ElementsMatch(t, l.versions[own], a.Versions, e.Name)
			require.Contains(t, a.Versions, a.DefaultVersion)
			require.JSONEq(t, l.texts[own], string(a.Document), "the text of %s in force", e.Name)
		}
	}
}

// requireHoldings asks for every user, role and group, and every group and
// policy, whether one holds the other.
func (g *motoGraph) requireHoldings(t *testing.T, l *listing) {
	t.Helper()
	require.NotEmpty(t, l.held)
	for holder, from := range g.things {
		if !slices.Contains([]string{"iam_user", "iam_role", "iam_group"}, holder.kind) {
			continue
		}
		for held, to := range g.things {
			if holder == held || held.kind != "iam_group" && !strings.HasSuffix(held.kind, "_policy") {
				continue
			}
			const single = 1
			found, err := g.plane.api.Paths(t.Context(), from.EntityID, to.EntityID, single, single, "")
			require.NoError(t, err)
			require.Equal(t, l.held[holding{holder, held}], len(found.Value.Paths) == single, "%s holds %s", from.Name, to.Name)
		}
	}
}

// requireReach compares who reaches the buckets with what the policies that
// were put into moto mean. A name after "as" is the role that is assumed.
func (g *motoGraph) requireReach(t *testing.T) {
	t.Helper()
	root := "root of " + moto.ManagementAccount
	for bucket, want := range map[string][]string{
		"reports": {
			"ana allowed", "cleo denied", "ben allowed", "gatehouse allowed",
			"Publisher allowed", "lambda.amazonaws.com allowed as Publisher",
		},
		// Only the first version of read-reports, which is not in force, let
		// the analysts read it.
		"payroll": {"Loader allowed", "ben allowed", root + " allowed as Loader", "gatehouse allowed"},
		"archive": {"Loader allowed", "ben allowed as Loader", root + " allowed as Loader", "Backup allowed", "ana conditional as Backup"},
	} {
		resource := g.things[thing{"s3_bucket", "arn:aws:s3:::" + bucket}]
		who, err := g.plane.api.WhoCan(t.Context(), resource.EntityID, client.AccessFilter{}, client.Pages{})
		require.NoError(t, err)
		require.True(t, who.Basis.Observed)
		var got []string
		for _, row := range who.Items {
			text := row.Account.Name + " " + row.Decision
			if row.ActingAs != nil {
				text += " as " + row.ActingAs.Name
			}
			got = append(got, text)
		}
		require.ElementsMatch(t, want, got, "who can reach %s", bucket)
	}
}
