package postgres_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/export"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// lines exports as lines of JSON and reads them back.
func (x *exports) lines(t *testing.T, q export.Query) ([]map[string]any, export.Manifest) {
	t.Helper()
	q.Format = export.JSONLines
	content, m := x.content(t, q)
	var rows []map[string]any
	d := json.NewDecoder(bytes.NewReader(content))
	for d.More() {
		row := map[string]any{}
		require.NoError(t, d.Decode(&row))
		require.Len(t, row, len(m.Columns))
		rows = append(rows, row)
	}
	require.EqualValues(t, len(rows), m.Rows)
	return rows, m
}

// ofRow is a change as its row tells it.
func ofRow(row map[string]any) string {
	key := ""
	switch row["of"] {
	case "entity":
		key = strings.TrimPrefix(row["entity_id"].(string), "ent_")
	case "relationship":
		key = strings.TrimPrefix(row["relationship_id"].(string), "rel_")
	}
	return fmt.Sprint(row["run_id"], " ", row["change"], " ", row["of"], " ", key)
}

// ofChange is the same of a change that was answered.
func ofChange(c graph.Change) string {
	of, key := "connection", ""
	if e := c.Entity(); e != nil {
		of, key = "entity", strings.TrimPrefix(e.ID.String(), "ent_")
	}
	if e := c.Edge(); e != nil {
		of, key = "relationship", fmt.Sprintf("%x", e.ID[:])
	}
	return fmt.Sprint(c.Run, " ", c.What, " ", of, " ", key)
}

// answered reads the list of changes to its end.
func (d *discovery) answered(t *testing.T, f graph.ChangeFilter) []string {
	t.Helper()
	all := []string{}
	for f.Limit = 3; ; {
		answer, err := d.questions().Changes(t.Context(), viewer(d.scope.Workspace), f)
		require.NoError(t, err)
		for _, c := range answer.Changes {
			all = append(all, ofChange(c))
		}
		if f.After = answer.Next; f.After == nil {
			return all
		}
	}
}

// An export of changes is the whole of the list that the API pages through.
func TestExportedChangesAreTheList(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	x := exportsOf(t, d)
	one, two := d.connect(t, d.scope), d.connect(t, d.scope)
	holds := func(account, entitlement string) connector.Relationship {
		return connector.Relationship{
			Kind: connector.AccountAssignedEntitlement, From: connector.Ref{Kind: connector.Account, ID: account}, To: connector.Ref{Kind: connector.Entitlement, ID: entitlement},
		}
	}
	admin := connector.Entity{Ref: connector.Ref{Kind: connector.Entitlement, ID: "admin"}, Name: "=admin", Type: "role"}
	ann := person("ann", email("ann@example.com"))
	first := d.discover(t, d.scope, one, whole("alpha", "", append(accounts("a", "b"), admin, ann), holds("a", "admin")))
	d.discover(t, d.scope, two, whole("alpha", "", accounts("x")))
	ann.Name = "Ann"
	third := d.discover(t, d.scope, one, whole("alpha", "", append(accounts("a", "c"), admin, ann), holds("a", "admin"), holds("c", "admin")))
	last := d.discover(t, d.scope, two, whole("alpha", "", accounts("x", "y")))
	account := graph.NewEntityID(d.scope.Workspace, one, connector.Ref{Kind: connector.Account, ID: "b"})

	run := func(r id.Run) graph.Moment { return graph.Moment{Run: r, Parameter: "x"} }
	for name, test := range map[string]struct {
		query export.Query
		same  graph.ChangeFilter
		rows  int
	}{
		"last publications": {export.Query{}, graph.ChangeFilter{}, 5},
		"since a run":       {export.Query{SinceRun: first.ID}, graph.ChangeFilter{From: run(first.ID)}, 6},
		"between runs":      {export.Query{SinceRun: first.ID, AsOfRun: third.ID}, graph.ChangeFilter{From: run(first.ID), To: run(third.ID)}, 5},
		"of a run":          {export.Query{Run: third.ID}, graph.ChangeFilter{Run: third.ID}, 4},
		"of a connection":   {export.Query{SinceRun: first.ID, Connection: two}, graph.ChangeFilter{From: run(first.ID), Connection: two}, 2},
		// The first load of a connection is told whatever the kind.
		"of a kind": {export.Query{SinceRun: first.ID, Kind: "Account"}, graph.ChangeFilter{From: run(first.ID), EntityKind: connector.Account}, 4},
		"of relationships": {
			export.Query{SinceRun: first.ID, Kind: "account_assigned_entitlement"},
			graph.ChangeFilter{From: run(first.ID), RelationshipKind: connector.AccountAssignedEntitlement},
			2,
		},
		"of what has left": {export.Query{SinceRun: first.ID, About: account}, graph.ChangeFilter{From: run(first.ID), Subject: account}, 1},
		"of nothing":       {export.Query{SinceRun: last.ID}, graph.ChangeFilter{From: run(last.ID)}, 0},
	} {
		test.query.Subject = export.Changes
		rows, m := x.lines(t, test.query)
		told := []string{}
		for _, row := range rows {
			told = append(told, ofRow(row))
		}
		require.Equal(t, d.answered(t, test.same), told, name)
		require.Len(t, rows, test.rows, name)
		require.False(t, m.Truncated)
	}

	rows, _ := x.lines(t, export.Query{Subject: export.Changes, Run: third.ID, Kind: "Principal"})
	require.Equal(t, []any{map[string]any{"field": "name", "before": "ann", "after": "Ann"}}, rows[0]["fields"])
	require.Equal(t, "ann", rows[0]["entity_provider_id"])
	rows, _ = x.lines(t, export.Query{Subject: export.Changes, Run: third.ID, Kind: "account_assigned_entitlement"})
	require.Equal(t, []any{"c", "=admin", "allow"}, []any{rows[0]["from_name"], rows[0]["to_name"], rows[0]["effect"]})
	rows, _ = x.lines(t, export.Query{Subject: export.Changes, Run: first.ID})
	require.Equal(t, "connection", rows[0]["of"], "a first load is one change")
	for _, format := range []export.Format{export.CSV, export.Parquet} {
		content, m := x.content(t, export.Query{Subject: export.Changes, Format: format, Run: third.ID})
		require.EqualValues(t, 4, m.Rows)
		require.Equal(t, format == export.CSV, bytes.Contains(content, []byte(",'=admin,")))
	}
}

