package app

import (
	"bufio"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// exported reads the ids of an export and requires the order of the log.
func exported(t *testing.T, text string) (ids []string) {
	t.Helper()
	last := ""
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		var event struct{ ID, Sequence string }
		require.NoError(t, json.Unmarshal(lines.Bytes(), &event))
		require.Greater(t, event.Sequence, last)
		last = event.Sequence
		ids = append(ids, event.ID)
	}
	return ids
}

func TestExportHasEverySealedEventAndIsRecorded(t *testing.T) {
	t.Parallel()
	b := newAuditBench(t)
	b.record(t, b.a, 1200)
	b.record(t, b.b, 3)
	out, errs, status := b.gatehouse(t, "audit", "export")
	require.Zero(t, status, errs)
	var sealed int
	require.NoError(t, b.super.QueryRow(t.Context(), `select count(*) from audit_log_entries where workspace_id = $1`, b.a.Workspace).Scan(&sealed))
	require.Len(t, exported(t, out), sealed)
	require.Greater(t, sealed, 1200)
	listed, _, _ := b.gatehouse(t, "audit", "list", "--action", "audit_exported", "-o", "json")
	require.Contains(t, listed, `"log_size"`)

	narrow, _, status := b.gatehouse(t, "audit", "export", "--target-id", "conn_7")
	require.Zero(t, status)
	require.Len(t, exported(t, narrow), 1)
}

func TestExportToAFileIsWholeOrGoesOn(t *testing.T) {
	t.Parallel()
	b := newAuditBench(t)
	b.record(t, b.a, 10)
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	export := func(args ...string) []string {
		_, errs, status := b.gatehouse(t, append([]string{"audit", "export", "--to", path}, args...)...)
		require.Zero(t, status, errs)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		return exported(t, string(text))
	}
	first := export()
	b.record(t, b.a, 5)
	whole := export("--append")
	require.Equal(t, first, whole[:len(first)])
	require.Greater(t, len(whole), len(first)+4)

	// A line that was cut off is made whole by going on.
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, text[:len(text)-100], 0o600))
	require.Equal(t, whole, export("--append"))
	require.NoError(t, os.WriteFile(path, []byte("something else\n"), 0o600))
	_, errs, status := b.gatehouse(t, "audit", "export", "--to", path, "--append")
	require.Equal(t, 1, status)
	require.Contains(t, errs, "is no event of an export")
	leftovers, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, leftovers, 1)
}

// Without a record of it there is no export.
func TestUnrecordedExportDoesNotHappen(t *testing.T) {
	t.Parallel()
	b := newAuditBench(t)
	b.record(t, b.a, 3)
	_, err := b.super.Exec(t.Context(), `alter table audit_events add constraint refused check (false) not valid`)
	require.NoError(t, err)
	got := b.builder(t, http.MethodGet, "/v1/audit-events/export", "")
	require.Equal(t, http.StatusInternalServerError, got.status)
	_, err = b.super.Exec(t.Context(), `alter table audit_events drop constraint refused`)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, b.send(t, b.keys["viewer"], http.MethodGet, "/v1/audit-events/export", "").status)
}
