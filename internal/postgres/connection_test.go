package postgres_test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

func TestConnectionIsStoredWholeAndWithItsEvent(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	draft, sealed := p.draft(t, p.a, "Prod AWS")
	made, err := p.connections.Create(t.Context(), connection.Creation{Connection: draft, Sealed: sealed}, event(audit.ConnectionCreated))
	require.NoError(t, err)
	stored, err := p.connections.Get(t.Context(), p.a, made)
	require.NoError(t, err)
	want := draft
	want.ScopesGranted = []string{}
	want.CreatedAt, want.UpdatedAt = stored.CreatedAt, stored.UpdatedAt
	require.Empty(t, cmp.Diff(want, stored))
	require.WithinDuration(t, stored.CreatedAt, stored.UpdatedAt, 0)

	read, err := p.connections.Get(t.Context(), p.a, draft.ID)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(stored, read))
	found, ok, err := p.connections.Credential(t.Context(), p.a, draft.ID)
	require.NoError(t, err)
	require.True(t, ok)
	require.Empty(t, cmp.Diff(*sealed, found))
	require.Equal(t, audit.ConnectionCreated, p.actions(t, p.a)[0])
}

func TestNameIsUniqueInAWorkspaceOnly(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	first := p.create(t, p.a, "Prod AWS")
	p.create(t, p.b, "Prod AWS")
	before := p.actions(t, p.a)

	draft, sealed := p.draft(t, p.a, "Prod AWS")
	_, err := p.connections.Create(t.Context(), connection.Creation{Connection: draft, Sealed: sealed}, event(audit.ConnectionCreated))
	require.Equal(t, fault.Conflict, fault.KindOf(err))
	require.ErrorContains(t, err, `a connection named "Prod AWS" exists already`)
	require.Equal(t, before, p.actions(t, p.a), "a rollback leaves no event")
	require.Equal(t, 2, p.count(t, "credentials"))

	other := p.create(t, p.a, "Other")
	other.Name = "Prod AWS"
	_, err = p.connections.Update(t.Context(), connection.Change{Connection: other, Was: 1, Reconfigured: true, Sealed: sealed}, event(audit.ConnectionEdited))
	require.Equal(t, fault.Conflict, fault.KindOf(err))

	require.NoError(t, p.connections.Delete(t.Context(), p.a, first.ID, nil, event(audit.ConnectionDeleted)))
	p.create(t, p.a, "Prod AWS")
}

func TestOtherWorkspacesConnectionDoesNotExist(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	c := p.create(t, p.a, "Prod AWS")
	ctx := t.Context()
	_, err := p.connections.Get(ctx, p.b, c.ID)
	require.Equal(t, fault.NotFound, fault.KindOf(err))
	list, err := p.connections.List(ctx, p.b, connection.Filter{Limit: 10})
	require.NoError(t, err)
	require.Empty(t, list.Connections)
	require.Zero(t, list.Total)
	_, ok, err := p.connections.Credential(ctx, p.b, c.ID)
	require.NoError(t, err)
	require.False(t, ok)
	require.Equal(t, fault.NotFound, fault.KindOf(p.connections.Delete(ctx, p.b, c.ID, nil, event(audit.ConnectionDeleted))))
	foreign := c
	foreign.Scope = p.b
	_, err = p.connections.Update(ctx, connection.Change{Connection: foreign, Was: 1}, event(audit.ConnectionEdited))
	require.Equal(t, fault.NotFound, fault.KindOf(err))
	require.Empty(t, p.actions(t, p.b))

	read, err := p.connections.Get(ctx, p.a, c.ID)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(c, read))
}

func TestZeroIDsFindNothing(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	p.create(t, p.a, "Prod AWS")
	_, err := p.connections.Get(t.Context(), p.a, 0)
	require.Equal(t, fault.NotFound, fault.KindOf(err))
	defaults, err := p.connections.Defaults(t.Context(), p.a, 0)
	require.NoError(t, err)
	require.Empty(t, defaults)
	_, err = p.connections.TestOfRun(t.Context(), p.a, 0)
	require.Equal(t, fault.NotFound, fault.KindOf(err))
	_, err = p.connections.ListTests(t.Context(), p.a, 0, 0, 10)
	require.Equal(t, fault.NotFound, fault.KindOf(err))
}

func TestListContinuesAfterAnID(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	var ids []id.Connection
	for _, name := range []string{"one", "two", "three"} {
		ids = append(ids, p.create(t, p.a, name).ID)
	}
	of := func(f connection.Filter) (got []id.Connection) {
		list, err := p.connections.List(t.Context(), p.a, f)
		require.NoError(t, err)
		for _, c := range list.Connections {
			got = append(got, c.ID)
		}
		return got
	}
	require.Equal(t, ids[:2], of(connection.Filter{Limit: 2}))
	require.Equal(t, ids[2:], of(connection.Filter{Limit: 2, After: ids[1]}))
	require.Equal(t, ids, of(connection.Filter{Limit: 9, Integration: "aws"}))
	require.Empty(t, of(connection.Filter{Limit: 9, Integration: "azure"}))
}

