package audit

import (
	"strconv"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/api"
	domain "github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/auditlog"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Event is one significant action.
type Event struct {
	EventID     id.AuditEvent `json:"event_id" example:"aud_123"`
	TenantID    id.Tenant     `json:"tenant_id" example:"t_123"`
	WorkspaceID id.Workspace  `json:"workspace_id" example:"w_123"`
	ActorKind   string        `json:"actor_kind" enum:"member,tenant,person,worker,system"`
	ActorID     string        `json:"actor_id" example:"mem_123"`
	Action      string        `json:"action" example:"connection_created"`
	Outcome     string        `json:"outcome" enum:"succeeded,failed,denied"`
	TargetType  string        `json:"target_type" example:"connection"`
	TargetID    string        `json:"target_id" example:"conn_123"`
	Payload     api.Object    `json:"payload" doc:"Explains the action; never a secret."`
	CreatedAt   time.Time     `json:"created_at"`
	Transaction string        `json:"transaction" example:"4711" doc:"Number of the database transaction that wrote the event; a part of what is sealed."`
}

func fromDomain(r domain.Record) Event {
	return Event{
		EventID: r.ID, TenantID: r.Scope.Tenant, WorkspaceID: r.Scope.Workspace, ActorKind: string(r.Actor.Kind), ActorID: r.Actor.ID,
		Action: string(r.Action), Outcome: string(r.Outcome), TargetType: r.TargetType, TargetID: r.TargetID,
		Payload: api.Object(r.Payload), CreatedAt: r.CreatedAt.UTC(), Transaction: strconv.FormatUint(r.Transaction, 10),
	}
}

// List is a page of audit events.
type List struct {
	AuditEvents []Event `json:"audit_events" nullable:"false"`
	NextCursor  string  `json:"next_cursor,omitempty"`
	Total       *int    `json:"total,omitempty" doc:"How many events pass the filter, counted up to 10,000; there with total=true."`
	TotalAtMost bool    `json:"total_is_lower_bound,omitempty" doc:"There are more than total."`
}

// Checkpoint is a signed statement of what the log holds.
type Checkpoint struct {
	Number   int64     `json:"number" example:"12"`
	Size     int64     `json:"size" example:"4711" doc:"Entries of the log."`
	Note     string    `json:"note" doc:"The checkpoint as a signed note; the rest of this object repeats or explains it."`
	SealedAt time.Time `json:"sealed_at"`
}

func fromCheckpoint(c auditlog.StoredCheckpoint) Checkpoint {
	return Checkpoint{Number: c.Number, Size: c.Size, Note: c.Note, SealedAt: c.SealedAt.UTC()}
}

// CheckpointList is a page of checkpoints.
type CheckpointList struct {
	Checkpoints []Checkpoint `json:"checkpoints" nullable:"false"`
	NextCursor  string       `json:"next_cursor,omitempty"`
}

// Entry is an event's place in the log.
type Entry struct {
	Entry    int64         `json:"entry" example:"0" doc:"Counts from 0."`
	EventID  id.AuditEvent `json:"event_id" example:"aud_123"`
	LeafHash []byte        `json:"leaf_hash" doc:"SHA-256 of the event's leaf as it was sealed."`
	Event    *Event        `json:"event,omitempty" doc:"The event as it is now; missing when it is gone."`
}

func fromEntry(e auditlog.StoredEntry) Entry {
	out := Entry{Entry: e.Number, EventID: e.Event, LeafHash: e.Hashes[0][:]}
	if e.Record != nil {
		event := fromDomain(*e.Record)
		out.Event = &event
	}
	return out
}

// EntryList is a page of the log.
type EntryList struct {
	Entries    []Entry `json:"entries" nullable:"false"`
	NextCursor string  `json:"next_cursor,omitempty"`
}

// Log is a workspace's log as a whole.
type Log struct {
	Origin    string      `json:"origin" example:"gatehouse/t_1/w_1/audit" doc:"Names the log in its checkpoints."`
	PublicKey string      `json:"public_key" doc:"What checkpoints are checked with, as golang.org/x/mod/sumdb/note writes it. Keep a copy where the server's operators cannot change it."`
	Latest    *Checkpoint `json:"latest,omitempty" doc:"The last checkpoint; missing as long as nothing was sealed."`
}
