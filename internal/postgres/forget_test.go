package postgres_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/graph"
)

func TestDeletedConnectionsGraphIsHiddenAtOnceAndThenForgotten(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	gone, stays := d.connect(t, d.scope), d.connect(t, d.scope)
	d.discover(t, d.scope, gone, whole("alpha", "", accounts("a")))
	d.discover(t, d.scope, stays, whole("alpha", "", accounts("b")))
	d.exec(t, `update connections set deleted_at = now(), is_default = false, next_run_at = null where connection_id = $1`, gone)

	questions := graph.Questions{Store: d.db}
	for filter, want := range map[graph.EntityFilter]int{{Limit: 9}: 1, {Limit: 9, Connection: gone}: 0, {Limit: 9, Connection: stays}: 1} {
		found, err := questions.ListEntities(t.Context(), viewer(d.scope.Workspace), filter)
		require.NoError(t, err)
		require.Len(t, found.Entities, want, "%+v", filter)
	}
	require.Equal(t, 2, d.number(t, `select count(*) from entities`), "not dropped yet")

	forgotten, err := d.graph.Forget(t.Context(), 10)
	require.NoError(t, err)
	require.Equal(t, 1, forgotten)
	d.requireGraph(t, stays, "b b alpha/")
	require.Equal(t, 1, d.number(t, `select count(*) from entities`))
	forgotten, err = d.graph.Forget(t.Context(), 10)
	require.NoError(t, err)
	require.Zero(t, forgotten)
}

// Dropping needs the whole graph for a moment, and questions queue behind
// whoever waits for it: it gives up rather than wait for a publish.
func TestForgettingDoesNotWaitForAPublisher(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	gone := d.connect(t, d.scope)
	d.discover(t, d.scope, gone, whole("alpha", "", accounts("a")))
	d.exec(t, `update connections set deleted_at = now(), is_default = false, next_run_at = null where connection_id = $1`, gone)
	publisher, err := d.super.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = publisher.Rollback(context.WithoutCancel(t.Context())) }() // a failure must not leave it open
	_, err = publisher.Exec(t.Context(), `lock table entities in row exclusive mode`)
	require.NoError(t, err)
	forgotten, err := d.graph.Forget(t.Context(), 10)
	require.NoError(t, err, "with the lock timeout of every statement this is an error, ten seconds later")
	require.Zero(t, forgotten)
	require.NoError(t, publisher.Rollback(t.Context()))
	forgotten, err = d.graph.Forget(t.Context(), 10)
	require.NoError(t, err)
	require.Equal(t, 1, forgotten)
}
