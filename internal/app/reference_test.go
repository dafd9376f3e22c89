package app

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/reference"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// TestSecretStaysWhereItIsKept follows a reference from the connection's
// creation to a worker.
func TestSecretStaysWhereItIsKept(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	file := filepath.Join(directory, "aws")
	require.NoError(t, os.WriteFile(file, []byte(canary+"\n"), 0o600))
	b := newTestBenchUnder(t, KeySettings{}, "*=file:"+directory+"/")
	draft := func(name, ref string) string {
		raw, err := json.Marshal(map[string]any{"integration_id": "aws", "name": name, "configuration": map[string]any{
			"access_key_id": "AKIAIOSFODNN7EXAMPLE", "region": "us-east-1", "secret_access_key": map[string]string{"$ref": ref},
		}})
		require.NoError(t, err)
		return string(raw)
	}
	for _, ref := range []string{"env:PATH", "file:/etc/passwd", "file:" + directory + "/../x", "rot13:x"} {
		refused := b.builder(t, http.MethodPost, "/v1/connections", draft("No", ref))
		require.Equal(t, http.StatusUnprocessableEntity, refused.status, refused.text)
		require.Contains(t, refused.text, "configuration.secret_access_key")
		require.NotContains(t, refused.text, directory, "what is allowed is not told")
	}
	created := b.builder(t, http.MethodPost, "/v1/connections", draft("Prod AWS", "file:"+file))
	require.Equal(t, http.StatusCreated, created.status, created.text)
	require.Equal(t, map[string]any{"secret_access_key": "file"}, created.decoded(t)["config_refs"])
	require.NotContains(t, created.text, file, "where it is kept is sealed")
	connID, _ := created.decoded(t)["connection_id"].(string)
	edited := b.builder(t, http.MethodPatch, "/v1/connections/"+connID, `{"configuration":{"region":"eu-west-1"}}`)
	require.Equal(t, http.StatusOK, edited.status, edited.text)
	require.Equal(t, map[string]any{"secret_access_key": "file"}, edited.decoded(t)["config_refs"], "an edit keeps it")

	disclose := func(change func()) (disclosed json.RawMessage, err error) {
		done := b.work(t, func(_ run.Assignment, token run.Token) run.Report {
			change()
			disclosed, err = b.tryToDisclose(t, token, "*=file:"+directory+"/")
			return run.Report{Check: &connector.CheckResult{Target: connector.Target{ID: "1", Name: "Prod", Type: "account"}, Sufficient: true}}
		})
		require.Equal(t, http.StatusOK, b.builder(t, http.MethodPost, "/v1/connections/"+connID+"/test", "").status)
		done()
		return disclosed, err
	}
	disclosed, err := disclose(func() {})
	require.NoError(t, err)
	require.JSONEq(t, `{"access_key_id":"AKIAIOSFODNN7EXAMPLE","secret_access_key":"`+canary+`","region":"eu-west-1"}`, string(disclosed))
	disclosed, err = disclose(func() { require.NoError(t, os.WriteFile(file, []byte(canary+"2"), 0o600)) })
	require.NoError(t, err)
	require.Contains(t, string(disclosed), canary+"2", "what is changed there counts at once")
	_, err = disclose(func() { require.NoError(t, os.Remove(file)) })
	require.Equal(t, fault.Invalid, fault.KindOf(err))
	require.ErrorContains(t, err, "configuration.secret_access_key cannot be used: the file that it refers to is not there")
	b.requireNoCanaryStored(t)
	require.NotContains(t, b.log.String(), canary)

	var noted int
	require.NoError(t, b.super.QueryRow(t.Context(), `select count(*) from audit_events
		where action = 'configuration_disclosed' and payload->'references' = '{"secret_access_key": "file"}'`).Scan(&noted))
	require.Equal(t, 3, noted, "each disclosure says that a reference was resolved")
}

// tryToDisclose is disclose for a configuration with references.
func (b *testBench) tryToDisclose(t *testing.T, token run.Token, allow string) (json.RawMessage, error) {
	db, err := postgres.Open(t.Context(), postgres.Config{URL: b.database.URL("svc_integration"), Service: "test", MaxConns: 2})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	k, err := openKeys(t.Context(), db, b.protection)
	if err != nil {
		return nil, err
	}
	references, err := reference.New([]string{allow})
	if err != nil {
		return nil, err
	}
	claim := connection.Claim{Scope: id.Scope{Workspace: token.Workspace}, Run: token.Run, Epoch: token.Epoch, TokenHash: token.Hash}
	d, err := connection.Vault{Cipher: newCipher(k), References: references}.Disclose(t.Context(), postgres.NewConnections(db), claim)
	if err != nil {
		return nil, err
	}
	return d.Configuration.Reveal(), nil
}
