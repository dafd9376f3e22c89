package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
)

func getConnection(ctx context.Context, q *dbsqlc.Queries, w id.Workspace, c id.Connection) (connection.Connection, error) {
	row, err := q.GetConnection(ctx, dbsqlc.GetConnectionParams{WorkspaceID: int64(w), ConnectionID: int64(c)})
	if errors.Is(err, pgx.ErrNoRows) {
		return connection.Connection{}, noConnection(c)
	}
	if err != nil {
		return connection.Connection{}, fmt.Errorf("find connection: %w", err)
	}
	return connectionFromRow(dbsqlc.FindConnectionsRow(row))
}

func findConnections(ctx context.Context, q *dbsqlc.Queries, p dbsqlc.FindConnectionsParams) ([]connection.Connection, error) {
	rows, err := q.FindConnections(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("find connections: %w", err)
	}
	found := make([]connection.Connection, 0, len(rows))
	for _, r := range rows {
		c, err := connectionFromRow(r)
		if err != nil {
			return nil, err
		}
		found = append(found, c)
	}
	return found, nil
}

func connectionFromRow(r dbsqlc.FindConnectionsRow) (connection.Connection, error) {
	c := connection.Connection{
		ID:          id.Connection(r.ConnectionID),
		Scope:       id.Scope{Tenant: id.Tenant(r.TenantID), Workspace: id.Workspace(r.WorkspaceID)},
		Integration: integration.ID(r.IntegrationID), ConnectorID: r.ConnectorID, ConnectorVersion: r.ConnectorVersion,
		Name: r.Name, Config: r.Config, CredentialType: orZero(r.CredentialType), SecretFields: append([]string(nil), r.SecretFields...), ReadScope: r.Scope, Metadata: r.Metadata, ScopesGranted: []string{},
		ActsAs: orZero(r.ActsAs), IsDefault: r.IsDefault, Lifecycle: connection.Lifecycle(r.Lifecycle), Status: connection.Status(r.Status),
		LastRunAt: r.LastRunAt, LastUsedAt: r.LastUsedAt, LastConnectedAt: r.LastConnectedAt, LastHealthCheckAt: r.LastHealthCheckAt,
		LastErrorReason: operation.Code(orZero(r.LastErrorReasonCode)), LastErrorMessage: orZero(r.LastErrorMessage),
		NextRunAt: r.NextRunAt, LastScheduledAt: r.LastScheduledAt, ScheduleFailures: int(r.ScheduleFailures), Version: r.Version, CredentialVersion: r.CredentialVersion, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
	}
	if r.SchedulePausedAt != nil {
		c.SchedulePause = &connection.Pause{Since: *r.SchedulePausedAt, Reason: operation.Code(orZero(r.SchedulePauseReasonCode))}
	}
	if r.TargetID != nil {
		c.Target = &connection.Target{
			ID: id.Target(*r.TargetID), ProviderSystem: orZero(r.ProviderSystem), ProviderID: orZero(r.ProviderTargetID),
			Type: orZero(r.TargetType), Name: orZero(r.TargetName), CreatedAt: orZero(r.TargetCreatedAt), UpdatedAt: orZero(r.TargetUpdatedAt),
		}
	}
	if err := json.Unmarshal(r.Schedule, &c.Schedule); err != nil {
		return c, fmt.Errorf("decode the schedule of %s: %w", c.ID, err)
	}
	// Most connections have neither.
	if string(r.ConfigRefs) != "{}" {
		if err := json.Unmarshal(r.ConfigRefs, &c.ConfigRefs); err != nil {
			return c, fmt.Errorf("decode the references of %s: %w", c.ID, err)
		}
	}
	if string(r.ScopesGranted) != "[]" {
		if err := json.Unmarshal(r.ScopesGranted, &c.ScopesGranted); err != nil {
			return c, fmt.Errorf("decode the granted scopes of %s: %w", c.ID, err)
		}
	}
	return c, nil
}

// encodeRefs gives an object also where there are none.
func encodeRefs(refs map[string]string) (json.RawMessage, error) {
	if refs == nil {
		refs = map[string]string{}
	}
	raw, err := json.Marshal(refs)
	if err != nil {
		return nil, fmt.Errorf("encode references: %w", err)
	}
	return raw, nil
}
