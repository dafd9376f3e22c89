package story

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/client"
)

// roles has one key of each role do everything there is to do, and what each
// may not do is refused, and on record.
func roles(t *testing.T, p *plane) {
	holders, members := keyHolders(t, p)
	c := newCloud(t, 11)
	conn := holders["connector_builder"].connect(t, "Roles", c.configuration(nil))
	require.Equal(t, "success", holders["connector_builder"].test(t, conn).Status)
	run := holders["connector_builder"].discover(t, conn)
	require.Equal(t, "succeeded", run.Outcome)
	holders["viewer"].requireKnown(t, c, conn)
	seen, err := holders["viewer"].api.Connection(t.Context(), conn)
	require.NoError(t, err)
	require.NotContains(t, string(seen.Raw), c.Summary().Auditor.SecretAccessKey)

	found, err := p.api.Entities(t.Context(), client.EntityFilter{Connection: conn}, client.Pages{})
	require.NoError(t, err)
	ids := []string{"{connection}", conn, "{run}", run.RunID}
	for _, e := range found.Items {
		switch e.ProviderID {
		case c.bucket():
			ids = append(ids, "{bucket}", e.EntityID)
		case c.Summary().Contractor.IAMUserID:
			if e.Kind == "Account" {
				ids = append(ids, "{account}", e.EntityID)
			}
		}
	}
	named := strings.NewReplacer(ids...)
	for role, holder := range holders {
		refused := tryEverything(t, holder, role, named)
		onRecord, err := p.api.AuditEvents(t.Context(), client.AuditFilter{Action: "access_denied", Actor: members[role]}, client.Pages{})
		require.NoError(t, err)
		require.Len(t, onRecord.Items, refused, "each refusal of %s is on record", role)
	}
	denied := holders["viewer"].cli(t, nil, "connections", "delete", conn, "--yes")
	require.Equal(t, 4, denied.status, denied.stderr)

	tenantAdministers(t, p)

	require.NoError(t, p.api.RevokeAPIKey(t.Context(), members["viewer"]))
	for _, stranger := range []*plane{holders["viewer"], p.as(t, "gk_made-up"), p.as(t, p.key+"x")} {
		_, err = stranger.api.Connection(t.Context(), conn)
		requireRefused(t, err, http.StatusUnauthorized)
	}
}

// keyHolders makes a key of each role of a workspace.
func keyHolders(t *testing.T, p *plane) (holders map[string]*plane, members map[string]string) {
	t.Helper()
	holders, members = map[string]*plane{}, map[string]string{}
	_, err := p.api.CreateAPIKey(t.Context(), client.APIKeyDraft{Name: "Roles: tenant_admin", Role: "tenant_admin"})
	requireRefused(t, err, http.StatusUnprocessableEntity)
	for _, role := range []string{"admin", "connector_builder", "viewer"} {
		made, err := p.api.CreateAPIKey(t.Context(), client.APIKeyDraft{Name: "Roles: " + role, Role: role})
		require.NoError(t, err)
		require.Regexp(t, "^gk_", made.Value.Key)
		holders[role], members[role] = p.as(t, made.Value.Key), made.Value.MemberID
	}
	return holders, members
}

// tenantAdministers has the tenant administrator do what is theirs, and be
// refused what is a workspace's.
func tenantAdministers(t *testing.T, p *plane) {
	tenant := p.as(t, p.tenantKey)
	for call, want := range map[string]int{
		"GET /v1/tenant/workspaces":                  http.StatusOK,
		"GET /v1/tenant/workspaces/w_1/audit-events": http.StatusOK,
		"GET /v1/audit-events":                       http.StatusOK, // the tenant's own
		"GET /v1/connections":                        http.StatusForbidden,
		"GET /v1/entities":                           http.StatusForbidden,
		"GET /v1/runs":                               http.StatusForbidden,
	} {
		method, path, _ := strings.Cut(call, " ")
		status, text := tenant.send(t, method, path, "")
		require.Equal(t, want, status, "%s: %s", call, text)
	}
	status, text := p.send(t, http.MethodGet, "/v1/tenant/workspaces", "")
	require.Equal(t, http.StatusForbidden, status)
	require.Contains(t, text, "workspaces.manage")
}

// tryEverything calls each operation of the API with a key of a role and returns
// how many were forbidden. Who only reads may read all of it, and one role alone
// manages keys.
func tryEverything(t *testing.T, holder *plane, role string, named *strings.Replacer) (forbidden int) {
	readers := []string{"admin", "connector_builder", "viewer"}
	builders := []string{"admin", "connector_builder"}
	draft := `{"integration_id":"aws","name":"Roles: by ` + role + `","configuration":{"access_key_id":"AKIAIOSFODNN7EXAMPLE","secret_access_key":"s"}}`
	for call, may := range map[string]struct {
		roles []string
		want  int
		body  string
	}{
		"GET /v1/integrations":     {readers, 200, ""},
		"GET /v1/integrations/aws": {readers, 200, ""},
		"GET /v1/operations":       {readers, 200, ""},
		"GET /v1/workspaces":       {readers, 200, ""},
		"GET /v1/members":          {readers, 200, ""},
		"GET /v1/api-keys":         {readers, 200, ""},

		"GET /v1/connections":                             {readers, 200, ""},
		"GET /v1/connections/{connection}":                {readers, 200, ""},
		"GET /v1/connections/{connection}/tests":          {readers, 200, ""},
		"GET /v1/runs":                                    {readers, 200, ""},
		"GET /v1/runs/{run}":                              {readers, 200, ""},
		"GET /v1/entities":                                {readers, 200, ""},
		"GET /v1/audit-events":                            {readers, 200, ""},
		"GET /v1/access/resources/{bucket}/principals":    {readers, 200, ""},
		"GET /v1/access/principals/{account}/resources":   {readers, 200, ""},
		"GET /v1/access/paths?from={account}&to={bucket}": {readers, 200, ""},
		"GET /v1/access/evaluate?principal={account}&action=s3:GetObject&resource={bucket}": {readers, 200, ""},
		"GET /v1/entities/{bucket}":                 {readers, 200, ""},
		"POST /v1/connections":                      {builders, 201, draft},
		"PATCH /v1/connections/{connection}":        {builders, 200, `{"metadata":{"by":"` + role + `"}}`},
		"POST /v1/connections/{connection}/test":    {builders, 200, ""},
		"POST /v1/operations/discovery.run/start":   {builders, 200, `{"connection_id":"{connection}"}`},
		"POST /v1/operations/connection.test/start": {builders, 200, `{"connection_id":"{connection}"}`},
		"POST /v1/runs/{run}/cancel":                {builders, 409, ""}, // it has ended
		"DELETE /v1/connections/conn_999999999":     {builders, 404, ""},
		"POST /v1/api-keys":                         {[]string{"admin"}, 201, `{"name":"Roles: more","role":"viewer"}`},
		"DELETE /v1/api-keys/mem_999999999":         {[]string{"admin"}, 404, ""},
	} {
		method, path, _ := strings.Cut(call, " ")
		status, text := holder.send(t, method, named.Replace(path), named.Replace(may.body))
		want := may.want
		if !slices.Contains(may.roles, role) {
			want = http.StatusForbidden
			forbidden++
		}
		require.Equal(t, want, status, "%s by %s: %s", call, role, text)
	}
	return forbidden
}

func requireRefused(t *testing.T, err error, status int) {
	t.Helper()
	var problem *client.Problem
	require.ErrorAs(t, err, &problem)
	require.Equal(t, status, problem.Status, "%v", err)
}
