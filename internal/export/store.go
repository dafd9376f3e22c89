package export

import (
	"context"
	"errors"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/idempotency"
)

// ErrNotMine means that an export was cancelled, removed, or begun anew by
// somebody else: whoever makes its file stops.
var ErrNotMine = errors.New("the export is not this maker's any more")

// Store keeps exports and their files. Every change commits together with its
// audit event, whose target it fills in.
type Store interface {
	// Create stores an export and queues its making, in one transaction. When an
	// earlier request with the same key made one, that is returned, and replayed
	// is true. The error is a Conflict beyond [MaxUnfinished] or when so many bytes
	// are kept already.
	Create(ctx context.Context, d Draft, maxKept int64, e audit.Event) (x Export, replayed bool, err error)
	// Get returns an export, or NotFound.
	Get(ctx context.Context, scope id.Scope, x id.Export) (Export, error)
	// List returns the newest exports first.
	List(ctx context.Context, scope id.Scope, f Filter) ([]Export, error)
	// Cancel ends an export that has not ended and throws away what was written.
	// The error is a Conflict for one that has ended.
	Cancel(ctx context.Context, ref Ref, expires time.Time, e audit.Event) (Export, error)
	// Delete removes an export and its file.
	Delete(ctx context.Context, ref Ref, e audit.Event) error
	// Chunk returns a chunk of a completed export's file, counted from 0. The error
	// is NotFound when it is gone.
	Chunk(ctx context.Context, ref Ref, number int64) ([]byte, error)

	// Begin begins an attempt and throws away what others wrote. ok is false when
	// the export has ended or somebody is at it: nothing is to be done.
	Begin(ctx context.Context, ref Ref) (x Export, ok bool, err error)
	// Append stores the next chunk and how much has been written with it. The error
	// is [ErrNotMine] when the attempt is not the current one.
	Append(ctx context.Context, ref Ref, attempt int, c Chunk) error
	// Alive says that the attempt goes on. The error is as that of Append.
	Alive(ctx context.Context, ref Ref, attempt int) error
	// Complete makes the file one that can be downloaded. The error is as that of
	// Append.
	Complete(ctx context.Context, ref Ref, attempt int, r Result, e audit.Event) error
	// Fail ends an export without a file; attempt 0 stands for any.
	Fail(ctx context.Context, ref Ref, attempt int, message string, expires time.Time, e audit.Event) error
	// Overdue returns exports of all workspaces, at most that many of each kind:
	// those that nobody is at although somebody should be, with their attempts, and
	// those that were kept long enough.
	Overdue(ctx context.Context, most int) (abandoned map[Ref]int, expired []Ref, err error)
}

// Draft is a new export.
type Draft struct {
	Scope       id.Scope
	RequestedBy id.Member
	Query       Query
	// Once is nil for a request without a key.
	Once *idempotency.Request
}

// Filter narrows a listing; zero fields do not narrow.
type Filter struct {
	Status      Status
	RequestedBy id.Member
	// Before continues a listing: only exports older than this id.
	Before id.Export
	// Limit is the most exports to return, 1 or more.
	Limit int
}

// Chunk is a part of a file: [ChunkSize] bytes, but for the last one.
type Chunk struct {
	// Number counts from 0.
	Number int64
	Bytes  []byte
	// Rows and Size are those of the file up to the chunk's end.
	Rows, Size int64
}

// Result is what is known of a whole file.
type Result struct {
	Rows, Bytes int64
	SHA256      [32]byte
	Manifest    []byte
	Expires     time.Time
}
