package app

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// walkCall is how an operation is called by those who may.
type walkCall struct {
	// want is the status that they get; tenantWant is that of a tenant
	// administrator where it differs.
	want, tenantWant int
	// named says that the path names a thing of workspace a.
	named bool
	// sessionsOnly says that keys get 404.
	sessionsOnly bool
	// body is sent. {n} stands for a name that nothing has.
	body string
	// query follows the path.
	query string
	// thing makes what the path's parameter names, for each call anew.
	thing func(t *testing.T, w *walker) string
}

// prepare returns the path and body of one call.
func (c walkCall) prepare(t *testing.T, w *walker, path, who string) (string, string) {
	t.Helper()
	body := strings.ReplaceAll(c.body, "{n}", w.name("new"))
	if strings.HasSuffix(who, "tenant") || strings.HasPrefix(who, "tenant") {
		body = strings.ReplaceAll(body, `"role":"viewer"`, `"role":"tenant_admin"`)
	}
	if i := strings.IndexByte(path, '{'); i >= 0 && c.thing != nil {
		path = path[:i] + c.thing(t, w) + path[strings.IndexByte(path, '}')+1:]
		path = strings.ReplaceAll(path, "{operation}", "connection.test")
	} else if c.thing != nil {
		path += c.thing(t, w)
	}
	return path + c.query, strings.ReplaceAll(body, "{connection}", w.lastConnection)
}

