package auditlog_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/internal/auditlog"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

func newSigner(tb testing.TB, seed byte) (*auditlog.Signer, note.Signer) {
	tb.Helper()
	s, err := auditlog.NewSigner(1, bytes.Repeat([]byte{seed}, 32))
	require.NoError(tb, err)
	return s, auditlog.NoteSigner(s)
}

func TestCheckpointOpensAsItWasSigned(t *testing.T) {
	t.Parallel()
	signer, _ := newSigner(t, 1)
	rapid.Check(t, func(rt *rapid.T) {
		c := auditlog.Checkpoint{
			Scope: id.Scope{Tenant: 1, Workspace: id.Workspace(rapid.Int64Min(1).Draw(rt, "workspace"))},
			Size:  rapid.Int64Min(1).Draw(rt, "size"), Number: rapid.Int64Min(1).Draw(rt, "number"), Horizon: rapid.Uint64().Draw(rt, "horizon"),
			Root: tlog.Hash(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(rt, "root")), Time: time.Unix(rapid.Int64Range(0, 1<<37).Draw(rt, "time"), 0).UTC(),
		}
		signed, err := signer.Sign(c)
		require.NoError(rt, err)
		opened, err := auditlog.OpenCheckpoint(signed, signer.Verifier())
		require.NoError(rt, err)
		require.Equal(rt, c, opened)
		// The public key alone is enough, as an auditor has it.
		public, err := note.NewVerifier(signer.PublicKey())
		require.NoError(rt, err)
		_, err = auditlog.OpenCheckpoint(signed, public)
		require.NoError(rt, err)

		at := rapid.IntRange(0, len(signed)-1).Draw(rt, "byte")
		changed := []byte(signed)
		changed[at] ^= byte(rapid.IntRange(1, 255).Draw(rt, "bits"))
		if again, err := auditlog.OpenCheckpoint(string(changed), signer.Verifier()); err == nil {
			require.Equal(rt, c, again, "a change that leaves the signature good leaves the content, too")
		}
	})
}

func TestOnlyOurCheckpointsOpen(t *testing.T) {
	t.Parallel()
	signer, key := newSigner(t, 1)
	other, _ := newSigner(t, 2)
	c := auditlog.Checkpoint{Scope: id.Scope{Tenant: 1, Workspace: 2}, Size: 3, Number: 1, Horizon: 9, Time: time.Unix(0, 0)}
	forged, err := other.Sign(c)
	require.NoError(t, err)
	_, err = auditlog.OpenCheckpoint(forged, signer.Verifier())
	require.ErrorContains(t, err, "not signed with the key gatehouse/t_1")
	for _, text := range []string{
		"go.sum database tree\n3\n" + c.Root.String() + "\n",
		strings.Replace(c.Text(), "\n3\n", "\n03\n", 1), strings.Replace(c.Text(), "\n3\n", "\n-3\n", 1), strings.Replace(c.Text(), "\n3\n", "\n0\n", 1),
		strings.Replace(c.Text(), "t_1", "t_x", 1), strings.Replace(c.Text(), "number 1", "number one", 1),
		strings.Replace(c.Text(), "horizon 9", "horizon -9", 1), strings.Replace(c.Text(), "time ", "tim ", 1), c.Text() + "more\n",
		strings.Replace(c.Text(), "AAAA", "AAA", 1),
	} {
		signed, err := note.Sign(&note.Note{Text: text}, key)
		require.NoError(t, err)
		_, err = auditlog.OpenCheckpoint(string(signed), signer.Verifier())
		require.Error(t, err, text)
	}
	_, err = auditlog.NewSigner(1, make([]byte, 31))
	require.ErrorContains(t, err, "31 bytes")
}
