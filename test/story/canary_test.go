package story

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/client"
	"github.com/gatehouse-project/gatehouse/test/canary"
)

// TestSecretsStaySecret gives Gatehouse secrets in every way there is and then
// looks for them wherever it writes. Beside them it is given a text that is no
// secret: where that is not found, the eyes are shut.
func TestSecretsStaySecret(t *testing.T) {
	t.Parallel()
	dir, temporary := t.TempDir(), t.TempDir()
	p, process := startDev(t, dir, "TMPDIR="+temporary)
	c := newCloud(t, 15)
	parrot := newParrot(t, "FwoGZXIvYXdzEBYaDcanary/token+2==")
	// As AWS makes them, with what URLs and JSON write otherwise.
	secrets := map[string]string{
		"the auditor's": c.Summary().Auditor.SecretAccessKey, "an access key": `wJalrXUtnFEMI/K7MDENG+bPxRfiCYcanary<&>"1"`,
		"a session token": "FwoGZXIvYXdzEBYaDcanary/token+2==", "a misplaced one": "canary-in-the-wrong-field/3+3",
	}
	const planted = "planted/in+sight=of<everyone>"
	said := &strings.Builder{}
	tell := func(args ...string) {
		got := p.cli(t, []string{"STORY_SECRET=" + secrets["an access key"], "STORY_TOKEN=" + secrets["a session token"]}, args...)
		said.WriteString(got.stdout + got.stderr)
	}

	secretsAreRefused(t, p, secrets["an access key"], secrets["a misplaced one"])
	// A provider that says in its error what it was sent.
	tell("connections", "create", "aws", "--name", "Parrot "+planted, "--set", "access_key_id=ASIAIOSFODNN7EXAMPLE", "--set-env", "secret_access_key=STORY_SECRET",
		"--set-env", "session_token=STORY_TOKEN", "--set", "region=us-east-1", "--set", "endpoint_url="+parrot.url)
	tell("connections", "test", "Parrot "+planted)
	tell("runs", "start", "discovery.run", "--connection", "Parrot "+planted, "--watch")
	require.Positive(t, parrot.repeated.Load(), "the provider was sent a secret, and said it")
	wrong := p.connect(t, "Canary", map[string]any{
		"access_key_id": "ASIAIOSFODNN7EXAMPLE", "secret_access_key": secrets["an access key"], "session_token": secrets["a session token"], "region": "us-east-1", "endpoint_url": c.url,
	})
	require.Equal(t, "failure", p.test(t, wrong).Status)
	require.Equal(t, "failed", p.discover(t, wrong).Outcome)
	right := p.connect(t, "Auditor "+planted, c.configuration(nil))
	require.Equal(t, "succeeded", p.discover(t, right).Outcome)
	p.edit(t, right, map[string]any{"secret_access_key": secrets["an access key"]})
	require.Equal(t, "failed", p.discover(t, right).Outcome)
	require.NoError(t, p.api.DeleteConnection(t.Context(), wrong, 0))
	issued, err := p.api.CreateAPIKey(t.Context(), client.APIKeyDraft{Name: "Canary", Role: "viewer"})
	require.NoError(t, err)
	secrets["an API key"] = issued.Value.Key
	for _, format := range []string{"table", "json"} {
		for _, list := range [][]string{{"connections", "list"}, {"connections", "show", right}, {"runs", "list"}, {"audit", "list"}, {"api-keys", "list"}} {
			tell(append(list, "-o", format)...)
		}
	}
	// What the plane itself keeps from others.
	kept := []string{"admin.key", "postgres/superuser.password"}
	for _, entry := range entries(t, filepath.Join(dir, "secrets")) {
		kept = append(kept, filepath.Join("secrets", entry))
	}
	for _, file := range kept {
		text, err := os.ReadFile(filepath.Join(dir, file))
		require.NoError(t, err)
		secrets[file] = strings.TrimSpace(string(text))
	}
	require.NoError(t, os.WriteFile(filepath.Join(temporary, "planted"), []byte(planted), 0o600))
	status, _ := p.get(t, "/v1/runs/"+strings.ReplaceAll(planted, "/", "-"))
	require.Equal(t, http.StatusNotFound, status)

	files := everyExport(t, p, right, c.bucket())
	sinks := map[string][]byte{
		"answers": everyAnswer(t, p, right), "commands": []byte(said.String()), "tables": everyRow(t, p.database), "server activity": activity(t, p.database, planted),
	}
	process.stop(t)
	sinks["log"] = []byte(process.out.String())
	sinks["files"] = everyFile(t, dir, kept)
	sinks["temporary files"] = everyFile(t, temporary, nil)

	scanner, err := canary.New(secrets)
	require.NoError(t, err)
	bucket, err := canary.New(map[string]string{"the bucket": c.bucket()})
	require.NoError(t, err)
	require.NotEmpty(t, bucket.Scan(files), "nothing is found in what was exported")
	require.Empty(t, scanner.Scan(files), "what was exported")
	open, err := canary.New(map[string]string{"the open text": planted, "the open text in a path": strings.ReplaceAll(planted, "/", "-")})
	require.NoError(t, err)
	for _, sink := range slices.Sorted(maps.Keys(sinks)) {
		require.NotEmpty(t, open.Scan(sinks[sink]), "nothing is found in: %s", sink)
		found := scanner.Scan(sinks[sink])
		if sink == "log" { // where the first key is shown, once
			found = slices.DeleteFunc(found, func(f string) bool { return f == "admin.key as text" })
		}
		require.Empty(t, found, sink)
	}
}

// parrot is a provider that answers with all that it was sent, header and body,
// as the message of its error.
type parrot struct {
	url string
	// repeated is how often a secret was among it.
	repeated atomic.Int64
}

func newParrot(t *testing.T, secret string) *parrot {
	t.Helper()
	p := &parrot{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		said, err := httputil.DumpRequest(r, true)
		if err != nil {
			said = []byte(err.Error())
		}
		if bytes.Contains(said, []byte(secret)) {
			p.repeated.Add(1)
		}
		w.Header().Set("X-Amzn-Errortype", "AccessDenied")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "<ErrorResponse><Error><Code>AccessDenied</Code><Message><![CDATA[%s]]></Message></Error></ErrorResponse>", said)
	}))
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

// secretsAreRefused has requests refused that hold a secret where none belongs.
func secretsAreRefused(t *testing.T, p *plane, secret, misplaced string) {
	scanner, err := canary.New(map[string]string{"a secret": secret, "a misplaced one": misplaced})
	require.NoError(t, err)
	valid := map[string]any{"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": secret, "region": "us-east-1"}
	for field, value := range map[string]any{
		"region": misplaced, "secret_acess_key": misplaced, "organizations_enabled": misplaced, "secret_access_key": []string{misplaced},
	} {
		d := draft(t, "Refused", valid)
		text, err := json.Marshal(value)
		require.NoError(t, err)
		d.Configuration[field] = text
		_, err = p.api.CreateConnection(t.Context(), d, "")
		var problem *client.Problem
		require.ErrorAs(t, err, &problem)
		require.Equal(t, 422, problem.Status)
		text, err = json.Marshal(problem)
		require.NoError(t, err)
		require.Empty(t, scanner.Scan(text))
	}
	status, text := p.send(t, "POST", "/v1/connections", `{"integration_id":"aws","configuration":{"secret_access_key":"`+misplaced+`"`)
	require.GreaterOrEqual(t, status, 400, "half a request")
	require.Empty(t, scanner.Scan([]byte(text)))
}
