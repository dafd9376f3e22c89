package story

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/client"
)

// roles makes a key of each role by the API and tries what it may and may not.
func roles(t *testing.T, p *plane) {
	holder := func(role string) (*plane, client.CreatedAPIKey) {
		a, err := p.api.CreateAPIKey(t.Context(), client.APIKeyDraft{Name: "Roles: " + role, Role: role})
		require.NoError(t, err)
		require.Regexp(t, "^gk_", a.Value.Key)
		return p.as(t, a.Value.Key), a.Value
	}
	builder, _ := holder("connector_builder")
	viewer, viewerKey := holder("viewer")

	c := newCloud(t, 11)
	conn := builder.connect(t, "Roles", c.configuration(nil))
	require.Equal(t, "success", builder.test(t, conn).Status)
	require.Equal(t, "succeeded", builder.discover(t, conn).Outcome)
	_, err := builder.api.CreateAPIKey(t.Context(), client.APIKeyDraft{Name: "Roles: more", Role: "admin"})
	requireRefused(t, err, http.StatusForbidden)

	viewer.requireKnown(t, c, conn)
	seen, err := viewer.api.Connection(t.Context(), conn)
	require.NoError(t, err)
	require.NotContains(t, string(seen.Raw), c.Summary().Auditor.SecretAccessKey)
	_, err = viewer.api.AuditEvents(t.Context(), client.AuditFilter{}, client.Pages{Limit: 1})
	require.NoError(t, err)

	_, err = viewer.api.CreateConnection(t.Context(), draft(t, "Roles: a viewer's", c.configuration(nil)))
	requireRefused(t, err, http.StatusForbidden)
	_, err = viewer.api.TestConnection(t.Context(), conn)
	requireRefused(t, err, http.StatusForbidden)
	_, err = viewer.api.StartOperation(t.Context(), "discovery.run", conn)
	requireRefused(t, err, http.StatusForbidden)
	requireRefused(t, viewer.api.DeleteConnection(t.Context(), conn), http.StatusForbidden)
	denied := viewer.cli(t, nil, "connections", "delete", conn, "--yes")
	require.Equal(t, 4, denied.status, denied.stderr)

	refusals, err := p.api.AuditEvents(t.Context(), client.AuditFilter{Action: "access_denied", Actor: viewerKey.MemberID}, client.Pages{})
	require.NoError(t, err)
	require.Len(t, refusals.Items, 5, "each refusal is on record")

	require.NoError(t, p.api.RevokeAPIKey(t.Context(), viewerKey.MemberID))
	_, err = viewer.api.Connection(t.Context(), conn)
	requireRefused(t, err, http.StatusUnauthorized)
	_, err = p.as(t, "gk_made-up").api.Connection(t.Context(), conn)
	requireRefused(t, err, http.StatusUnauthorized)
}

func requireRefused(t *testing.T, err error, status int) {
	t.Helper()
	var problem *client.Problem
	require.ErrorAs(t, err, &problem)
	require.Equal(t, status, problem.Status, "%v", err)
}
