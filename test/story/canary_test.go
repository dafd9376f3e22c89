package story

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/client"
)

// TestSecretsStaySecret gives Gatehouse secrets in every way there is and then
// looks for them wherever it writes: in its answers, its log, every table, and
// the files of its data directory.
func TestSecretsStaySecret(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, process := startDev(t, dir)
	c := newCloud(t, 15)
	auditor := c.Summary().Auditor
	// As AWS makes them, with what URLs and JSON write otherwise.
	const canary, token, misplaced = `wJalrXUtnFEMI/K7MDENG+bPxRfiCYcanary<&>"1"`, "FwoGZXIvYXdzEBYaDcanary/token+2==", "canary-in-the-wrong-field/3+3"
	secrets := []string{auditor.SecretAccessKey, canary, token, misplaced}

	secretsAreRefused(t, p, canary, misplaced)
	wrong := p.connect(t, "Canary", map[string]any{
		"access_key_id": "ASIAIOSFODNN7EXAMPLE", "secret_access_key": canary, "session_token": token, "region": "us-east-1", "endpoint_url": c.url,
	})
	require.Equal(t, "failure", p.test(t, wrong).Status)
	require.Equal(t, "failed", p.discover(t, wrong).Outcome)
	right := p.connect(t, "Auditor", c.configuration(nil))
	require.Equal(t, "succeeded", p.discover(t, right).Outcome)
	p.edit(t, right, map[string]any{"secret_access_key": canary})
	require.Equal(t, "failed", p.discover(t, right).Outcome)
	require.NoError(t, p.api.DeleteConnection(t.Context(), wrong))

	answers := everyAnswer(t, p, right)
	tables := everyRow(t, p.database)
	process.stop(t)
	places := map[string][]byte{"an answer": answers, "a table": tables, "the log": []byte(process.out.String()), "a file": everyFile(t, dir)}
	for place, content := range places {
		for _, secret := range secrets {
			requireAbsent(t, secret, place, content)
		}
	}
	// The key is shown at the first start and in its own file, and kept hashed.
	requireAbsent(t, p.key, "a table", tables)
	requireAbsent(t, p.key, "an answer", answers)
	// What is no secret is found with the same eyes.
	for _, place := range []string{"an answer", "a table", "a file"} {
		require.True(t, bytes.Contains(places[place], []byte(auditor.AccessKeyID)), "nothing is found in %s", place)
	}
	require.Contains(t, process.out.String(), right)
}

// secretsAreRefused has requests refused that hold a secret where none belongs.
func secretsAreRefused(t *testing.T, p *plane, canary, misplaced string) {
	valid := map[string]any{"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": canary, "region": "us-east-1"}
	for field, value := range map[string]any{
		"region": misplaced, "secret_acess_key": misplaced, "organizations_enabled": misplaced, "secret_access_key": []string{misplaced},
	} {
		d := draft(t, "Refused", valid)
		text, err := json.Marshal(value)
		require.NoError(t, err)
		d.Configuration[field] = text
		_, err = p.api.CreateConnection(t.Context(), d)
		var problem *client.Problem
		require.ErrorAs(t, err, &problem)
		require.Equal(t, 422, problem.Status)
		text, err = json.Marshal(problem)
		require.NoError(t, err)
		requireAbsent(t, canary, "a refusal", text)
		requireAbsent(t, misplaced, "a refusal", text)
	}
	status, text := p.send(t, "POST", "/v1/connections", `{"integration_id":"aws","configuration":{"secret_access_key":"`+misplaced+`"`)
	require.GreaterOrEqual(t, status, 400, "half a request")
	requireAbsent(t, misplaced, "a refusal", []byte(text))
}

// everyAnswer reads all that the API tells a reader of the workspace.
func everyAnswer(t *testing.T, p *plane, conn string) []byte {
	t.Helper()
	var all bytes.Buffer
	paths := []string{
		"/v1/integrations", "/v1/connections", "/v1/connections/" + conn, "/v1/connections/" + conn + "/tests", "/v1/runs?limit=200",
		"/v1/audit-events?limit=200", "/v1/entities?limit=200", "/v1/members", "/v1/api-keys", "/v1/workspaces", "/metrics", "/openapi.json",
	}
	runs, err := p.api.Runs(t.Context(), client.RunFilter{}, client.Pages{})
	require.NoError(t, err)
	for _, run := range runs.Items {
		paths = append(paths, "/v1/runs/"+run.RunID)
	}
	for _, path := range paths {
		status, text := p.get(t, path)
		require.Equal(t, 200, status, path)
		all.WriteString(text)
	}
	for _, format := range []string{"table", "json"} {
		shown := p.cli(t, nil, "connections", "show", conn, "-o", format)
		require.Zero(t, shown.status)
		all.WriteString(shown.stdout + shown.stderr)
	}
	return all.Bytes()
}

// everyRow reads all tables as text, in which bytes are hexadecimal.
func everyRow(t *testing.T, database string) []byte {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), `select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where c.relkind in ('r', 'm') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')`)
	require.NoError(t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.Subset(t, tables, []string{"public.credentials", "public.audit_events", "river.river_job", "public.runs"})
	var all bytes.Buffer
	for _, table := range tables {
		rows, err := conn.Query(t.Context(), "select t::text from "+table+" t")
		require.NoError(t, err)
		texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		all.WriteString(strings.Join(texts, "\n"))
	}
	return all.Bytes()
}

// everyFile reads the data directory: tables and indexes as they are on disk,
// the write-ahead log, PostgreSQL's log.
func everyFile(t *testing.T, dir string) []byte {
	t.Helper()
	var all bytes.Buffer
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		all.Write(content)
		return err
	}))
	return all.Bytes()
}

// requireAbsent looks for a secret as it is and as programs write it.
func requireAbsent(t *testing.T, secret, place string, content []byte) {
	t.Helper()
	quoted, err := json.Marshal(secret)
	require.NoError(t, err)
	forms := []string{
		secret, strings.Trim(string(quoted), `"`), url.QueryEscape(secret), url.PathEscape(secret), strings.ReplaceAll(secret, `"`, `\"`),
		hex.EncodeToString([]byte(secret)), strings.ToUpper(hex.EncodeToString([]byte(secret))),
	}
	for shift := range 3 { // where the secret begins within what is encoded
		padded := append(make([]byte, shift), secret...)
		whole := padded[:len(padded)/3*3]
		for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
			// The first characters also tell of what was before.
			forms = append(forms, encoding.EncodeToString(whole)[4:])
		}
	}
	for _, form := range forms {
		require.False(t, bytes.Contains(content, []byte(form)), "%s holds %q", place, form)
	}
}
