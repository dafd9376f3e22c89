package postgres_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

func TestBootstrapHappensOnceHoweverManyTry(t *testing.T) {
	t.Parallel()
	d := databases.New(t)
	db, err := postgres.Open(t.Context(), postgres.Config{URL: d.URL("svc_workspace"), Service: "test"})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	store := postgres.NewWorkspaces(db)
	scopes, keys := make([]id.Scope, 4), make([]bool, 4)
	var all sync.WaitGroup
	for i := range scopes {
		all.Go(func() {
			scope, key, err := workspace.Bootstrap(t.Context(), store, 5, "Contoso", "first")
			if err != nil {
				t.Error(err)
			}
			scopes[i], keys[i] = scope, !key.IsZero()
		})
	}
	all.Wait()
	made := 0
	for i := range scopes {
		require.Equal(t, scopes[0], scopes[i])
		if keys[i] {
			made++
		}
	}
	require.Equal(t, 1, made)
	w, err := store.Get(t.Context(), scopes[0])
	require.NoError(t, err)
	require.Equal(t, "first", w.Name)
	require.Equal(t, id.Tenant(5), w.Tenant)

	_, _, err = workspace.Bootstrap(t.Context(), store, 6, "Fabrikam", "first")
	require.Equal(t, fault.Conflict, fault.KindOf(err))
}

func TestKeyWorksUntilItEnds(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	ctx := t.Context()
	admin := workspace.Caller{Scope: p.a, Member: 1, Role: workspace.Admin}
	service := &workspace.Service{Store: p.workspaces}
	key, plain, err := service.CreateKey(ctx, admin, "ci", workspace.Viewer, nil)
	require.NoError(t, err)

	caller, err := workspace.Authenticate(ctx, p.workspaces, workspace.Credentials{Token: plain.RevealString()})
	require.NoError(t, err)
	require.Equal(t, workspace.Caller{Scope: p.a, Member: key.ID, Name: "ci", Role: workspace.Viewer}, caller)
	keys, err := p.workspaces.ListKeys(ctx, p.a, key.ID-1, 1)
	require.NoError(t, err)
	require.NotNil(t, keys[0].LastUsedAt)
	require.Zero(t, p.count(t, "api_keys where encode(key_hash, 'escape') like 'gk!_%' escape '!'"), "only hashes are stored")

	refused := func(why string) {
		_, err := workspace.Authenticate(ctx, p.workspaces, workspace.Credentials{Token: plain.RevealString()})
		require.Equal(t, fault.Unauthenticated, fault.KindOf(err), why)
	}
	for why, sql := range map[string][2]string{
		"expired":        {"update api_keys set expires_at = now()", "update api_keys set expires_at = null"},
		"member removed": {"update members set removed_at = now()", "update members set removed_at = null"},
	} {
		_, err = p.super.Exec(ctx, sql[0])
		require.NoError(t, err)
		refused(why)
		_, err = p.super.Exec(ctx, sql[1])
		require.NoError(t, err)
	}
	require.NoError(t, service.RevokeKey(ctx, admin, key.ID))
	refused("revoked")
	require.NoError(t, service.RevokeKey(ctx, admin, key.ID), "twice changes nothing")
	require.Equal(t, 1, p.count(t, "audit_events where action = 'api_key_revoked'"))
	require.Equal(t, fault.NotFound, fault.KindOf(service.RevokeKey(ctx, admin, key.ID+100)))
	foreign := workspace.Caller{Scope: p.b, Member: 1, Role: workspace.Admin}
	require.Equal(t, fault.NotFound, fault.KindOf(service.RevokeKey(ctx, foreign, key.ID)))
}

func TestUseOfAKeyIsNotedOnceAMinute(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	ctx := t.Context()
	plain, hash, hint := workspace.NewKey(p.a.Workspace)
	key, err := p.workspaces.CreateKey(ctx, p.a, workspace.NewKeyRow{Name: "ci", Role: workspace.Viewer, Hash: hash, Hint: hint}, event(audit.APIKeyCreated))
	require.NoError(t, err)
	noted := func() time.Time {
		_, err := workspace.Authenticate(ctx, p.workspaces, workspace.Credentials{Token: plain.RevealString()})
		require.NoError(t, err)
		keys, err := p.workspaces.ListKeys(ctx, p.a, key.ID-1, 1)
		require.NoError(t, err)
		return *keys[0].LastUsedAt
	}
	first := noted()
	require.Equal(t, first, noted())
	_, err = p.super.Exec(ctx, "update api_keys set last_used_at = last_used_at - interval '61 seconds'")
	require.NoError(t, err)
	require.False(t, noted().Before(first))
}

func TestAuditEventsStayInTheirWorkspace(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	require.NotEmpty(t, p.actions(t, p.a))
	require.Empty(t, p.actions(t, p.b))
	denied := event(audit.AccessDenied)
	denied.Payload = map[string]any{"reason": "no"}
	require.NoError(t, p.workspaces.RecordEvent(t.Context(), p.b, denied))
	records, err := p.workspaces.ListEvents(t.Context(), p.b, audit.Filter{Action: audit.AccessDenied}, 0, 1)
	require.NoError(t, err)
	require.Len(t, records, 1)
	got := records[0]
	require.Equal(t, p.b, got.Scope)
	require.Equal(t, denied.Actor, got.Actor)
	require.Equal(t, denied.Outcome, got.Outcome)
	require.Equal(t, denied.TargetType, got.TargetType)
	require.JSONEq(t, `{"reason": "no"}`, string(got.Payload))
	require.NotZero(t, got.Transaction)
	require.NotContains(t, p.actions(t, p.a), audit.AccessDenied)
}

func TestWithoutAWorkspaceThereAreNoRows(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	p.create(t, p.a, "Prod AWS")
	for _, table := range []string{"workspaces", "members", "api_keys", "audit_events", "audit_log_entries", "audit_checkpoints", "audit_sink_positions"} {
		var n int
		require.NoError(t, p.workspaces.Pool().QueryRow(t.Context(), "select count(*) from "+table).Scan(&n))
		require.Zero(t, n, table)
	}
}
