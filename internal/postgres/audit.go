package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
)

var _ audit.Reader = (*DB)(nil)

// record writes an audit event into the transaction of the change it is about. In
// one of [DB.InWorkspace] it is written as part of the commit, which fails if the
// event cannot be.
func record(ctx context.Context, tx pgx.Tx, scope id.Scope, e audit.Event) error {
	payload, err := auditPayload(e)
	if err != nil {
		return err
	}
	var events dbsqlc.DBTX = tx
	if t, ok := tx.(*transaction); ok {
		events = laterEvents{t, &t.events}
	}
	err = dbsqlc.New(events).InsertAuditEvent(ctx, dbsqlc.InsertAuditEventParams{
		TenantID: int64(scope.Tenant), WorkspaceID: int64(scope.Workspace),
		ActorKind: string(e.Actor.Kind), ActorID: e.Actor.ID, Action: string(e.Action), Outcome: string(e.Outcome),
		TargetType: e.TargetType, TargetID: e.TargetID, Payload: payload,
	})
	if err != nil {
		return fmt.Errorf("write audit event: %w", err)
	}
	return nil
}

// auditPayload encodes the payload of an event, and refuses one that the lists of
// the domain do not know.
func auditPayload(e audit.Event) (json.RawMessage, error) {
	if err := e.Check(); err != nil {
		return nil, err
	}
	if e.Payload == nil {
		return json.RawMessage("{}"), nil
	}
	payload, err := json.Marshal(e.Payload)
	if err != nil {
		return nil, fmt.Errorf("encode audit payload: %w", err)
	}
	return payload, nil
}

// RecordEvent writes an event that accompanies no change.
func (db *DB) RecordEvent(ctx context.Context, scope id.Scope, e audit.Event) error {
	return db.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error { return record(ctx, tx, scope, e) })
}

// ListEvents returns the newest events first.
func (db *DB) ListEvents(ctx context.Context, scope id.Scope, f audit.Filter, before id.AuditEvent, limit int) (records []audit.Record, err error) {
	err = db.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		rows, err := dbsqlc.New(tx).ListAuditEvents(ctx, dbsqlc.ListAuditEventsParams{
			WorkspaceID: int64(scope.Workspace), Action: string(f.Action), Outcome: string(f.Outcome), TargetType: f.TargetType,
			TargetID: f.TargetID, ActorID: f.ActorID, Since: moment(f.Since), Until: moment(f.Until), Before: int64(before), Most: int32(limit),
		})
		if err != nil {
			return fmt.Errorf("list audit events: %w", err)
		}
		records = make([]audit.Record, len(rows))
		for i, r := range rows {
			if records[i], err = auditRecord(scope.Workspace, auditRow(r)); err != nil {
				return err
			}
		}
		return nil
	})
	return records, err
}

// CountEvents counts up to most.
func (db *DB) CountEvents(ctx context.Context, scope id.Scope, f audit.Filter, most int) (n int, err error) {
	err = db.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		found, err := dbsqlc.New(tx).CountAuditEvents(ctx, dbsqlc.CountAuditEventsParams{
			WorkspaceID: int64(scope.Workspace), Action: string(f.Action), Outcome: string(f.Outcome), TargetType: f.TargetType,
			TargetID: f.TargetID, ActorID: f.ActorID, Since: moment(f.Since), Until: moment(f.Until), Most: int32(most),
		})
		n = int(found)
		return err
	})
	return n, err
}

// auditRow is one row of audit_events, whichever query read it.
type auditRow = dbsqlc.AuditEventsByIDRow

func auditRecord(w id.Workspace, r auditRow) (audit.Record, error) {
	transaction, err := strconv.ParseUint(r.Transaction, 10, 64)
	if err != nil {
		return audit.Record{}, fmt.Errorf("read the transaction of audit event %d: %w", r.EventID, err)
	}
	return audit.Record{
		ID: id.AuditEvent(r.EventID), Scope: id.Scope{Tenant: id.Tenant(r.TenantID), Workspace: w},
		Actor: audit.Actor{Kind: audit.ActorKind(r.ActorKind), ID: r.ActorID}, Action: audit.Action(r.Action), Outcome: audit.Outcome(r.Outcome),
		TargetType: r.TargetType, TargetID: r.TargetID, Payload: r.Payload, CreatedAt: r.CreatedAt, Transaction: transaction,
	}, nil
}

// moment is a time that may be missing.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
