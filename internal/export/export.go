package export

import (
	"encoding/json"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Status is where an export stands.
type Status string

// The statuses. Only a completed export has a file.
const (
	Queued    Status = "queued"
	Running   Status = "running"
	Completed Status = "completed"
	Failed    Status = "failed"
	Cancelled Status = "cancelled"
)

// Ended reports whether nothing will happen to the export by itself any more, but
// that it is removed in the end.
func (s Status) Ended() bool { return s == Completed || s == Failed || s == Cancelled }

// Export is one request and what came of it.
type Export struct {
	ID          id.Export
	Scope       id.Scope
	RequestedBy id.Member
	Query       Query
	Status      Status
	// Attempt counts how often making it was begun; what another attempt wrote is
	// thrown away.
	Attempt int
	// Rows and Bytes are what has been written up to now.
	Rows, Bytes int64
	// SHA256 is that of the whole file, 32 bytes, once completed.
	SHA256 []byte
	// Manifest is the [Manifest] as JSON, byte for byte as it was hashed, once
	// completed.
	Manifest json.RawMessage
	// Failure says why there is no file, for people.
	Failure   string
	CreatedAt time.Time
	StartedAt *time.Time
	EndedAt   *time.Time
	// ExpiresAt is when an ended export is removed.
	ExpiresAt *time.Time
}

// Ref names an export and its workspace.
type Ref struct {
	Scope  id.Scope
	Export id.Export
}

// Bounds of exports.
const (
	// ChunkSize is how many bytes of a file are stored, and read, at a time; the
	// last chunk of a file may have fewer.
	ChunkSize = 1 << 20
	// MaxUnfinished is how many exports of a workspace may wait or run.
	MaxUnfinished = 20
	// MaxBytes is the most that a file may have unless the operator says otherwise.
	MaxBytes int64 = 8 << 30
	// MaxKept is the most that the files of a workspace may have together before
	// another export is refused: four files of the largest size.
	MaxKept = 4
	// Keep is how long an export is kept once it has ended, unless the operator
	// says otherwise.
	Keep = 7 * 24 * time.Hour
	// MaxAttempts is how often making a file is begun.
	MaxAttempts = 5
	// AliveEvery is how often whoever makes a file says that it still does, and
	// Stale after how long without that another one may take over.
	AliveEvery = 15 * time.Second
	Stale      = time.Minute
)
