package cli

import (
	"context"
	"fmt"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/auditlog"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// auditSource reads a log over the API.
type auditSource struct {
	client *client.Client
}

var _ auditlog.Source = auditSource{}

// Notes returns a page of checkpoints.
func (s auditSource) Notes(ctx context.Context, after int64) ([]auditlog.StoredNote, error) {
	page, err := s.client.AuditCheckpoints(ctx, after)
	notes := make([]auditlog.StoredNote, len(page))
	for i, c := range page {
		notes[i] = auditlog.StoredNote{Number: c.Number, Note: c.Note}
	}
	return notes, err
}

// Entries returns a page of entries.
func (s auditSource) Entries(ctx context.Context, after int64) ([]auditlog.SealedEvent, error) {
	page, err := s.client.AuditLogEntries(ctx, after)
	if err != nil {
		return nil, err
	}
	entries := make([]auditlog.SealedEvent, len(page))
	for i, e := range page {
		if entries[i], err = sealedEvent(e); err != nil {
			return nil, fmt.Errorf("entry %d of the log: %w", e.Entry, err)
		}
	}
	return entries, nil
}

// Events returns a page of events.
func (s auditSource) Events(ctx context.Context, cursor string) ([]audit.Record, string, error) {
	page, next, err := s.client.AuditEventsPage(ctx, cursor)
	if err != nil {
		return nil, "", err
	}
	records := make([]audit.Record, len(page))
	for i, e := range page {
		if records[i], err = auditRecord(e); err != nil {
			return nil, "", err
		}
	}
	return records, next, nil
}

func sealedEvent(e client.AuditLogEntry) (s auditlog.SealedEvent, err error) {
	if len(e.LeafHash) != tlog.HashSize {
		return s, fmt.Errorf("its hash has %d bytes", len(e.LeafHash))
	}
	s = auditlog.SealedEvent{Entry: e.Entry, LeafHash: tlog.Hash(e.LeafHash)}
	if err := s.Event.UnmarshalText([]byte(e.EventID)); err != nil {
		return s, err
	}
	if e.Event == nil {
		return s, nil
	}
	r, err := auditRecord(*e.Event)
	s.Record = &r
	return s, err
}

// auditRecord takes an event as the server sent it; its payload stays as it is.
func auditRecord(e client.AuditEvent) (r audit.Record, err error) {
	r = audit.Record{
		Actor: audit.Actor{Kind: audit.ActorKind(e.ActorKind), ID: e.ActorID}, Action: audit.Action(e.Action), Outcome: audit.Outcome(e.Outcome),
		TargetType: e.TargetType, TargetID: e.TargetID, Payload: e.Payload, CreatedAt: e.CreatedAt,
	}
	if r.Transaction, err = strconv.ParseUint(e.Transaction, 10, 64); err != nil {
		return r, fmt.Errorf("%q is no number of a transaction", e.Transaction)
	}
	for text, into := range map[string]interface{ UnmarshalText([]byte) error }{
		e.EventID: &r.ID, e.TenantID: &r.Scope.Tenant, e.WorkspaceID: &r.Scope.Workspace,
	} {
		if err := into.UnmarshalText([]byte(text)); err != nil {
			return r, err
		}
	}
	return r, nil
}
