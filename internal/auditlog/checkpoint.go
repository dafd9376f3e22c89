package auditlog

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Checkpoint is what is signed: the log, how many entries it has, and the hash
// over all of them. Number, Horizon and Time are lines of extension, which the
// signature covers, too.
type Checkpoint struct {
	Scope id.Scope
	// Size is how many entries the log has, 1 or more.
	Size int64
	Root tlog.Hash
	// Number counts the log's checkpoints from 1 on, without a gap.
	Number int64
	// Horizon is the number of a database transaction: every event that an
	// earlier one wrote is in the log.
	Horizon uint64
	// Time is when it was signed, to the second.
	Time time.Time
}

// Origin names a workspace's log.
func Origin(scope id.Scope) string {
	return fmt.Sprintf("gatehouse/%s/%s/audit", scope.Tenant, scope.Workspace)
}

// Text is the checkpoint's form without a signature: C2SP's tlog-checkpoint with
// lines of extension.
func (c Checkpoint) Text() string {
	return fmt.Sprintf("%s\n%d\n%s\nnumber %d\nhorizon %d\ntime %s\n", Origin(c.Scope), c.Size, c.Root, c.Number, c.Horizon, c.Time.UTC().Format(time.RFC3339))
}

// sign returns the checkpoint as a signed note.
func (c Checkpoint) sign(signer note.Signer) (string, error) {
	signed, err := note.Sign(&note.Note{Text: c.Text()}, signer)
	if err != nil {
		return "", fmt.Errorf("sign checkpoint %d of %s: %w", c.Number, Origin(c.Scope), err)
	}
	return string(signed), nil
}

// OpenCheckpoint reads a signed note and checks that the verifier's key signed it.
func OpenCheckpoint(signed string, by note.Verifier) (Checkpoint, error) {
	n, err := note.Open([]byte(signed), note.VerifierList(by))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("not signed with the key %s: %w", by.Name(), err)
	}
	return parseCheckpoint(n.Text)
}

func parseCheckpoint(text string) (c Checkpoint, err error) {
	malformed := func(what string) error {
		return fmt.Errorf("not a checkpoint of an audit log: its %s is not as it should be", what)
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) != 6 {
		return c, malformed("number of lines")
	}
	if c.Scope, err = ParseOrigin(lines[0]); err != nil {
		return c, err
	}
	if c.Size, err = strconv.ParseInt(lines[1], 10, 64); err != nil || c.Size < 1 {
		return c, malformed("size")
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return c, malformed("root")
	}
	c.Root = tlog.Hash(root)
	if c.Number, err = strconv.ParseInt(strings.TrimPrefix(lines[3], "number "), 10, 64); err != nil {
		return c, malformed("number")
	}
	if c.Horizon, err = strconv.ParseUint(strings.TrimPrefix(lines[4], "horizon "), 10, 64); err != nil {
		return c, malformed("horizon")
	}
	if c.Time, err = time.Parse(time.RFC3339, strings.TrimPrefix(lines[5], "time ")); err != nil {
		return c, malformed("time")
	}
	if c.Text() != text {
		return c, malformed("form")
	}
	return c, nil
}

// ParseOrigin reads the name of a log.
func ParseOrigin(origin string) (scope id.Scope, err error) {
	parts := strings.Split(origin, "/")
	if len(parts) == 4 {
		if scope.Tenant, err = parseID[id.Tenant](parts[1]); err == nil {
			scope.Workspace, err = parseID[id.Workspace](parts[2])
		}
	}
	if err != nil || Origin(scope) != origin {
		return scope, fmt.Errorf("not a checkpoint of an audit log: %q names none", origin)
	}
	return scope, nil
}

func parseID[T ~int64, P interface {
	*T
	UnmarshalText([]byte) error
}](text string) (T, error) {
	var found T
	err := P(&found).UnmarshalText([]byte(text))
	return found, err
}