func TestExportsOfChangesAreChecked(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	x := exportsOf(t, d)
	r := d.discover(t, d.scope, d.connect(t, d.scope), whole("alpha", "", accounts("a")))
	for says, q := range map[string]export.Query{
		"since: is in the future":            {Since: time.Now().Add(time.Hour)},
		"since: run_999":                     {SinceRun: 999},
		"run_id: run_999":                    {Run: 999},
		"run_id: goes without since":         {Run: r.ID, SinceRun: r.ID},
		"subject_id: names nothing":          {About: graph.EntityID{1}},
		"connection_id: names nothing":       {Connection: 999},
		"kind: must be one of":               {Kind: "Nonsense"},
		"action: narrows no export":          {Action: "s3:GetObject"},
		"format: of changes must be one":     {Format: export.OpenGraph},
		"since: is later than to":            {SinceRun: r.ID, AsOf: time.Now().Add(-time.Hour)},
		"since: narrows no export":           {Subject: export.Entities, Since: time.Now()},
		"subject_id: narrows no export":      {Subject: export.Identities, About: graph.EntityID{1}},
		"format: of identities must be one":  {Subject: export.Identities, Format: export.Evidence},
		"what: must be entities, relationsh": {Subject: "everything"},
	} {
		if q.Subject == "" {
			q.Subject = export.Changes
		}
		if q.Format == "" {
			q.Format = export.CSV
		}
		_, _, err := x.service.Create(t.Context(), x.caller, q, nil)
		require.Equal(t, fault.Invalid, fault.KindOf(err), "%s: %v", says, err)
		require.ErrorContains(t, err, says)
	}
}

