package story

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/client"
)

// firstAnswer is the main job as a person does it on the command line: connect,
// test, discover, ask.
func firstAnswer(t *testing.T, p *plane) {
	c := newCloud(t, 19)
	s := c.Summary()
	const name = "First answer"
	create := []string{"connections", "create", "aws", "--name", name, "--set-env", "secret_access_key=STORY_SECRET", "-o", "json"}
	for field, value := range map[string]string{
		"access_key_id": s.Auditor.AccessKeyID, "region": s.Region, "endpoint_url": c.url, "member_role_name": s.AuditRole,
		"external_id": s.ExternalID, "organizations_enabled": "true", "identity_center_enabled": "true",
	} {
		create = append(create, "--set", field+"="+value)
	}
	created := p.cli(t, []string{"STORY_SECRET=" + s.Auditor.SecretAccessKey}, create...)
	require.Zero(t, created.status, created.stderr)
	var conn client.Connection
	decode(t, created.stdout, &conn)
	require.Equal(t, name, conn.Name)
	require.Equal(t, "unknown", conn.Status)
	require.Nil(t, conn.Target)

	var tested client.ConnectionTest
	p.ask(t, &tested, "connections", "test", name)
	require.Equal(t, "success", tested.Status, "%+v", tested)
	p.ask(t, &conn, "connections", "show", name)
	require.Equal(t, "healthy", conn.Status)
	require.NotNil(t, conn.Target)
	require.Equal(t, s.OrganizationID, conn.Target.ProviderID)

	var run client.Run
	printed := p.ask(t, &run, "runs", "start", "discovery.run", "--connection", name, "--watch")
	requireRunShape(t, printed)
	require.Equal(t, "discovery.run", run.OperationType)
	require.Equal(t, "succeeded", run.Outcome, printed)
	require.Positive(t, run.SummaryCounts["entities_new"])
	require.Zero(t, run.SummaryCounts["relationships_dangling"])

	answersAre(t, p, c)
	listsHaveTheirShape(t, p, conn.ConnectionID)
	everythingIsAuditedOnce(t, p, conn.ConnectionID, tested.RunID, run.RunID)
	p.requireUnchanged(t, conn.ConnectionID)
}

// answersAre compares the three answers with what the organisation is made to hold.
func answersAre(t *testing.T, p *plane, c *cloud) {
	s := c.Summary()
	var who struct {
		Principals []client.Access `json:"principals"`
		Observed   bool            `json:"observed"`
	}
	p.ask(t, &who, "access", "who-can", c.bucket(), "--all")
	require.True(t, who.Observed)
	i := slices.IndexFunc(who.Principals, func(a client.Access) bool { return a.Account.ProviderID == s.Contractor.IAMUserID })
	require.GreaterOrEqual(t, i, 0, "the contractor's user is missing in %v", accountsOf(who.Principals))
	contractor := who.Principals[i]
	require.Contains(t, contractor.Actions, "s3:GetObject")
	require.NotEqual(t, "denied", contractor.Decision)
	require.NotNil(t, contractor.ActingAs, "the way leads through a role")
	require.Equal(t, "DataMigrationRunner", contractor.ActingAs.Name)
	require.Contains(t, accountsOf(who.Principals), s.Contractor.DirectoryUserID)

	var what struct {
		Resources []client.Access `json:"resources"`
	}
	p.ask(t, &what, "access", "what-can", s.Contractor.IAMUserARN, "--all")
	require.True(t, slices.ContainsFunc(what.Resources, func(a client.Access) bool { return a.Resource.ProviderID == c.bucket() }))

	var why client.Paths
	p.ask(t, &why, "access", "why", s.Contractor.IAMUserARN, c.bucket())
	require.NotEmpty(t, why.Paths)
	for _, path := range why.Paths {
		require.Len(t, path.Steps, path.Hops)
		require.Equal(t, s.Contractor.IAMUserID, path.Steps[0].From.ProviderID)
		require.Equal(t, c.bucket(), path.Steps[len(path.Steps)-1].To.ProviderID)
		for n, step := range path.Steps {
			require.NotEmpty(t, step.Edges)
			if n > 0 {
				require.Equal(t, path.Steps[n-1].To.EntityID, step.From.EntityID, "the path has a gap")
			}
		}
	}
	table := p.cli(t, nil, "access", "who-can", c.bucket(), "--all")
	require.Zero(t, table.status)
	require.Contains(t, table.stdout, "DataMigrationRunner")
}

