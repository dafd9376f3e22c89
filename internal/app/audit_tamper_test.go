package app

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/auditlog"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// tampering is one deed done to a sealed log, and what must be found of it.
type tampering struct {
	// do tampers; it returns the event that the finding has to name, if it is
	// about one.
	do   func(t *testing.T, b *auditBench) id.AuditEvent
	find string
	// saved says that it takes what the auditor saved before to find it.
	saved bool
}

func update(column, value string) tampering {
	return tampering{find: "was changed after it had been sealed", do: func(t *testing.T, b *auditBench) id.AuditEvent {
		e := b.event(t, 17)
		b.tamper(t, "update audit_events set "+column+" = "+value+" where event_id = $1", e)
		return e
	}}
}

// truncate cuts off what was sealed by the last two checkpoints.
const (
	cutEvents = `delete from audit_events where workspace_id = $1 and event_id in (select event_id from audit_log_entries l where l.workspace_id = $1
		and l.entry >= (select size from audit_checkpoints where workspace_id = $1 and number = 2))`
	cutEntries     = `delete from audit_log_entries where workspace_id = $1 and entry >= (select size from audit_checkpoints where workspace_id = $1 and number = 2)`
	cutCheckpoints = `delete from audit_checkpoints where workspace_id = $1 and number > 2`
)

