package auditlog

import (
	"context"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Store keeps the logs.
type Store interface {
	// SealableWorkspaces returns at most that many workspaces with events that
	// could be sealed, those that waited longest first.
	SealableWorkspaces(ctx context.Context, most int) ([]id.Workspace, error)
	// UnsealedFor returns how long ago the oldest event was recorded that is
	// not sealed, whether it could be or not; 0 when all are.
	UnsealedFor(ctx context.Context) (time.Duration, error)
	// ContinueLog lets fn make a workspace's next batch and writes it, all in
	// one transaction; a nil batch writes nothing. Only one at a time gets to
	// a log: while another is at it, fn is not called and nothing is wrong.
	ContinueLog(ctx context.Context, scope id.Scope, fn func(Head, Unsealed) (*Batch, error)) error
}

// Head is where a log ends.
type Head struct {
	// Note is the last checkpoint, empty for a log without one.
	Note string
	// Entries is how many entries are stored.
	Entries int64
	// Arrival is when all that came from another server was known to be in the
	// log, nil when it is not: the log was made elsewhere and came with a dump, or
	// is new. It is not signed; what a wrong one hides, verifying shows.
	Arrival *Arrival
	// Hashes returns the stored hashes of entries; what is missing is left out.
	Hashes func(entries []int64) (map[int64][]tlog.Hash, error)
}

// Arrival says from where on a log is of this server.
type Arrival struct {
	// Checkpoint is the last one that may be of another server.
	Checkpoint int64
	// Horizon is the first transaction of this server that may have events which
	// are not in the log, for as long as there is no later checkpoint.
	Horizon uint64
}

// Snapshot says which transactions have ended: all below Min, none from Max on.
type Snapshot struct {
	Min, Max uint64
}

// Unsealed are the events that are not in the log.
type Unsealed struct {
	Snapshot Snapshot
	// Read returns the first of those whose transaction is from or later and
	// has ended, in the order of transactions and ids; with foreign also those
	// of transactions from Max on, which another server has counted.
	Read func(from uint64, foreign bool, most int) ([]audit.Record, error)
}

// Entry is an event's place in the log.
type Entry struct {
	Number int64
	Event  id.AuditEvent
	// Hashes are those of the subtrees that the entry completes, the leaf's first.
	Hashes []tlog.Hash
}

// Batch is what one transaction appends to a log. One without entries has no
// checkpoint.
type Batch struct {
	// Arrival, if not nil, is noted beside it.
	Arrival    *Arrival
	Entries    []Entry
	Checkpoint Checkpoint
	// Note is the checkpoint, signed.
	Note string
}

// Reader shows a workspace's log.
type Reader interface {
	// LatestCheckpoint returns the last checkpoint, or NotFound.
	LatestCheckpoint(ctx context.Context, scope id.Scope) (StoredCheckpoint, error)
	// CheckpointsAfter returns at most limit checkpoints behind that number.
	CheckpointsAfter(ctx context.Context, scope id.Scope, after int64, limit int) ([]StoredCheckpoint, error)
	// EntriesFrom returns at most limit entries from that one on.
	EntriesFrom(ctx context.Context, scope id.Scope, from int64, limit int) ([]StoredEntry, error)
	// EntryOf returns an event's place in the log, unless it is not sealed. The
	// error is NotFound for an event that the workspace does not have.
	EntryOf(ctx context.Context, scope id.Scope, e id.AuditEvent) (entry int64, sealed bool, err error)
	// Hashes returns the stored hashes of entries; what is missing is left out.
	Hashes(ctx context.Context, scope id.Scope, entries []int64) (map[int64][]tlog.Hash, error)
}

// StoredCheckpoint is a checkpoint as it was kept. Only its note is signed.
type StoredCheckpoint struct {
	Number   int64
	Size     int64
	Note     string
	SealedAt time.Time
}

// StoredEntry is an entry and its event as they are now.
type StoredEntry struct {
	Entry
	// Record is nil when the event is gone.
	Record *audit.Record
}
