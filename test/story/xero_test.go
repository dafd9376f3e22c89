package story

import (
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/client"
	simulator "github.com/gatehouse-project/gatehouse/simulator/xero"
)

// Runs renew a refresh token that is good for one use, one after the other; one that
// was used elsewhere asks for a new sign-in, after which everything goes on.
func TestRefreshTokensOutliveTheirUse(t *testing.T) {
	t.Parallel()
	p, _ := startDev(t, t.TempDir())
	s, err := simulator.New(simulator.Options{People: people, Seed: 31})
	require.NoError(t, err)
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	first := s.SignIn()
	created, err := p.api.CreateConnection(t.Context(), client.ConnectionDraft{IntegrationID: "xero", Name: "Books", Configuration: raw(t, map[string]any{
		"client_id": s.ClientID(), "client_secret": s.ClientSecret(), "refresh_token": first, "endpoint_url": server.URL,
	})}, "")
	require.NoError(t, err)
	conn := created.Value.ConnectionID

	require.Equal(t, "success", p.test(t, conn).Status)
	require.Equal(t, "succeeded", p.discover(t, conn).Outcome)
	require.Equal(t, "succeeded", p.discover(t, conn).Outcome)
	require.Equal(t, 3, s.Requests()["identity:token"], "each run exchanges once")
	known := p.entities(t, conn)
	for _, o := range s.Organisations() {
		for _, u := range s.Users(o) {
			require.NotEmpty(t, known["Account "+o.TenantID+"/"+u.UserID].EntityID, u.Email)
		}
	}
	require.Equal(t, 3, p.recorded(t, "credential_renewed", conn))
	after, err := p.api.Connection(t.Context(), conn)
	require.NoError(t, err)
	require.EqualValues(t, 1, after.Value.Version, "a renewal is no edit")

	p.edit(t, conn, map[string]any{"refresh_token": first})
	run := p.discover(t, conn)
	require.Equal(t, "failed", run.Outcome)
	require.Equal(t, "consent_required", run.ReasonCode, "it has become the connection's state")
	after, err = p.api.Connection(t.Context(), conn)
	require.NoError(t, err)
	require.Equal(t, "needs_consent", after.Value.Lifecycle)
	require.Equal(t, 1, p.recorded(t, "credential_refused", conn))
	blocked, err := p.api.StartOperation(t.Context(), "discovery.run", conn)
	require.NoError(t, err)
	require.Equal(t, "blocked", blocked.Value.Status)
	require.Contains(t, string(blocked.Raw), "sign in again")

	p.edit(t, conn, map[string]any{"refresh_token": s.SignIn()})
	require.Equal(t, "success", p.test(t, conn).Status)
	require.Equal(t, "succeeded", p.discover(t, conn).Outcome)
}

// recorded counts the events of an action on a connection.
func (p *plane) recorded(t *testing.T, action, conn string) int {
	t.Helper()
	var events struct {
		Events []client.AuditEvent `json:"audit_events"`
	}
	p.ask(t, &events, "audit", "list", "--action", action, "--target-id", conn, "--all")
	return len(events.Events)
}
