package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/auditlog"
)

// maxSeal bounds the last line of a file: 64 MiB, far above the proofs of any
// export.
const maxSeal = 64 << 20

// Report is what a file that holds proves.
type Report struct {
	// ExportID, WorkspaceID, Query and Coverage are what the export's manifest says,
	// AsOf the moment that the answer shows, Rows the records before the seal.
	ExportID    string          `json:"export_id"`
	WorkspaceID string          `json:"workspace_id"`
	Query       json.RawMessage `json:"query"`
	AsOf        time.Time       `json:"as_of"`
	Rows        int64           `json:"rows"`
	Truncated   bool            `json:"truncated"`
	SHA256      string          `json:"sha256"`
	// RecordedAt is when the export was completed, by the audit event EventID.
	EventID    string    `json:"event_id"`
	RecordedAt time.Time `json:"recorded_at"`
	// Log, Size and SealedAt are of the checkpoint that the event is proven under.
	Log      string    `json:"log"`
	Size     int64     `json:"log_size"`
	SealedAt time.Time `json:"sealed_at"`
	// PublicKey is what signed it; KeyGiven says that it is the one that was asked
	// for, and not only the file's own.
	PublicKey string `json:"public_key"`
	KeyGiven  bool   `json:"public_key_given"`
	// RunsProven are the runs whose audit events are proven, too.
	RunsProven []string `json:"runs_proven"`
}

// event is an audit event as its leaf has it.
type event struct {
	Action      string          `json:"action"`
	CreatedAt   time.Time       `json:"created_at"`
	EventID     string          `json:"event_id"`
	Payload     json.RawMessage `json:"payload"`
	TargetID    string          `json:"target_id"`
	TargetType  string          `json:"target_type"`
	TenantID    string          `json:"tenant_id"`
	WorkspaceID string          `json:"workspace_id"`
}

// leafForm is the first line of the leaves that this package reads.
const leafForm = "gatehouse.audit.v1\n"

func (p Proof) event() (e event, err error) {
	text, ok := strings.CutPrefix(p.Leaf, leafForm)
	if !ok {
		return e, fmt.Errorf("the leaf of %s is of another form", p.EventID)
	}
	if err := json.Unmarshal([]byte(text), &e); err != nil || e.EventID != p.EventID {
		return e, fmt.Errorf("the leaf of %s is of another event", p.EventID)
	}
	return e, nil
}

// Verify checks a file of that size. With a key, it must be the one that signed;
// without one the file's own is taken, which proves only that all of it was made by
// whoever has that. The error says what does not hold; with one the report is
// empty.
func Verify(file io.ReaderAt, size int64, key string) (Report, error) {
	line, err := lastLine(file, size)
	if err != nil {
		return Report{}, err
	}
	seal, err := parseSeal(line)
	if err != nil {
		return Report{}, err
	}
	before := size - int64(len(line))
	if seal.Bytes != before {
		return Report{}, fmt.Errorf("%d bytes stand before the seal, which is of %d: something was added or taken away", before, seal.Bytes)
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(file, 0, before)); err != nil {
		return Report{}, fmt.Errorf("read the file: %w", err)
	}
	return seal.verify(hex.EncodeToString(sum.Sum(nil)), key)
}

// lastLine returns the last line with its line feed, which has to be there.
func lastLine(file io.ReaderAt, size int64) ([]byte, error) {
	if size == 0 {
		return nil, errors.New("it is empty")
	}
	for length := int64(64 << 10); ; length *= 8 {
		tail := make([]byte, min(length, size))
		if _, err := file.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read the file: %w", err)
		}
		if tail[len(tail)-1] != '\n' {
			return nil, errors.New("its last line has no end: the file was cut off")
		}
		if at := bytes.LastIndexByte(tail[:len(tail)-1], '\n'); at >= 0 {
			return tail[at+1:], nil
		}
		if int64(len(tail)) == size || length > maxSeal {
			return nil, errors.New("its last line is no seal: the file is not evidence, or was cut off")
		}
	}
}

// verify checks the seal of a content with that hash.
func (s Seal) verify(sum, key string) (Report, error) {
	own, err := openKey(s.PublicKey)
	if err != nil {
		return Report{}, err
	}
	if key != "" && key != s.PublicKey {
		return Report{}, fmt.Errorf("it was signed with the key %s, and not with the one given", s.PublicKey)
	}
	var scope string
	var first auditlog.Checkpoint
	events := make([]event, len(s.Proofs))
	for i, p := range s.Proofs {
		c, err := p.check(own)
		if err != nil {
			return Report{}, err
		}
		if events[i], err = p.event(); err != nil {
			return Report{}, err
		}
		e := events[i]
		if i == 0 {
			first, scope = c, auditlog.Origin(c.Scope)
		}
		if auditlog.Origin(c.Scope) != scope || e.TenantID != c.Scope.Tenant.String() || e.WorkspaceID != c.Scope.Workspace.String() {
			return Report{}, fmt.Errorf("%s is an event of another workspace, or proven by the log of one", p.EventID)
		}
	}
	r, err := s.completion(events[0], sum)
	if err != nil {
		return Report{}, err
	}
	r.Log, r.Size, r.SealedAt = scope, first.Size, first.Time
	r.PublicKey, r.KeyGiven = s.PublicKey, key != ""
	r.RunsProven = []string{}
	for _, e := range events[1:] {
		if e.TargetType != "run" || !strings.HasPrefix(e.Action, "run_") {
			return Report{}, fmt.Errorf("%s is not about a run", e.EventID)
		}
		r.RunsProven = append(r.RunsProven, e.TargetID)
	}
	return r, nil
}

// completion compares the event of the export's completion with content and
// manifest.
func (s Seal) completion(e event, sum string) (r Report, err error) {
	var payload struct {
		SHA256         string `json:"sha256"`
		ManifestSHA256 string `json:"manifest_sha256"`
		Bytes          int64  `json:"bytes"`
		Format         string `json:"format"`
	}
	if err := json.Unmarshal(e.Payload, &payload); err != nil || e.Action != "export_completed" || payload.Format != "evidence" {
		return r, fmt.Errorf("%s does not record that evidence was exported", e.EventID)
	}
	if payload.SHA256 != sum || payload.Bytes != s.Bytes {
		return r, fmt.Errorf("what stands before the seal is not what %s recorded: its SHA-256 is %s instead of %s", e.EventID, sum, payload.SHA256)
	}
	manifest := sha256.Sum256([]byte(s.Manifest))
	if hex.EncodeToString(manifest[:]) != payload.ManifestSHA256 {
		return r, fmt.Errorf("its manifest is not the one that %s recorded", e.EventID)
	}
	if err := json.Unmarshal([]byte(s.Manifest), &r); err != nil {
		return r, fmt.Errorf("read the manifest: %w", err)
	}
	if r.ExportID != e.TargetID || r.WorkspaceID != e.WorkspaceID {
		return r, fmt.Errorf("its manifest is that of another export than %s recorded", e.EventID)
	}
	r.EventID, r.RecordedAt = e.EventID, e.CreatedAt
	return r, nil
}
