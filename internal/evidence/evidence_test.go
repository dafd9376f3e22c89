package evidence_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/auditlog"
	"github.com/gatehouse-project/gatehouse/internal/evidence"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// log is a sealed log as a server keeps it.
type log struct {
	signer *auditlog.Signer
	leaves [][]byte
	hashes []tlog.Hash
	signed string
	size   int64
}

func newLog(t require.TestingT, seed byte, events ...audit.Record) *log {
	signer, err := auditlog.NewSigner(1, bytes.Repeat([]byte{seed}, 32))
	require.NoError(t, err)
	l := &log{signer: signer}
	read := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			found[i] = l.hashes[index]
		}
		return found, nil
	})
	for i, e := range events {
		leaf, err := auditlog.Leaf(e)
		require.NoError(t, err)
		stored, err := tlog.StoredHashes(int64(i), leaf, read)
		require.NoError(t, err)
		l.leaves, l.hashes = append(l.leaves, leaf), append(l.hashes, stored...)
	}
	l.size = int64(len(events))
	root, err := tlog.TreeHash(l.size, read)
	require.NoError(t, err)
	l.signed, err = signer.Sign(auditlog.Checkpoint{
		Scope: id.Scope{Tenant: 1, Workspace: 2}, Size: l.size, Root: root, Number: 3, Horizon: 99, Time: time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC),
	})
	require.NoError(t, err)
	return l
}

// prove is what a server answers about an entry.
func (l *log) prove(t require.TestingT, event string, entry int64) evidence.Proof {
	way, err := tlog.ProveRecord(l.size, entry, tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			found[i] = l.hashes[index]
		}
		return found, nil
	}))
	require.NoError(t, err)
	p := evidence.Proof{EventID: event, Leaf: string(l.leaves[entry]), Entry: entry, Hashes: [][]byte{}, Checkpoint: l.signed}
	for i := range way {
		p.Hashes = append(p.Hashes, way[i][:])
	}
	return p
}

func record(n int64, action audit.Action, targetType, targetID string, payload any) audit.Record {
	raw, _ := json.Marshal(payload)
	return audit.Record{
		ID: id.AuditEvent(n), Scope: id.Scope{Tenant: 1, Workspace: 2}, Actor: audit.System("exports"), Action: action, Outcome: audit.Succeeded,
		TargetType: targetType, TargetID: targetID, Payload: raw, CreatedAt: time.Date(2026, 5, 4, 3, 2, 0, 0, time.UTC), Transaction: uint64(n),
	}
}

const content = `{"record":"question","export_id":"exp_7","query":{"what":"who_can"},"as_of":"2026-05-04T03:02:00Z"}
{"record":"access","row":1,"account_name":"Ann <ann@example.com>"}
{"record":"end","rows":1,"truncated":false}
`

// sample is a file of evidence, its parts, and the log behind it.
func sample(t require.TestingT) (file []byte, s evidence.Seal, l *log) {
	sum := sha256.Sum256([]byte(content))
	manifest := fmt.Sprintf(`{"version":"gatehouse.export.v1","export_id":"exp_7","tenant_id":"t_1","workspace_id":"w_2","query":{"what":"who_can","format":"evidence"},"as_of":"2026-05-04T03:02:00Z","rows":3,"bytes":%d,"sha256":%q,"truncated":false,"coverage":[]}`,
		len(content), hex.EncodeToString(sum[:]))
	hash := sha256.Sum256([]byte(manifest))
	completed := map[string]any{"sha256": hex.EncodeToString(sum[:]), "manifest_sha256": hex.EncodeToString(hash[:]), "bytes": len(content), "rows": 3, "format": "evidence", "what": "who_can"}
	l = newLog(t, 1,
		record(1, audit.RunSucceeded, "run", "run_5", map[string]any{"n": 1}),
		record(2, audit.ExportRequested, "export", "exp_7", map[string]any{}),
		record(3, audit.ExportCompleted, "export", "exp_7", completed),
		record(4, audit.ExportDownloaded, "export", "exp_7", map[string]any{}),
		record(5, audit.RunSucceeded, "run", "run_6", map[string]any{"n": 2}),
	)
	s = evidence.Seal{
		Version: evidence.Version, Bytes: int64(len(content)), Manifest: manifest, PublicKey: l.signer.PublicKey(),
		Proofs: []evidence.Proof{l.prove(t, "aud_3", 2), l.prove(t, "aud_1", 0)},
	}
	return join(t, content, s), s, l
}

func join(t require.TestingT, content string, s evidence.Seal) []byte {
	line, err := s.Line()
	require.NoError(t, err)
	return append([]byte(content), line...)
}