func TestOnlyOneOfTwoEditsOfAVersionWins(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	c := p.create(t, p.a, "Prod AWS")
	_, sealed := p.draft(t, p.a, "")
	sealed.Version = 2
	errs := make([]error, 4)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			_, errs[i] = p.connections.Update(t.Context(), connection.Change{Connection: c, Was: 1, Reconfigured: true, Sealed: sealed}, event(audit.ConnectionEdited))
		})
	}
	all.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		require.Equal(t, fault.Stale, fault.KindOf(err))
	}
	require.Equal(t, 1, won)
	require.Equal(t, 1, p.count(t, "audit_events where action = 'connection_edited'"))
	read, err := p.connections.Get(t.Context(), p.a, c.ID)
	require.NoError(t, err)
	require.Equal(t, int64(2), read.Version)
}

func TestEditLeavesADueTimeThatTheSchedulerMoved(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	c := p.create(t, p.a, "Prod AWS")
	moved := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	_, err := p.super.Exec(t.Context(), "update connections set next_run_at = $1", moved)
	require.NoError(t, err)

	c.Name, c.NextRunAt = "Renamed", nil
	stored, err := p.connections.Update(t.Context(), connection.Change{Connection: c, Was: 1}, event(audit.ConnectionEdited))
	require.NoError(t, err)
	require.True(t, moved.Equal(*stored.NextRunAt))

	c.Schedule = connection.Schedule{Type: connection.Manual}
	stored, err = p.connections.Update(t.Context(), connection.Change{Connection: c, Was: 2}, event(audit.ConnectionEdited))
	require.NoError(t, err)
	require.Nil(t, stored.NextRunAt)
}

func TestDeletedConnectionKeepsNothingThatOpens(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	c := p.create(t, p.a, "Prod AWS")
	ctx := t.Context()
	require.NoError(t, p.connections.Delete(ctx, p.a, c.ID, nil, event(audit.ConnectionDeleted)))
	require.Zero(t, p.count(t, "credentials"))
	require.Equal(t, 1, p.count(t, "connections where config = '{}' and deleted_at is not null and next_run_at is null and not is_default"))
	_, err := p.connections.Get(ctx, p.a, c.ID)
	require.Equal(t, fault.NotFound, fault.KindOf(err))
	list, err := p.connections.List(ctx, p.a, connection.Filter{Limit: 10})
	require.NoError(t, err)
	require.Empty(t, list.Connections)
	require.Zero(t, list.Total)
	require.Equal(t, fault.NotFound, fault.KindOf(p.connections.Delete(ctx, p.a, c.ID, nil, event(audit.ConnectionDeleted))))
	require.Equal(t, 1, p.count(t, "audit_events where action = 'connection_deleted'"))
}

func TestDefaultMovesWithinItsTarget(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	ctx := t.Context()
	one, two := p.create(t, p.a, "one"), p.create(t, p.a, "two")
	var target id.Target
	require.NoError(t, p.super.QueryRow(ctx, `
		insert into targets (workspace_id, provider_system, provider_target_id, target_type, name)
		values ($1, 'aws', '123456789012', 'account', 'Prod') returning target_id`, p.a.Workspace).Scan(&target))
	_, err := p.super.Exec(ctx, "update connections set target_id = $1", target)
	require.NoError(t, err)
	defaults, err := p.connections.Defaults(ctx, p.a, target)
	require.NoError(t, err)
	require.Empty(t, defaults)

	yes, no := true, false
	set := func(c connection.Connection, was int64, want *bool) {
		_, err := p.connections.Update(ctx, connection.Change{Connection: c, Was: was, Default: want}, event(audit.ConnectionEdited))
		require.NoError(t, err)
	}
	isDefault := func(want id.Connection) {
		found, err := p.connections.Defaults(ctx, p.a, target)
		require.NoError(t, err)
		require.Len(t, found, 1)
		require.Equal(t, want, found[0].ID)
		require.Equal(t, "Prod", found[0].Target.Name)
	}
	versions := func(want ...int64) {
		t.Helper()
		var got []int64
		for _, c := range []connection.Connection{one, two} {
			now, err := p.connections.Get(ctx, p.a, c.ID)
			require.NoError(t, err)
			got = append(got, now.Version)
		}
		require.Equal(t, want, got)
	}
	set(one, 1, &yes)
	isDefault(one.ID)
	versions(2, 1)
	set(one, 2, &yes)
	isDefault(one.ID)
	versions(3, 1)
	set(two, 1, &yes)
	isDefault(two.ID)
	versions(4, 2)
	_, err = p.connections.Update(ctx, connection.Change{Connection: one, Was: 3}, event(audit.ConnectionEdited))
	require.Equal(t, fault.Stale, fault.KindOf(err), "what it was edited from is no longer so: %v", err)
	set(one, 4, nil)
	isDefault(two.ID)
	set(two, 2, &no)
	versions(5, 3)
	defaults, err = p.connections.Defaults(ctx, p.a, target)
	require.NoError(t, err)
	require.Empty(t, defaults)
}

func TestValuesThatCannotBeStoredAreTheCallersFault(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	for _, metadata := range []string{`{"a":"\u0000"}`, `{"a":1e999999}`} {
		draft, sealed := p.draft(t, p.a, "Prod AWS")
		draft.Metadata = []byte(metadata)
		_, err := p.connections.Create(t.Context(), connection.Creation{Connection: draft, Sealed: sealed}, event(audit.ConnectionCreated))
		require.Equal(t, fault.Invalid, fault.KindOf(err), metadata)
	}
	require.Zero(t, p.count(t, "connections"))
}