// requireRunShape requires the fields of a run that others script against.
func requireRunShape(t *testing.T, text string) {
	t.Helper()
	var fields map[string]json.RawMessage
	decode(t, text, &fields)
	for _, name := range []string{"run_id", "operation_type", "status", "outcome", "reason_code", "summary_counts", "created_at", "started_at", "completed_at"} {
		require.Contains(t, fields, name)
	}
	require.Regexp(t, `^"run_[0-9]+"$`, string(fields["run_id"]))
}

// listsHaveTheirShape requires {"<plural>": […], "next_cursor"} with limit and
// cursor, and that pages are neither short of anything nor repeat it.
func listsHaveTheirShape(t *testing.T, p *plane, conn string) {
	for plural, query := range map[string]string{"integrations": "?", "connections": "?", "runs": "?connection_id=" + conn + "&", "entities": "?kind=Resource&connection_id=" + conn + "&"} {
		path := "/v1/" + plural + query + "limit=1"
		for cursor, seen := "", map[string]bool{}; ; {
			status, text := p.get(t, path+cursor)
			require.Equal(t, 200, status, text)
			var page map[string]json.RawMessage
			decode(t, text, &page)
			known := []string{plural, "next_cursor", "total", "$schema"}
			if plural == "entities" { // an answer about the graph: it says what it rests on
				known = append(known, "as_of", "observed", "truncated", "coverage")
			}
			require.Subset(t, known, keysOf(page), "%s", text)
			var items []json.RawMessage
			decode(t, string(page[plural]), &items)
			require.LessOrEqual(t, len(items), 1)
			for _, item := range items {
				require.False(t, seen[idOf(t, item)], "%s comes twice", item)
				seen[idOf(t, item)] = true
				if plural == "runs" {
					requireRunShape(t, string(item))
				}
				if plural == "entities" {
					requireEntityShape(t, item)
				}
			}
			if page["next_cursor"] == nil || plural == "connections" {
				require.NotEmpty(t, seen)
				break
			}
			var next string
			decode(t, string(page["next_cursor"]), &next)
			cursor = "&cursor=" + next
		}
	}
}

func requireEntityShape(t *testing.T, item json.RawMessage) {
	t.Helper()
	var fields map[string]json.RawMessage
	decode(t, string(item), &fields)
	require.Subset(t, keysOf(fields), []string{"entity_id", "kind", "name", "provider_id", "connection_id", "attributes"})
}

func keysOf(object map[string]json.RawMessage) []string {
	var keys []string
	for key := range object {
		keys = append(keys, key)
	}
	return keys
}

var publicID = regexp.MustCompile(`"(run|ent|conn)_[0-9a-f]+"|"integration_id":"[a-z_]+"`)

// idOf is the first id in an item of a list, which is its own.
func idOf(t *testing.T, item json.RawMessage) string {
	t.Helper()
	id := publicID.FindString(strings.ReplaceAll(string(item), `": "`, `":"`))
	require.NotEmpty(t, id, string(item))
	return id
}

// everythingIsAuditedOnce requires one event for each thing that was done.
func everythingIsAuditedOnce(t *testing.T, p *plane, conn, test, run string) {
	for target, want := range map[string][]string{
		conn: {"connection_created", "connection_tested"},
		test: {"run_accepted", "run_started", "run_succeeded"},
		run:  {"run_accepted", "run_started", "run_succeeded"},
	} {
		var list struct {
			Events []client.AuditEvent `json:"audit_events"`
		}
		p.ask(t, &list, "audit", "list", "--target-id", target, "--all")
		var actions []string
		for _, e := range list.Events {
			if e.Action == "configuration_disclosed" {
				continue // counted below
			}
			actions = append(actions, e.Action)
		}
		require.ElementsMatch(t, want, actions, target)
	}
	var disclosed struct {
		Events []client.AuditEvent `json:"audit_events"`
	}
	p.ask(t, &disclosed, "audit", "list", "--action", "configuration_disclosed", "--target-id", conn, "--all")
	require.Len(t, disclosed.Events, 2, "once for the test, once for the discovery")
}