// walkCalls has a line for each operation of the API.
func walkCalls() map[string]walkCall {
	const ok, created, gone = http.StatusOK, http.StatusCreated, http.StatusNoContent
	fixed := func(text string) func(*testing.T, *walker) string {
		return func(*testing.T, *walker) string { return text }
	}
	connection := func(t *testing.T, w *walker) string { return w.newConnection(t, w.name("connection")) }
	key := func(t *testing.T, w *walker) string {
		made, _, err := w.people.CreateKey(t.Context(), w.callerOf(t, w.keys[workspace.Admin], ""), w.name("key"), workspace.Viewer, nil)
		require.NoError(t, err)
		return made.ID.String()
	}
	invitation := func(t *testing.T, w *walker) string {
		made, err := w.people.Invite(t.Context(), w.callerOf(t, w.keys[workspace.Admin], ""), w.name("guest")+"@example.com", workspace.Viewer, time.Time{})
		require.NoError(t, err)
		return made.ID.String()
	}
	mapping := func(t *testing.T, w *walker) string {
		made, err := w.people.CreateMapping(t.Context(), w.callerOf(t, w.keys[workspace.Admin], ""), "groups", w.name("group"), workspace.Viewer)
		require.NoError(t, err)
		return made.ID.String()
	}
	started := func(t *testing.T, w *walker) string {
		got := w.builder(t, http.MethodPost, "/v1/operations/discovery.run/start", `{"connection_id":"`+connection(t, w)+`"}`)
		require.Equal(t, http.StatusOK, got.status, got.text)
		run, _ := got.decoded(t)["run"].(map[string]any)
		runID, _ := run["run_id"].(string)
		if runID == "" {
			runID, _ = run["id"].(string)
		}
		require.NotEmpty(t, runID, got.text)
		return runID
	}
	target := func(t *testing.T, w *walker) (text string) {
		require.NoError(t, w.super.QueryRow(t.Context(), `insert into targets (workspace_id, provider_system, provider_target_id, target_type, name)
			values ($1, 'aws', $2, 'account', 'target') returning 'tgt_' || target_id`, int64(w.a.Workspace), w.name("target")).Scan(&text))
		return text
	}
	onboarding := func(t *testing.T, w *walker) string {
		got := w.builder(t, http.MethodPost, "/v1/onboarding", `{"integration_id":"aws"}`)
		require.Equal(t, http.StatusCreated, got.status, got.text)
		w.lastConnection = connection(t, w)
		session, _ := got.decoded(t)["session_id"].(string)
		return session
	}
	picked := func(t *testing.T, w *walker) string {
		session := onboarding(t, w)
		got := w.builder(t, http.MethodPut, "/v1/onboarding/"+session+"/connection", `{"connection_id":"`+w.lastConnection+`"}`)
		require.Equal(t, http.StatusOK, got.status, got.text)
		return session
	}
	hook := func(t *testing.T, w *walker) string {
		got := w.send(t, w.keys[workspace.Admin], http.MethodPost, "/v1/webhooks", `{"url":"https://hooks.example.com","event_types":["run.completed"]}`)
		require.Equal(t, http.StatusCreated, got.status, got.text)
		made, _ := got.decoded(t)["webhook_id"].(string)
		return made
	}
	exported := func(t *testing.T, w *walker) string {
		got := w.builder(t, http.MethodPost, "/v1/exports", `{"what":"entities","format":"csv"}`)
		require.Equal(t, http.StatusCreated, got.status, got.text)
		made, _ := got.decoded(t)["export_id"].(string)
		return made
	}
	tenants := func(t *testing.T, w *walker) string { return w.workspace(t).String() }
	// Nothing has been discovered here: whoever may ask finds nothing.
	const entity, identity = "ent_00000000000000000000000000000001", "identity_00000000000000000000000000000001"
	return map[string]walkCall{
		"get-sign-in":    {want: http.StatusNotFound},
		"create-session": {want: http.StatusNotFound, body: `{"id_token":"x"}`},
		"get-session":    {want: ok},
		"delete-session": {want: gone, sessionsOnly: true},

		"list-workspaces": {want: ok},
		"get-workspace":   {want: ok, named: true, thing: func(_ *testing.T, w *walker) string { return w.a.Workspace.String() }},

		"list-members":    {want: ok},
		"set-member-role": {want: ok, named: true, body: `{"role":"viewer"}`, thing: func(t *testing.T, w *walker) string { return w.member(t) }},
		"remove-member":   {want: gone, named: true, thing: func(t *testing.T, w *walker) string { return w.member(t) }},

		"list-invitations":  {want: ok},
		"create-invitation": {want: created, body: `{"email":"{n}@example.com","role":"viewer"}`},
		"revoke-invitation": {want: gone, named: true, thing: invitation},

		"list-claim-mappings":  {want: ok},
		"create-claim-mapping": {want: created, body: `{"claim":"groups","value":"{n}","role":"viewer"}`},
		"delete-claim-mapping": {want: gone, named: true, thing: mapping},

		"list-api-keys":  {want: ok},
		"create-api-key": {want: created, body: `{"name":"{n}","role":"viewer"}`},
		"revoke-api-key": {want: gone, named: true, thing: key},

		"list-tenant-workspaces":      {want: ok},
		"create-workspace":            {want: created, body: `{"name":"{n}"}`},
		"archive-workspace":           {want: ok, thing: tenants},
		"unarchive-workspace":         {want: ok, thing: tenants},
		"transfer-workspace":          {want: ok, body: `{"owner_email":"{n}@example.com"}`, thing: tenants},
		"list-workspace-audit-events": {want: ok, thing: tenants},

		"list-audit-events":   {want: ok},
		"export-audit-events": {want: ok},
		"get-audit-log":       {want: ok},
		// Nothing is sealed here.
		"prove-audit-event": {want: http.StatusConflict, named: true, thing: func(t *testing.T, w *walker) (event string) {
			require.NoError(t, w.super.QueryRow(t.Context(), "select 'aud_' || max(event_id) from audit_events where workspace_id = $1", int64(w.a.Workspace)).Scan(&event))
			return event
		}},
		"list-audit-checkpoints": {want: ok},
		"list-audit-log-entries": {want: ok},

		"get-licence": {want: ok},
		// What is no licence is refused by the one who may install.
		"install-licence": {want: http.StatusUnprocessableEntity, body: `{"licence":"none"}`},

		"list-integrations": {want: ok},
		"get-integration":   {want: ok, thing: fixed("aws")},

		"get-integration-permissions": {want: ok, thing: fixed("aws")},

		"list-connections":  {want: ok},
		"create-connection": {want: created, body: awsDraft("{n}")},
		"get-connection":    {want: ok, named: true, thing: connection},
		"update-connection": {want: ok, named: true, body: `{"metadata":{"a":1}}`, thing: connection},
		// It has no target yet.
		"make-default-connection": {want: http.StatusUnprocessableEntity, named: true, thing: connection},
		"pause-schedule":          {want: ok, named: true, thing: connection},
		"resume-schedule":         {want: ok, named: true, thing: connection},
		"delete-connection":       {want: gone, named: true, thing: connection},
		"list-connection-tests":   {want: ok, named: true, thing: connection},
		// Nobody answers for the discovery service where this one looks for it.
		"test-connection": {want: http.StatusServiceUnavailable, named: true, thing: connection},
		"list-targets":    {want: ok},

		"list-webhooks":         {want: ok},
		"create-webhook":        {want: created, body: `{"url":"https://hooks.example.com/{n}","event_types":["run.completed"]}`},
		"get-webhook":           {want: ok, named: true, thing: hook},
		"update-webhook":        {want: ok, named: true, body: `{"description":"{n}"}`, thing: hook},
		"delete-webhook":        {want: gone, named: true, thing: hook},
		"rotate-webhook-secret": {want: ok, named: true, thing: hook},
		"test-webhook":          {want: http.StatusAccepted, named: true, thing: hook},
		"replay-webhook":        {want: http.StatusAccepted, named: true, body: `{"since":"2026-01-01T00:00:00Z"}`, thing: hook},

		"list-webhook-deliveries": {want: ok, named: true, thing: hook},
		// The second name of its path is nothing's: TestDeliveriesAreReplayed calls it well.
		"replay-webhook-delivery": {want: http.StatusNotFound, thing: hook},
		"get-target":              {want: ok, named: true, thing: target},

		"list-throttle-budgets": {want: ok},
		"list-throttle-limits":  {want: ok},
		"set-throttle-limit":    {want: ok, body: `{"calls":5,"per_seconds":1,"burst":5}`, thing: fixed("aws.iam")},
		"clear-throttle-limit": {want: gone, thing: func(t *testing.T, w *walker) string {
			_, err := w.super.Exec(t.Context(), "insert into throttle_limits values ('aws', 'sts', 1, 1, 1, 0, 'mem_1') on conflict do nothing")
			require.NoError(t, err)
			return "aws.sts"
		}},

		"list-operations": {want: ok},
		"start-operation": {want: ok, named: true, body: `{"connection_id":"{connection}"}`, thing: func(t *testing.T, w *walker) string {
			w.lastConnection = connection(t, w)
			return "discovery.run"
		}},
		"list-runs":  {want: ok},
		"get-run":    {want: ok, named: true, thing: started},
		"cancel-run": {want: ok, named: true, thing: started},
		// Of a run that has ended, so that the answer does.
		"follow-run": {want: ok, named: true, thing: func(t *testing.T, w *walker) string {
			run := started(t, w)
			require.Equal(t, http.StatusOK, w.builder(t, http.MethodPost, "/v1/runs/"+run+"/cancel", "").status)
			return run
		}},

		"list-notifications":     {want: ok},
		"read-notification":      {want: http.StatusNotFound, thing: fixed("ntf_999999")},
		"read-all-notifications": {want: ok},

		"start-onboarding":           {want: created, body: `{"integration_id":"aws"}`},
		"list-onboarding":            {want: ok},
		"get-onboarding":             {want: ok, named: true, thing: onboarding},
		"pick-onboarding-connection": {want: ok, named: true, body: `{"connection_id":"{connection}"}`, thing: onboarding},
		"start-onboarding-operation": {want: ok, named: true, body: `{"step":"verify"}`, thing: picked},
		// Nothing was verified, and nothing has stopped.
		"start-onboarding-bootstrap": {want: http.StatusConflict, named: true, body: `{"connection_id":"{connection}","selected_operations":["discovery.run"]}`, thing: picked},
		"resume-onboarding":          {want: http.StatusConflict, named: true, thing: picked},
		"abandon-onboarding":         {want: ok, named: true, thing: onboarding},

		"list-identities":          {want: ok},
		"get-identity":             {want: http.StatusNotFound, thing: fixed(identity)},
		"list-identity-changes":    {want: http.StatusNotFound, thing: fixed(identity)},
		"join-identities":          {want: http.StatusNotFound, body: `{"identity_ids":["` + identity + `"]}`, thing: fixed(identity)},
		"split-identity":           {want: http.StatusNotFound, body: `{"principal_ids":["` + entity + `"]}`, thing: fixed(identity)},
		"list-identity-sources":    {want: ok},
		"trust-identity-source":    {want: gone, named: true, thing: connection},
		"distrust-identity-source": {want: gone, named: true, thing: connection},

		"list-entities": {want: ok},
		"get-entity":    {want: http.StatusNotFound, thing: fixed(entity)},
		"who-can":       {want: http.StatusNotFound, thing: fixed(entity)},
		"what-can":      {want: http.StatusNotFound, thing: fixed(entity)},
		"list-changes":  {want: ok},

		"access-since":        {want: http.StatusNotFound, thing: fixed("?from=" + entity + "&to=" + entity)},
		"who-can-by-identity": {want: http.StatusNotFound, thing: fixed(entity)},
		"what-identity-can":   {want: http.StatusNotFound, thing: fixed(identity)},

		"compare-who-can":           {want: http.StatusNotFound, thing: fixed(entity), query: "?from=2020-01-01T00:00:00Z"},
		"compare-what-can":          {want: http.StatusNotFound, thing: fixed(entity), query: "?from=2020-01-01T00:00:00Z"},
		"compare-what-identity-can": {want: http.StatusNotFound, thing: fixed(identity), query: "?from=2020-01-01T00:00:00Z"},

		"access-paths": {want: http.StatusNotFound, thing: fixed("?from=" + entity + "&to=" + entity)},

		// The tenant level has no graph.
		"create-export": {want: created, tenantWant: http.StatusForbidden, body: `{"what":"entities","format":"csv"}`},
		"list-exports":  {want: ok},
		"get-export":    {want: ok, named: true, thing: exported},
		"cancel-export": {want: ok, named: true, thing: exported},
		"delete-export": {want: gone, named: true, thing: exported},
		// Nobody makes files here, so there is none.
		"download-export":     {want: http.StatusConflict, named: true, thing: exported},
		"get-export-manifest": {want: http.StatusConflict, named: true, thing: exported},

		"evaluate-access": {want: http.StatusNotFound, thing: fixed("?principal=" + entity + "&action=s3:GetObject&resource=arn:aws:s3:::payroll")},
	}
}