// Rows of an answer say whose they are, in other connections as well.
func TestExportedAnswersNameIdentities(t *testing.T) {
	t.Parallel()
	j := newJoining(t)
	x := exportsOf(t, j.discovery)
	one, two := j.connect(t, j.scope), j.connect(t, j.scope)
	bucket := connector.Entity{Ref: connector.Ref{Kind: connector.Resource, ID: "bucket"}, Name: "bucket", Type: "bucket"}
	given := connector.Entity{Ref: connector.Ref{Kind: connector.Entitlement, ID: "given"}, Name: "given", Type: "role"}
	ann := person("ann", email("ann@example.com"))
	all := append(accounts("a"), bucket, given, ann)
	j.discover(t, j.scope, one, whole("alpha", "", all,
		connector.Relationship{Kind: connector.PrincipalRepresentsAccount, From: ann.Ref, To: all[0].Ref},
		connector.Relationship{Kind: connector.AccountAssignedEntitlement, From: all[0].Ref, To: given.Ref},
		connector.Relationship{Kind: connector.EntitlementGrantsResource, From: given.Ref, To: bucket.Ref, Terms: &connector.Terms{Effect: connector.Allow, Actions: []string{"read"}}}))
	who := export.Query{Subject: export.WhoCan, Resource: graph.NewEntityID(j.scope.Workspace, one, bucket.Ref)}
	rows, _ := x.lines(t, who)
	require.Equal(t, []any{j.principal(one, "ann").OwnIdentity().String()}, rows[0]["identity_ids"])
	j.publish(t, two, person("a.smith", email("ann@example.com")))
	joined := j.identity(t, j.principal(one, "ann"))
	rows, _ = x.lines(t, who)
	require.Len(t, rows, 1)
	require.Equal(t, []any{[]any{joined.ID.String()}, []any{joined.Name}}, []any{rows[0]["identity_ids"], rows[0]["identity_names"]})
}

// Principals come with the identity that they belong to at the moment that is
// exported, and with what made it so.
func TestExportedIdentitiesAreThose(t *testing.T) {
	t.Parallel()
	j := newJoining(t)
	x := exportsOf(t, j.discovery)
	one, two := j.connect(t, j.scope), j.connect(t, j.scope)
	j.publish(t, one, person("ann", email("ann@example.com")), person("bob"), person("cleo"))
	j.publish(t, two, person("a.smith", email("ann@example.com")))
	before := j.moment(t).UTC()
	_, err := j.identities.Join(t.Context(), j.admin, j.principal(one, "bob").OwnIdentity(), []graph.IdentityID{j.principal(one, "cleo").OwnIdentity()}, "the same")
	require.NoError(t, err)

	byPrincipal := func(q export.Query) map[any]map[string]any {
		q.Subject = export.Identities
		rows, m := x.lines(t, q)
		require.Equal(t, "identity_id", m.Columns[0])
		found, seen, last := map[any]map[string]any{}, map[any]bool{}, any(nil)
		for _, row := range rows {
			require.False(t, row["identity_id"] != last && seen[row["identity_id"]], "those of one identity come together")
			last, seen[row["identity_id"]] = row["identity_id"], true
			found[row["name"]] = row
		}
		require.Len(t, found, len(rows))
		return found
	}
	all := byPrincipal(export.Query{})
	require.Len(t, all, 4)
	for name, row := range all {
		p := j.principal(one, name.(string))
		if name == "a.smith" {
			p = j.principal(two, "a.smith")
		}
		is := j.identity(t, p)
		require.Equal(t, []any{is.ID.String(), is.Name, float64(is.Identity.Principals)}, []any{row["identity_id"], row["identity_name"], row["identity_principals"]})
		require.NotNil(t, row["member_since"], "each is joined with another")
	}
	require.NotNil(t, all["ann"]["member_by_run_id"])
	require.Nil(t, all["ann"]["member_by_correction_id"])
	require.NotNil(t, all["bob"]["member_by_correction_id"])
	require.Equal(t, []any{map[string]any{"type": "email", "value": "ann@example.com"}}, all["ann"]["identifiers"])

	then := byPrincipal(export.Query{AsOf: before})
	require.Equal(t, all["ann"], then["ann"])
	require.Equal(t, []any{1.0, nil, "bob"}, []any{then["bob"]["identity_principals"], then["bob"]["member_since"], then["bob"]["identity_name"]})
	of := byPrincipal(export.Query{Connection: two})
	require.Len(t, of, 1)
	require.Equal(t, all["a.smith"], of["a.smith"], "named and counted with those of other connections")

	other := j.newScope(t)
	stranger := j.connect(t, other)
	j.discover(t, other, stranger, whole("alpha", "", []connector.Entity{person("zoe", email("ann@example.com"))}))
	require.Equal(t, all, byPrincipal(export.Query{}), "another workspace has its own")
}
