package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
	"github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/internal/webhook"
)

// WebhookEvents makes the events of runs. It is the discovery service's, which
// sees no endpoint; events of connections are made by triggers.
type WebhookEvents struct {
	db *DB
}

// NewWebhookEvents returns the maker of events on a pool.
func NewWebhookEvents(db *DB) *WebhookEvents { return &WebhookEvents{db: db} }

// TellRun makes the events that a run's end is. Each has the run as its subject,
// so that telling twice makes none twice.
func (s *WebhookEvents) TellRun(ctx context.Context, r run.Ref) error {
	return s.db.InWorkspace(ctx, r.Scope.Workspace, func(tx pgx.Tx) error {
		found, err := dbsqlc.New(tx).GetRun(ctx, dbsqlc.GetRunParams{WorkspaceID: int64(r.Scope.Workspace), RunID: int64(r.Run)})
		if err != nil {
			return notFound(err, "there is no run %s", r.Run)
		}
		row := found.Run
		if row.Status != dbsqlc.RunStatusCompleted {
			return nil
		}
		var counts map[string]int64
		if err := json.Unmarshal(row.SummaryCounts, &counts); err != nil {
			return fmt.Errorf("decode the counts of %s: %w", r.Run, err)
		}
		kind := webhook.RunCompleted
		if run.Outcome(row.Outcome) == run.Blocked {
			kind = webhook.RunBlocked
		}
		err = emit(ctx, tx, kind, r.Run, webhook.RunData{
			RunID: r.Run, OperationType: row.OperationType, ConnectionID: id.Connection(orZero(row.ConnectionID)),
			IntegrationID: orZero(row.IntegrationID), Initiator: row.Initiator, Outcome: string(row.Outcome), ReasonCode: orZero(row.ReasonCode),
			Counts: counts, CompletedAt: orZero(row.CompletedAt).UTC(),
		})
		if err != nil || operation.Type(row.OperationType) != operation.DiscoveryRun || !changesAccess(counts) {
			return err
		}
		return emit(ctx, tx, webhook.AccessChanged, r.Run, webhook.AccessData{
			RunID: r.Run, ConnectionID: id.Connection(orZero(row.ConnectionID)), IntegrationID: orZero(row.IntegrationID),
			Counts: counts, PublishedAt: orZero(row.CompletedAt).UTC(),
		})
	})
}

// changesAccess reports whether what was published differs from what was known.
func changesAccess(counts map[string]int64) bool {
	return counts[graph.CountEntitiesNew]+counts[graph.CountEntitiesChanged]+counts[graph.CountEntitiesClosed]+
		counts[graph.CountRelationshipsNew]+counts[graph.CountRelationshipsChanged]+counts[graph.CountRelationshipsClosed] > 0
}

func emit(ctx context.Context, tx pgx.Tx, t webhook.EventType, r id.Run, data any) error {
	encoded, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("encode %s: %w", t, err)
	}
	err = dbsqlc.New(tx).EmitWebhookEvent(ctx, dbsqlc.EmitWebhookEventParams{EventType: string(t), Subject: r.String(), Data: encoded})
	if err != nil {
		return fmt.Errorf("write %s of %s: %w", t, r, err)
	}
	return nil
}