func tamperings() map[string]tampering {
	return map[string]tampering{
		"an action is changed":             update("action", "'connection_tested'"),
		"an actor is changed":              update("actor_id", "'mem_999'"),
		"a kind of actor is changed":       update("actor_kind", "'member'"),
		"an outcome is changed":            update("outcome", "'denied'"),
		"a target is changed":              update("target_id", "'conn_999'"),
		"a type of target is changed":      update("target_type", "'run'"),
		"a payload is changed":             update("payload", `jsonb_set(payload, '{n}', '999')`),
		"a number loses a zero":            update("payload", `jsonb_set(payload, '{n}', ((payload->>'n') || '.0')::jsonb)`),
		"a payload is emptied":             update("payload", `'{}'`),
		"a time is moved by a microsecond": update("created_at", `created_at + interval '1 microsecond'`),
		"a transaction is changed":         update("transaction", `(transaction::text::bigint + 1)::text::xid8`),
		"a tenant is changed":              update("tenant_id", "2"),
		"two events exchange their contents": {find: "was changed after it had been sealed", do: func(t *testing.T, b *auditBench) id.AuditEvent {
			e := b.event(t, 17)
			b.tamper(t, `update audit_events e set payload = o.payload, target_id = o.target_id from audit_events o
				where e.event_id in ($1, $2) and o.event_id in ($1, $2) and o.event_id <> e.event_id`, e, b.event(t, 18))
			return e
		}},
		"an event goes to another workspace": {find: "was deleted after it had been sealed", do: func(t *testing.T, b *auditBench) id.AuditEvent {
			e := b.event(t, 17)
			b.tamper(t, `update audit_events set workspace_id = $2 where event_id = $1`, e, b.b.Workspace)
			return e
		}},
		"an event is deleted": {find: "was deleted after it had been sealed", do: func(t *testing.T, b *auditBench) id.AuditEvent {
			e := b.event(t, 17)
			b.tamper(t, `delete from audit_events where event_id = $1`, e)
			return e
		}},
		"the newest sealed event is deleted": {find: "was deleted after it had been sealed", do: func(t *testing.T, b *auditBench) id.AuditEvent {
			e := b.event(t, -1)
			b.tamper(t, `delete from audit_events where event_id = $1`, e)
			return e
		}},
		"an event is deleted with its entry": {find: "entries are missing between", do: func(t *testing.T, b *auditBench) id.AuditEvent {
			e := b.event(t, 17)
			b.tamper(t, `delete from audit_events where event_id = $1`, e)
			b.tamper(t, `delete from audit_log_entries where event_id = $1`, e)
			return b.event(t, 18)
		}},
		"an event is deleted and the entries closed up": {find: "do not have the hash that checkpoint", do: func(t *testing.T, b *auditBench) id.AuditEvent {
			e := b.event(t, 17)
			b.tamper(t, `delete from audit_events where event_id = $1`, e)
			b.tamper(t, `delete from audit_log_entries where event_id = $1`, e)
			b.tamper(t, `update audit_log_entries set entry = entry + 1000000 where workspace_id = $1 and entry > 17`, b.a.Workspace)
			b.tamper(t, `update audit_log_entries set entry = entry - 1000001 where workspace_id = $1 and entry > 1000000`, b.a.Workspace)
			return 0
		}},
		"all events of the end are deleted": {find: "was deleted after it had been sealed", do: func(t *testing.T, b *auditBench) id.AuditEvent {
			e := b.event(t, -1)
			b.tamper(t, cutEvents, b.a.Workspace)
			return e
		}},
		"the end of events and log is cut off": {find: "the end was cut off", do: func(t *testing.T, b *auditBench) id.AuditEvent {
			b.tamper(t, cutEvents, b.a.Workspace)
			b.tamper(t, cutEntries, b.a.Workspace)
			return 0
		}},
		"the end of events, log and checkpoints is cut off": {find: "the end was cut off", saved: true, do: func(t *testing.T, b *auditBench) id.AuditEvent {
			b.tamper(t, cutEvents, b.a.Workspace)
			b.tamper(t, cutEntries, b.a.Workspace)
			b.tamper(t, cutCheckpoints, b.a.Workspace)
			return 0
		}},
		"the end of the log is cut off": {find: "was added behind the log's back", do: func(t *testing.T, b *auditBench) id.AuditEvent {
			e := b.event(t, -1)
			b.tamper(t, cutEntries, b.a.Workspace)
			return e
		}},
		"an event is added with an old transaction": {find: "was added behind the log's back", do: func(t *testing.T, b *auditBench) id.AuditEvent {
			var e id.AuditEvent
			b.tamper(t, `insert into audit_events (tenant_id, workspace_id, actor_kind, actor_id, action, outcome, target_type, target_id, created_at, transaction)
				select tenant_id, workspace_id, actor_kind, actor_id, action, outcome, target_type, 'conn_777', created_at, transaction from audit_events where event_id = $1`, b.event(t, 17))
			require.NoError(t, b.super.QueryRow(t.Context(), `select event_id from audit_events where target_id = 'conn_777'`).Scan(&e))
			b.seal(t)
			return e
		}},
		"an event is added with an entry": {find: "no checkpoint vouches for it", do: func(t *testing.T, b *auditBench) id.AuditEvent {
			b.tamper(t, `with added as (insert into audit_events (tenant_id, workspace_id, actor_kind, actor_id, action, outcome, target_type, target_id)
				values (1, $1, 'system', 'test', 'connection_edited', 'succeeded', 'connection', 'conn_777') returning event_id)
				insert into audit_log_entries (workspace_id, entry, event_id, hashes) select $1, (select max(entry) + 1 from audit_log_entries where workspace_id = $1), event_id, sha256('') from added`, b.a.Workspace)
			return b.event(t, -1)
		}},
		"an event and its stored hash are changed": {find: "do not have the hash that checkpoint 2 signs", do: func(t *testing.T, b *auditBench) id.AuditEvent {
			e := b.event(t, 17)
			b.tamper(t, `update audit_events set action = 'connection_tested' where event_id = $1`, e)
			found, err := b.logs.EntriesFrom(t.Context(), b.a, 17, 1)
			require.NoError(t, err)
			leaf, err := auditlog.LeafHash(*found[0].Record)
			require.NoError(t, err)
			b.tamper(t, `update audit_log_entries set hashes = overlay(hashes placing $2 from 1) where event_id = $1`, e, leaf[:])
			return 0
		}},
		"a checkpoint in the middle is missing": {find: "checkpoints 2 to 2 are missing", do: func(t *testing.T, b *auditBench) id.AuditEvent {
			b.tamper(t, `delete from audit_checkpoints where workspace_id = $1 and number = 2`, b.a.Workspace)
			return 0
		}},
		"a checkpoint is missing and the others are renumbered": {find: "checkpoints 2 to 2 are missing", do: func(t *testing.T, b *auditBench) id.AuditEvent {
			b.tamper(t, `delete from audit_checkpoints where workspace_id = $1 and number = 2`, b.a.Workspace)
			b.tamper(t, `update audit_checkpoints set number = number - 1 where workspace_id = $1 and number = 3`, b.a.Workspace)
			b.tamper(t, `update audit_checkpoints set number = number - 1 where workspace_id = $1 and number = 4`, b.a.Workspace)
			return 0
		}},
		"the last checkpoint is missing": {find: "no checkpoint vouches for it", do: func(t *testing.T, b *auditBench) id.AuditEvent {
			b.tamper(t, `delete from audit_checkpoints where workspace_id = $1 and number = 4`, b.a.Workspace)
			return b.event(t, -1)
		}},
		"a checkpoint is signed anew with another key": {find: "not signed with the key", do: func(t *testing.T, b *auditBench) id.AuditEvent {
			b.tamper(t, `update audit_checkpoints set note = $2 where workspace_id = $1 and number = 2`, b.a.Workspace, b.signedWith(t, bytes.Repeat([]byte{7}, 32), 2))
			return 0
		}},
		"a checkpoint is exchanged for an older one": {find: "stands behind checkpoint", do: func(t *testing.T, b *auditBench) id.AuditEvent {
			b.tamper(t, `update audit_checkpoints c set note = o.note from audit_checkpoints o where c.workspace_id = $1 and o.workspace_id = $1 and c.number = 3 and o.number = 2`, b.a.Workspace)
			return 0
		}},
		"a checkpoint comes from another workspace": {find: "is of another log", do: func(t *testing.T, b *auditBench) id.AuditEvent {
			b.tamper(t, `update audit_checkpoints c set note = o.note from audit_checkpoints o where c.workspace_id = $1 and o.workspace_id = $2 and c.number = 1 and o.number = 1`, b.a.Workspace, b.b.Workspace)
			return 0
		}},
		"an event is changed and a checkpoint signed anew with the server's key": {find: "this is another log under the same name", saved: true, do: func(t *testing.T, b *auditBench) id.AuditEvent {
			b.tamper(t, `update audit_events set action = 'connection_tested' where event_id = $1`, b.event(t, 17))
			b.tamper(t, `delete from audit_log_entries where workspace_id = $1`, b.a.Workspace)
			b.tamper(t, `delete from audit_checkpoints where workspace_id = $1`, b.a.Workspace)
			b.seal(t)
			b.record(t, b.a, 5)
			b.record(t, b.a, 5)
			b.record(t, b.a, 5)
			return 0
		}},
	}
}

