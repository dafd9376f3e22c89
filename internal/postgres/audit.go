package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
)

// record writes an audit event into the transaction of the change it is about.
func record(ctx context.Context, tx pgx.Tx, scope id.Scope, e audit.Event) error {
	payload, err := json.Marshal(e.Payload)
	if err != nil {
		return fmt.Errorf("encode audit payload: %w", err)
	}
	if e.Payload == nil {
		payload = []byte("{}")
	}
	err = dbsqlc.New(tx).InsertAuditEvent(ctx, dbsqlc.InsertAuditEventParams{
		TenantID: int64(scope.Tenant), WorkspaceID: int64(scope.Workspace),
		ActorKind: string(e.Actor.Kind), ActorID: e.Actor.ID, Action: string(e.Action), Outcome: string(e.Outcome),
		TargetType: e.TargetType, TargetID: e.TargetID, Payload: payload,
	})
	if err != nil {
		return fmt.Errorf("write audit event: %w", err)
	}
	return nil
}

// RecordEvent writes an event that accompanies no change.
func (db *DB) RecordEvent(ctx context.Context, scope id.Scope, e audit.Event) error {
	return db.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error { return record(ctx, tx, scope, e) })
}

// ListEvents returns the newest events first.
func (db *DB) ListEvents(ctx context.Context, scope id.Scope, f audit.Filter) ([]audit.Record, error) {
	var records []audit.Record
	err := db.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		rows, err := dbsqlc.New(tx).ListAuditEvents(ctx, dbsqlc.ListAuditEventsParams{
			WorkspaceID: int64(scope.Workspace), Action: string(f.Action), TargetType: f.TargetType, TargetID: f.TargetID,
			ActorID: f.ActorID, Before: int64(f.Before), Most: int32(f.Limit),
		})
		if err != nil {
			return err
		}
		for _, r := range rows {
			rec := audit.Record{ID: id.AuditEvent(r.EventID), Scope: scope, CreatedAt: r.CreatedAt, Event: audit.Event{
				Actor:  audit.Actor{Kind: audit.ActorKind(r.ActorKind), ID: r.ActorID},
				Action: audit.Action(r.Action), Outcome: audit.Outcome(r.Outcome), TargetType: r.TargetType, TargetID: r.TargetID,
			}}
			if err := json.Unmarshal(r.Payload, &rec.Payload); err != nil {
				return fmt.Errorf("decode audit payload: %w", err)
			}
			records = append(records, rec)
		}
		return nil
	})
	return records, err
}
