package audit

import (
	"context"
	"encoding/json"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Record is an event as it was stored: every column of its row.
type Record struct {
	ID         id.AuditEvent
	Scope      id.Scope
	Actor      Actor
	Action     Action
	Outcome    Outcome
	TargetType string
	TargetID   string
	// Payload is kept as it was stored and not decoded, so that its numbers
	// stay what they are.
	Payload   json.RawMessage
	CreatedAt time.Time
	// Transaction is the number of the database transaction that wrote the row.
	Transaction uint64
}

// Filter narrows a listing; zero fields do not narrow.
type Filter struct {
	Action     Action
	Outcome    Outcome
	TargetType string
	TargetID   string
	ActorID    string
	// Since is the first moment that counts, Until the first that does not.
	Since, Until time.Time
}

// Matches reports whether a record passes the filter.
func (f Filter) Matches(r Record) bool {
	return (f.Action == "" || f.Action == r.Action) && (f.Outcome == "" || f.Outcome == r.Outcome) &&
		(f.TargetType == "" || f.TargetType == r.TargetType) && (f.TargetID == "" || f.TargetID == r.TargetID) &&
		(f.ActorID == "" || f.ActorID == r.Actor.ID) &&
		(f.Since.IsZero() || !r.CreatedAt.Before(f.Since)) && (f.Until.IsZero() || r.CreatedAt.Before(f.Until))
}

// IsZero reports whether the filter lets everything pass.
func (f Filter) IsZero() bool { return f == Filter{} }

// CountLimit is up to where a listing is counted: counting more would cost more
// than the page it stands beside.
const CountLimit = 10_000

// Reader lists what was recorded.
type Reader interface {
	// ListEvents returns at most limit records older than before, or from the
	// newest on when before is 0, in descending order of id. Ids are drawn
	// before their transaction commits: an event can appear behind one that
	// was listed already, within the length of a transaction.
	ListEvents(ctx context.Context, scope id.Scope, f Filter, before id.AuditEvent, limit int) ([]Record, error)
	// CountEvents counts what the filter lets pass, up to most.
	CountEvents(ctx context.Context, scope id.Scope, f Filter, most int) (int, error)
}

// Recorder writes an event that accompanies no change, such as a denied attempt.
type Recorder interface {
	RecordEvent(ctx context.Context, scope id.Scope, e Event) error
}
