package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// ageIdentities makes what is kept of identities ten days older.
func (d *discovery) ageIdentities(t *testing.T) {
	for _, table := range []string{"identity_members", "identity_splits", "principal_identifiers"} {
		d.exec(t, `update `+table+` set valid_from = valid_from - interval '10 days', valid_to = valid_to - interval '10 days' where workspace_id = $1`, d.scope.Workspace)
	}
}

func TestRetentionBoundsIdentities(t *testing.T) {
	t.Parallel()
	j := newJoining(t)
	one, two := j.connect(t, j.scope), j.connect(t, j.scope)
	j.publish(t, one, person("ann", email("ann@example.com")))
	j.publish(t, two, person("a.smith", email("ann@example.com")))
	joined := j.identityOf(t, j.principal(one, "ann"))
	then := j.moment(t)
	_, err := j.identities.Split(t.Context(), j.admin, joined, []graph.EntityID{j.principal(two, "a.smith")}, "")
	require.NoError(t, err)
	_, err = j.identities.Join(t.Context(), j.admin, j.identityOf(t, j.principal(one, "ann")), []graph.IdentityID{j.identityOf(t, j.principal(two, "a.smith"))}, "")
	require.NoError(t, err)
	j.publish(t, two, person("a.smith", email("a.smith@example.com")))
	j.ageGraph(t)
	j.ageIdentities(t)
	then = then.Add(-tenDays)
	shown, err := j.identities.Get(t.Context(), j.admin, joined, graph.Moment{At: then})
	require.NoError(t, err)
	require.Equal(t, "a.smith ann", names(shown))
	ended := `select (select count(*) from identity_members where valid_to is not null) + (select count(*) from identity_splits where valid_to is not null)
		+ (select count(*) from principal_identifiers where valid_to is not null)`
	require.Positive(t, j.number(t, ended))
	current := j.number(t, `select count(*) from identity_members where valid_to is null`)

	for range 20 { // in steps of one
		_, err := j.graph.ForgetHistory(t.Context(), j.scope, 24*time.Hour, 1)
		require.NoError(t, err)
	}
	require.Zero(t, j.number(t, ended))
	require.Equal(t, current, j.number(t, `select count(*) from identity_members where valid_to is null`))
	_, err = j.identities.Get(t.Context(), j.admin, joined, graph.Moment{At: then})
	require.Equal(t, fault.Invalid, fault.KindOf(err))
	require.ErrorContains(t, err, "history begins")
	require.Equal(t, "a.smith ann", names(j.identity(t, j.principal(one, "ann"))), "what is so now stays")
}

// Changes are refused from before history begins: what ended then is not known
// any more, and a list without it would be no list of changes.
func TestChangesBeforeHistoryBeginsAreRefused(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	var runs []id.Run
	for _, names := range [][]string{{"a", "b"}, {"a"}, {"a", "c"}} {
		runs = append(runs, d.discover(t, d.scope, c, whole("alpha", "", accounts(names...))).ID)
	}
	d.ageGraph(t)
	early := d.moment(t).Add(-tenDays)
	_, err := d.graph.ForgetHistory(t.Context(), d.scope, 24*time.Hour, 1000)
	require.NoError(t, err)
	for field, f := range map[string]graph.ChangeFilter{
		"query.from":   {From: graph.Moment{At: early, Parameter: "query.from"}},
		"query.to":     {From: graph.Moment{At: d.begins(t), Parameter: "query.from"}, To: graph.Moment{At: early, Parameter: "query.to"}},
		"query.run_id": {Run: runs[0]},
	} {
		f.Limit = 10
		_, err := d.questions().Changes(t.Context(), viewer(d.scope.Workspace), f)
		require.Equal(t, fault.Invalid, fault.KindOf(err))
		require.ErrorContains(t, err, field)
		require.ErrorContains(t, err, "history begins")
	}
	answer, err := d.questions().Changes(t.Context(), viewer(d.scope.Workspace), graph.ChangeFilter{From: graph.Moment{At: d.begins(t)}, Limit: 10})
	require.NoError(t, err)
	require.Empty(t, answer.Changes)
	require.NotNil(t, answer.HistoryBegins, "and it is said where it begins")
	require.True(t, answer.HistoryBegins.Equal(d.begins(t)))
}
