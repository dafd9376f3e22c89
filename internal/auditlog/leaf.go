package auditlog

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/gatehouse-project/gatehouse/internal/audit"
)

// leafVersion stands before every leaf, so that a later form of it cannot be
// taken for this one.
const leafVersion = "gatehouse.audit.v1\n"

// leafTime has microseconds, which is what PostgreSQL keeps.
const leafTime = "2006-01-02T15:04:05.000000Z"

// columns are those of an event's row, all as text except the payload.
type columns struct {
	Action      string          `json:"action"`
	ActorID     string          `json:"actor_id"`
	ActorKind   string          `json:"actor_kind"`
	CreatedAt   string          `json:"created_at"`
	EventID     string          `json:"event_id"`
	Outcome     string          `json:"outcome"`
	Payload     json.RawMessage `json:"payload"`
	TargetID    string          `json:"target_id"`
	TargetType  string          `json:"target_type"`
	TenantID    string          `json:"tenant_id"`
	Transaction string          `json:"transaction"`
	WorkspaceID string          `json:"workspace_id"`
}

// Leaf returns what the log holds of an event: a line that names the form, and
// every column in JSON as RFC 8785 writes it, but for numbers, which stay as the
// database has them. Two events have the same leaf only when they are equal.
func Leaf(r audit.Record) ([]byte, error) {
	plain, err := json.Marshal(columns{
		Action: string(r.Action), ActorID: r.Actor.ID, ActorKind: string(r.Actor.Kind), CreatedAt: r.CreatedAt.UTC().Truncate(time.Microsecond).Format(leafTime),
		EventID: r.ID.String(), Outcome: string(r.Outcome), Payload: r.Payload, TargetID: r.TargetID, TargetType: r.TargetType,
		TenantID: r.Scope.Tenant.String(), Transaction: strconv.FormatUint(r.Transaction, 10), WorkspaceID: r.Scope.Workspace.String(),
	})
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", r.ID, err)
	}
	canonical := jsontext.Value(plain)
	err = canonical.Format(jsontext.ReorderRawObjects(true), jsontext.CanonicalizeRawInts(false), jsontext.CanonicalizeRawFloats(false),
		jsontext.PreserveRawStrings(false), jsontext.EscapeForHTML(false), jsontext.EscapeForJS(false))
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", r.ID, err)
	}
	return append([]byte(leafVersion), canonical...), nil
}

// LeafHash returns the hash of an event's leaf.
func LeafHash(r audit.Record) (tlog.Hash, error) {
	leaf, err := Leaf(r)
	if err != nil {
		return tlog.Hash{}, err
	}
	return tlog.RecordHash(leaf), nil
}