func verify(file []byte, key string) (evidence.Report, error) {
	return evidence.Verify(bytes.NewReader(file), int64(len(file)), key)
}

func TestEvidenceHolds(t *testing.T) {
	t.Parallel()
	file, s, _ := sample(t)
	for _, key := range []string{"", s.PublicKey} {
		r, err := verify(file, key)
		require.NoError(t, err)
		require.Equal(t, "exp_7", r.ExportID)
		require.Equal(t, "aud_3", r.EventID)
		require.Equal(t, []string{"run_5"}, r.RunsProven)
		require.EqualValues(t, 5, r.Size)
		require.Equal(t, "gatehouse/t_1/w_2/audit", r.Log)
		require.Equal(t, key != "", r.KeyGiven)
	}
}

// Whichever byte of a file is changed, to whatever, added or taken away: it does not
// verify.
func TestEveryByteCounts(t *testing.T) {
	t.Parallel()
	file, s, _ := sample(t)
	for at := range file {
		for _, bits := range []byte{1, 32, 128} {
			changed := bytes.Clone(file)
			changed[at] ^= bits
			_, err := verify(changed, "")
			require.Error(t, err, "byte %d of %q", at, file[max(at-20, 0):min(at+20, len(file))])
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		at := rapid.IntRange(0, len(file)-1).Draw(rt, "at")
		b := rapid.Byte().Draw(rt, "byte")
		changed := bytes.Clone(file)
		switch rapid.IntRange(0, 2).Draw(rt, "how") {
		case 0:
			if b == file[at] {
				return
			}
			changed[at] = b
		case 1:
			changed = append(changed[:at:at], append([]byte{b}, file[at:]...)...)
			if bytes.Equal(changed, file) {
				return
			}
		default:
			changed = append(changed[:at:at], file[at+1:]...)
		}
		_, err := verify(changed, s.PublicKey)
		require.Error(rt, err)
	})
}

// What somebody makes who can write a seal, but has not the key, does not verify.
func TestForgeriesDoNotHold(t *testing.T) {
	t.Parallel()
	_, good, l := sample(t)
	other := strings.Replace(content, "Ann", "Bob", 1)
	for name, forge := range map[string]func(s *evidence.Seal) string{
		"another content": func(*evidence.Seal) string { return other },
		"another manifest": func(s *evidence.Seal) string {
			s.Manifest = strings.Replace(s.Manifest, `"truncated":false`, `"truncated":true`, 1)
			return content
		},
		"another event of the log": func(s *evidence.Seal) string {
			s.Proofs[0] = l.prove(t, "aud_4", 3)
			return content
		},
		"another event's name": func(s *evidence.Seal) string {
			s.Proofs[0].EventID = "aud_4"
			return content
		},
		"another place": func(s *evidence.Seal) string {
			s.Proofs[0].Entry++
			return content
		},
		"another leaf": func(s *evidence.Seal) string {
			sum, was := sha256.Sum256([]byte(other)), sha256.Sum256([]byte(content))
			s.Proofs[0].Leaf = strings.ReplaceAll(s.Proofs[0].Leaf, hex.EncodeToString(was[:]), hex.EncodeToString(sum[:]))
			return other
		},
		"an event that is no run's": func(s *evidence.Seal) string {
			s.Proofs[1] = l.prove(t, "aud_2", 1)
			return content
		},
		"a log of another key": func(s *evidence.Seal) string {
			mine := newLog(t, 2, record(3, audit.ExportCompleted, "export", "exp_7", map[string]any{}))
			s.Proofs[0].Checkpoint = mine.signed
			return content
		},
		"no proof": func(s *evidence.Seal) string {
			s.Proofs = nil
			return content
		},
		"a longer file": func(*evidence.Seal) string { return content + "{}\n" },
	} {
		s := good
		s.Proofs = append([]evidence.Proof{}, good.Proofs...)
		forged := forge(&s)
		_, err := verify(join(t, forged, s), "")
		require.Error(t, err, name)
	}
	// Whoever has a key of their own can make a log of their own: the key tells.
	mine, theirs := newLog(t, 2, record(1, audit.ExportRequested, "export", "exp_7", nil)), good.PublicKey
	file, s, _ := sample(t)
	_, err := verify(file, mine.signer.PublicKey())
	require.ErrorContains(t, err, "and not with the one given")
	require.Equal(t, theirs, s.PublicKey)
}

func TestWhatIsNoEvidenceIsRefused(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"", "\n", "x", "{}\n", content, strings.Repeat("x", 1<<20), `{"evidence":"gatehouse.evidence.v2"}` + "\n"} {
		_, err := verify([]byte(file), "")
		require.Error(t, err, "%.40q", file)
	}
}
