package story

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/client"
)

// oddMany is how many of the same there are in the odd estate of the breaking
// worker.
const oddMany = 100_000

// TestOddEstate has an estate read that keeps to the contract and is unlike any other,
// by a worker, over HTTP, staged and published: an entitlement that grants a hundred
// thousand resources, a principal with as many accounts, groups that contain each
// other in a ring, ids that differ only in case, and records that come again and
// say something else. Questions about it stay bounded, pages work, and what is left
// out is said.
func TestOddEstate(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	conn := d.integrations.connect(t, "Odd estate", newCloud(t, 61).configuration(nil))
	odd := startProgram(t, breakingWorker, nil, "-stream", "iam", "-breach", "odd-estate",
		"-token-file", d.tokenFile, "-discovery-url", d.discovery.url, "-integrations-url", d.integrations.url)
	run := d.discovery.discover(t, conn)
	require.Equal(t, "succeeded", run.Outcome, "%+v", run)
	o := &oddAnswers{d.discovery, conn}
	o.comeAgain(t, run)
	o.manyResources(t)
	o.manyAccounts(t)
	o.ring(t)
	o.cases(t)
	d.discovery.requireUnchanged(t, conn)
	odd.stop(t)
}

// oddAnswers asks about the odd estate.
type oddAnswers struct {
	*plane
	conn string
}

func (o *oddAnswers) id(t *testing.T, kind, providerID string) string {
	t.Helper()
	found, err := o.api.Entities(t.Context(), client.EntityFilter{Connection: o.conn, Kind: kind, ProviderID: providerID}, client.Pages{})
	require.NoError(t, err)
	require.Len(t, found.Items, 1, providerID)
	return found.Items[0].EntityID
}

func (o *oddAnswers) who(t *testing.T, resource string) client.AccessList {
	t.Helper()
	l, err := o.api.WhoCan(t.Context(), o.id(t, "Resource", resource), client.AccessFilter{}, client.Pages{})
	require.NoError(t, err)
	return l
}

// comeAgain: of records that contradict each other one is kept, and the run says how
// many there were.
func (o *oddAnswers) comeAgain(t *testing.T, run client.Run) {
	require.EqualValues(t, 2, run.SummaryCounts["records_contradicting"], "%v", run.SummaryCounts)
	require.EqualValues(t, 10, run.SummaryCounts["records_duplicate"], "%v", run.SummaryCounts)
	require.NotNil(t, run.FailureSummary)
	require.Contains(t, run.FailureSummary.Details[0], "were read more than once with different content")
	rows := o.who(t, "odd/target")
	require.Equal(t, []string{"odd/twice"}, accountsOf(rows.Items))
	require.Len(t, rows.Items[0].Actions, 1, "the one statement or the other, never both")
}

// manyResources: a page is a page, whatever stands behind it; the count stops at its
// bound; the whole is had as a file.
func (o *oddAnswers) manyResources(t *testing.T) {
	holder := o.id(t, "Account", "odd/holder")
	first, err := o.api.WhatCan(t.Context(), holder, client.AccessFilter{Count: true}, client.Pages{Limit: 1})
	require.NoError(t, err)
	require.Equal(t, 10_000, *first.Basis.Count)
	require.True(t, first.Basis.CountIsLowerBound)
	l, err := o.api.WhatCan(t.Context(), holder, client.AccessFilter{}, client.Pages{Limit: 450})
	require.NoError(t, err)
	require.False(t, l.Basis.Truncated)
	seen := map[string]bool{}
	for _, row := range l.Items {
		seen[row.Resource.ProviderID] = true
	}
	require.Len(t, seen, 450, "over several pages, none twice")
	x := o.export(t, client.ExportQuery{What: "what_can", Format: "jsonl", PrincipalID: holder})
	require.EqualValues(t, oddMany, x.Rows)
	resources, lines := map[string]bool{}, json.NewDecoder(bytes.NewReader(x.content))
	for lines.More() {
		var row struct {
			Resource string `json:"resource_provider_id"`
		}
		require.NoError(t, lines.Decode(&row))
		resources[row.Resource] = true
	}
	require.Len(t, resources, oddMany, "each once")
	require.Equal(t, []string{"odd/holder"}, accountsOf(o.who(t, "odd/resource/099999").Items))
}

// manyAccounts: what the principal reaches by the last of its accounts is found from
// the resource, and as a way; the question about the principal itself is bounded,
// and says so.
func (o *oddAnswers) manyAccounts(t *testing.T) {
	who := o.who(t, "odd/treasure")
	require.Equal(t, []string{"odd/account/099999"}, accountsOf(who.Items))
	require.Equal(t, "odd/shared", who.Items[0].Principals[0].ProviderID)
	require.False(t, who.Basis.Truncated)

	shared := o.id(t, "Principal", "odd/shared")
	what, err := o.api.WhatCan(t.Context(), shared, client.AccessFilter{}, client.Pages{})
	require.NoError(t, err)
	// More accounts than a walk follows: what was found is shown, and that there may
	// be more.
	require.True(t, what.Basis.Truncated)
	paths, err := o.api.Paths(t.Context(), shared, o.id(t, "Resource", "odd/treasure"), 20, 12, "")
	require.NoError(t, err)
	require.Len(t, paths.Value.Paths, 1)
	require.False(t, paths.Value.Truncated)
}

// ring: walks end, and pass each group once.
func (o *oddAnswers) ring(t *testing.T) {
	who := o.who(t, "odd/ring")
	require.Equal(t, []string{"odd/ringed"}, accountsOf(who.Items))
	require.False(t, who.Basis.Truncated)
	what, err := o.api.WhatCan(t.Context(), o.id(t, "Account", "odd/ringed"), client.AccessFilter{}, client.Pages{})
	require.NoError(t, err)
	require.Len(t, what.Items, 1)
	require.False(t, what.Basis.Truncated)
	paths, err := o.api.Paths(t.Context(), o.id(t, "Account", "odd/ringed"), o.id(t, "Resource", "odd/ring"), 20, 12, "")
	require.NoError(t, err)
	require.Len(t, paths.Value.Paths, 1)
	require.Len(t, paths.Value.Paths[0].Steps, 8)
}

// cases: two ids are two things.
func (o *oddAnswers) cases(t *testing.T) {
	for _, name := range []string{"Case", "case"} {
		require.Equal(t, []string{"odd/user/" + name}, accountsOf(o.who(t, "odd/store/"+name).Items))
	}
	found, err := o.api.Entities(t.Context(), client.EntityFilter{Connection: o.conn, ProviderID: "odd/store/CASE"}, client.Pages{})
	require.NoError(t, err)
	require.Empty(t, found.Items)
}
