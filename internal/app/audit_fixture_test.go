package app

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/auditlog"
	"github.com/gatehouse-project/gatehouse/internal/cli"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// auditBench is an API whose audit log is sealed when a test says so, and an
// auditor, who has a viewer's key and the command line.
type auditBench struct {
	*apiBench
	logs    *postgres.AuditLogs
	keyPath string
}

func newAuditBench(t *testing.T) *auditBench {
	t.Helper()
	b := &auditBench{apiBench: newAPIBench(t, nowhere)}
	db, err := postgres.Open(t.Context(), postgres.Config{URL: b.database.URL("svc_workspace"), Service: "test", MaxConns: 8})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	b.logs = postgres.NewAuditLogs(db)
	b.keyPath = filepath.Join(t.TempDir(), "viewer.key")
	require.NoError(t, os.WriteFile(b.keyPath, []byte(b.keys[workspace.Viewer].RevealString()), 0o600))
	return b
}

// newSealer makes a sealer as a process that starts would.
func (b *auditBench) newSealer(t *testing.T) *auditlog.Sealer {
	t.Helper()
	signer, err := openAuditSigner(t.Context(), b.logs, b.a.Tenant, b.auditKey)
	require.NoError(t, err)
	return &auditlog.Sealer{Store: b.logs, Tenant: b.a.Tenant, Signer: signer, Log: slog.New(slog.DiscardHandler)}
}

// settle waits until no older transaction runs; those of other tests on the same
// server hold the horizon back.
func (b *auditBench) settle(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		var ended bool
		err := b.super.QueryRow(t.Context(), `select not exists (select from audit_events where transaction >= pg_snapshot_xmin(pg_current_snapshot())
			and transaction < pg_snapshot_xmax(pg_current_snapshot()))`).Scan(&ended)
		return err == nil && ended
	}, time.Minute, 5*time.Millisecond)
}

// seal seals everything.
func (b *auditBench) seal(t *testing.T) int {
	t.Helper()
	b.settle(t)
	n, err := b.newSealer(t).Seal(t.Context())
	require.NoError(t, err)
	return n
}

// record writes events without a change and seals them under one checkpoint.
func (b *auditBench) record(t *testing.T, scope id.Scope, n int) {
	t.Helper()
	for i := range n {
		require.NoError(t, b.logs.RecordEvent(t.Context(), scope, audit.Event{
			Actor: audit.System("test"), Action: audit.ConnectionEdited, Outcome: audit.Succeeded, TargetType: "connection",
			TargetID: fmt.Sprintf("conn_%d", i+1), Payload: map[string]any{"n": i, "name": "Größe <" + fmt.Sprint(i) + ">"},
		}))
	}
	b.seal(t)
}

// gatehouse runs the command line as the auditor.
func (b *auditBench) gatehouse(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, errs bytes.Buffer
	args = append(args, "--url", b.url, "--key-file", b.keyPath)
	status = cli.Main(t.Context(), args, cli.Streams{In: &bytes.Buffer{}, Out: &out, Err: &errs}, cli.Services{Version: "test"})
	return out.String(), errs.String(), status
}

// requireVerifies runs gatehouse audit verify, which must find nothing.
func (b *auditBench) requireVerifies(t *testing.T, args ...string) string {
	t.Helper()
	out, errs, status := b.gatehouse(t, append([]string{"audit", "verify"}, args...)...)
	require.Zero(t, status, "%s%s", out, errs)
	return out
}

// save writes what a command prints to a file, as auditors do.
func (b *auditBench) save(t *testing.T, args ...string) string {
	t.Helper()
	out, errs, status := b.gatehouse(t, args...)
	require.Zero(t, status, errs)
	path := filepath.Join(t.TempDir(), "saved")
	require.NoError(t, os.WriteFile(path, []byte(out), 0o600))
	return path
}

// tamper changes the database as somebody who may do everything there, past
// triggers and foreign keys.
func (b *auditBench) tamper(t *testing.T, statement string, args ...any) {
	t.Helper()
	conn, err := b.super.Acquire(t.Context())
	require.NoError(t, err)
	defer conn.Release()
	_, err = conn.Exec(t.Context(), "set session_replication_role = replica")
	require.NoError(t, err)
	tag, err := conn.Exec(t.Context(), statement, args...)
	require.NoError(t, err)
	require.Positive(t, tag.RowsAffected(), "nothing was tampered with: %s", statement)
	_, err = conn.Exec(t.Context(), "reset session_replication_role")
	require.NoError(t, err)
}

// event returns the event at a place of workspace a's log, counted from its end
// when negative.
func (b *auditBench) event(t *testing.T, entry int) id.AuditEvent {
	t.Helper()
	var e id.AuditEvent
	require.NoError(t, b.super.QueryRow(t.Context(), `select event_id from audit_log_entries where workspace_id = $1
		and entry = case when $2 < 0 then (select max(entry) + 1 + $2 from audit_log_entries where workspace_id = $1) else $2 end`, b.a.Workspace, entry).Scan(&e))
	return e
}
