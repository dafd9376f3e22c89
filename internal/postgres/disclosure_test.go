package postgres_test

import (
	"crypto/sha256"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// held makes a run that is held with the returned claim.
func (p *plane) held(t *testing.T, c connection.Connection) connection.Claim {
	t.Helper()
	claim := connection.Claim{Scope: id.Scope{Workspace: c.Scope.Workspace}, Epoch: 3, TokenHash: sha256.Sum256([]byte("token"))}
	require.NoError(t, p.super.QueryRow(t.Context(), `
		insert into runs (workspace_id, operation_type, integration_id, connection_id, queue, status, initiator, epoch, lease_id, lease_until, token_hash)
		values ($1, 'discovery.run', 'aws', $2, 'discovery', 'running', 'user', $3, gen_random_uuid(), now() + interval '1 minute', $4)
		returning run_id`, c.Scope.Workspace, c.ID, claim.Epoch, claim.TokenHash[:]).Scan(&claim.Run))
	return claim
}

func TestDisclosureIsRecordedAndHappensOnce(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	c := p.create(t, p.a, "Prod AWS")
	claim := p.held(t, c)
	results := make([]error, 4)
	var all sync.WaitGroup
	for i := range results {
		all.Go(func() {
			conn, sealed, err := p.connections.Disclose(t.Context(), claim, event(audit.ConfigurationDisclosed))
			results[i] = err
			if err == nil && (conn.ID != c.ID || conn.LastUsedAt == nil || sealed == nil || string(sealed.Ciphertext) != "ciphertext") {
				t.Errorf("disclosed %+v, %+v", conn, sealed)
			}
		})
	}
	all.Wait()
	disclosed := 0
	for _, err := range results {
		if err == nil {
			disclosed++
			continue
		}
		require.Equal(t, fault.Conflict, fault.KindOf(err))
	}
	require.Equal(t, 1, disclosed)
	records, err := p.workspaces.ListEvents(t.Context(), p.a, audit.Filter{Action: audit.ConfigurationDisclosed}, 0, 10)
	require.NoError(t, err)
	require.Len(t, records, 1)
	require.Equal(t, c.ID.String(), records[0].TargetID)
	require.Equal(t, 1, p.count(t, "audit_events where action = 'configuration_disclosed' and tenant_id = 1"))

	// The next holder of the run gets it again.
	_, err = p.super.Exec(t.Context(), "update runs set epoch = 4")
	require.NoError(t, err)
	claim.Epoch = 4
	_, _, err = p.connections.Disclose(t.Context(), claim, event(audit.ConfigurationDisclosed))
	require.NoError(t, err)
}

func TestOnlyTheCurrentHolderGetsTheConfiguration(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	c := p.create(t, p.a, "Prod AWS")
	for name, alter := range map[string]struct {
		sql   string
		claim func(*connection.Claim)
	}{
		"cancelled":         {sql: "update runs set cancel_requested_at = now() where run_id = $1"},
		"lease ended":       {sql: "update runs set lease_until = now() - interval '1 second' where run_id = $1"},
		"handed back":       {sql: "update runs set lease_until = null, lease_id = null where run_id = $1"},
		"publishing":        {sql: "update runs set phase = 'publishing', reached_epoch = epoch where run_id = $1"},
		"queued":            {sql: "update runs set status = 'queued' where run_id = $1"},
		"claimed by other":  {sql: "update runs set epoch = epoch + 1 where run_id = $1"},
		"no token":          {sql: "update runs set token_hash = null where run_id = $1"},
		"older epoch":       {claim: func(c *connection.Claim) { c.Epoch-- }},
		"wrong token":       {claim: func(c *connection.Claim) { c.TokenHash[0]++ }},
		"another workspace": {claim: func(c *connection.Claim) { c.Scope.Workspace = p.b.Workspace }},
		"another run":       {claim: func(c *connection.Claim) { c.Run++ }},
		"completed":         {sql: "update runs set status = 'completed', outcome = 'failed', completed_at = now(), lease_id = null, lease_until = null where run_id = $1"},
	} {
		claim := p.held(t, c)
		if alter.sql != "" {
			_, err := p.super.Exec(t.Context(), alter.sql, claim.Run)
			require.NoError(t, err, name)
		}
		if alter.claim != nil {
			alter.claim(&claim)
		}
		_, sealed, err := p.connections.Disclose(t.Context(), claim, event(audit.ConfigurationDisclosed))
		require.Equal(t, fault.Stale, fault.KindOf(err), "%s: %v", name, err)
		require.Nil(t, sealed)
	}
	require.Zero(t, p.count(t, "credential_disclosures"))
	require.Zero(t, p.count(t, "audit_events where action = 'configuration_disclosed'"))
}

func TestDeletedConnectionIsNotDisclosed(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	c := p.create(t, p.a, "Prod AWS")
	claim := p.held(t, c)
	require.NoError(t, p.connections.Delete(t.Context(), p.a, c.ID, nil, event(audit.ConnectionDeleted)))
	_, sealed, err := p.connections.Disclose(t.Context(), claim, event(audit.ConfigurationDisclosed))
	require.Equal(t, fault.NotFound, fault.KindOf(err))
	require.Nil(t, sealed)
	require.Zero(t, p.count(t, "credential_disclosures"))
}

func TestWithoutAuditThereIsNoDisclosure(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	claim := p.held(t, p.create(t, p.a, "Prod AWS"))
	_, err := p.super.Exec(t.Context(), "revoke insert on audit_events from svc_integration")
	require.NoError(t, err)
	_, sealed, err := p.connections.Disclose(t.Context(), claim, event(audit.ConfigurationDisclosed))
	require.Equal(t, fault.Internal, fault.KindOf(err))
	require.Nil(t, sealed)
	require.Zero(t, p.count(t, "credential_disclosures"))
}