// signedWith returns a stored checkpoint as another key would sign it.
func (b *auditBench) signedWith(t *testing.T, seed []byte, number int64) string {
	t.Helper()
	found, err := b.logs.CheckpointsAfter(t.Context(), b.a, number-1, 1)
	require.NoError(t, err)
	signer, err := openAuditSigner(t.Context(), b.logs, b.a.Tenant, b.auditKey)
	require.NoError(t, err)
	c, err := auditlog.OpenCheckpoint(found[0].Note, signer.Verifier())
	require.NoError(t, err)
	other, err := auditlog.NewSigner(b.a.Tenant, seed)
	require.NoError(t, err)
	signed, err := other.Sign(c)
	require.NoError(t, err)
	return signed
}

// Each way of changing the record behind the server's back is found by an auditor
// who has an API key of the least role, and the finding names the event.
func TestEveryTamperingIsFound(t *testing.T) {
	t.Parallel()
	for name, c := range tamperings() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newAuditBench(t)
			for _, n := range []int{10, 12, 9, 5} {
				b.record(t, b.a, n)
			}
			b.record(t, b.b, 3)
			checkpoint, key := b.save(t, "audit", "checkpoint"), b.save(t, "audit", "key")
			b.requireVerifies(t, "--public-key", key, "--checkpoint", checkpoint)

			about := c.do(t, b)
			out, errs, status := b.gatehouse(t, "audit", "verify", "--public-key", key, "--checkpoint", checkpoint)
			require.Equal(t, 5, status, "%s%s", out, errs)
			require.Contains(t, out, c.find)
			require.Contains(t, out, about.String())
			require.Contains(t, out, "DOES NOT VERIFY")
			out, _, status = b.gatehouse(t, "audit", "verify")
			if c.saved {
				require.Zero(t, status, "the case is not what it says: %s", out)
			} else {
				require.Equal(t, 5, status, "the server's own key is enough here")
			}
		})
	}
}

func TestAnExchangedKeyIsFound(t *testing.T) {
	t.Parallel()
	b := newAuditBench(t)
	b.record(t, b.a, 10)
	key := b.save(t, "audit", "key")
	other := filepath.Join(t.TempDir(), "other.key")
	require.NoError(t, os.WriteFile(other, bytes.Repeat([]byte{7}, 32), 0o400))
	_, err := openAuditSigner(t.Context(), b.logs, b.a.Tenant, other)
	require.ErrorContains(t, err, "is not the one that this database's audit log was signed with")
	_, err = openAuditSigner(t.Context(), b.logs, b.a.Tenant, filepath.Join(t.TempDir(), "gone.key"))
	require.ErrorContains(t, err, "restore the file from a backup")

	// Somebody takes the whole log out and makes one under a key of his own.
	b.tamper(t, `delete from audit_log_entries`)
	b.tamper(t, `delete from audit_checkpoints`)
	b.tamper(t, `delete from audit_signer`)
	b.auditKey = other
	b.seal(t)
	out, _, status := b.gatehouse(t, "audit", "verify", "--public-key", key)
	require.Equal(t, 5, status, "%s", out)
	require.Contains(t, out, "not signed with the key")
}
