package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
)

// graphView is the graph of one workspace in one transaction. Every statement
// names its connections, so that it is planned for their partitions alone.
type graphView struct {
	tx           statements
	workspace    id.Workspace
	moment       time.Time
	connections  []int64
	integrations map[id.Connection]integration.ID
	// past is set when the view is of an earlier moment.
	past *past
	// wholePlan, when set, is said in the place of the last publication, by the one
	// that follows it.
	wholePlan *bool
}

// statements is what a view needs of a transaction, or of a connection in one.
type statements interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

var _ graph.QuestionStore = (*DB)(nil)

// Snapshot calls fn with the workspace's graph as it is when the transaction
// begins.
func (db *DB) Snapshot(ctx context.Context, w id.Workspace, fn func(v graph.View) error) error {
	return db.snapshot(ctx, w, func(v *graphView) error { return fn(v) })
}

func (db *DB) snapshot(ctx context.Context, w id.Workspace, fn func(v *graphView) error) error {
	conn, err := db.borrow(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	v := &graphView{tx: conn, workspace: w, integrations: map[id.Connection]integration.ID{}}
	err = v.open(ctx, conn)
	if err == nil {
		err = fn(v)
	}
	// Nothing was written. Where this fails, the pool gives the connection up.
	if _, ended := conn.Exec(ctx, "rollback"); err == nil {
		err = ended
	}
	return translate(err)
}

// viewConnections is what a view starts from.
const viewConnections = `
	select now(), coalesce(array_agg(connection_id order by connection_id), '{}'), coalesce(array_agg(integration_id order by connection_id), '{}')
	from connections
	where workspace_id = $1 and deleted_at is null`

// viewSettings confines a view to its workspace, and has its statements planned
// once for each connection to the server. Left to itself the server compares costs:
// with the graphs of two connections, or of an earlier moment, it then plans each
// walk anew, which takes longer than the walk.
const viewSettings = "select set_config('gatehouse.workspace_id', $1, true), set_config('plan_cache_mode', 'force_generic_plan', true)"

// open begins the transaction, confines it to the workspace and lists the
// connections, in one exchange with the server.
func (v *graphView) open(ctx context.Context, conn *pgxpool.Conn) error {
	var opening pgx.Batch
	opening.Queue("begin isolation level repeatable read read only")
	opening.Queue(viewSettings, strconv.FormatInt(int64(v.workspace), 10))
	opening.Queue(viewConnections, v.workspace)
	results := conn.SendBatch(ctx, &opening)
	_, err := results.Exec()
	if err == nil {
		_, err = results.Exec()
	}
	var names []string
	if err == nil {
		err = results.QueryRow().Scan(&v.moment, &v.connections, &names)
	}
	if err = errors.Join(err, results.Close()); err != nil {
		return fmt.Errorf("open the graph: %w", err)
	}
	for i, c := range v.connections {
		v.integrations[id.Connection(c)] = integration.ID(names[i])
	}
	return nil
}

// Moment is when the transaction began, or the earlier moment that was asked for.
func (v *graphView) Moment() time.Time { return v.moment }

const entityFields = `entity_id, kind::text, type, name, provider_id, connection_id, first_run_id, valid_from`

// Entity looks for an entity in all connections.
func (v *graphView) Entity(ctx context.Context, e graph.EntityID) (graph.Entity, error) {
	sql, args := v.versions(0, `
		select `+entityFields+`, identifiers, attributes
		from {entities} e
		where workspace_id = $1 and connection_id = any ($2) and entity_id = $3`,
		[]any{v.workspace, v.connections, [16]byte(e)})
	found, err := v.scanEntity(v.tx.QueryRow(ctx, sql, args...), true)
	if err != nil {
		return graph.Entity{}, fmt.Errorf("read entity: %w", notFound(err, "%s", v.noEntity(e)))
	}
	return found, nil
}

// noEntity says that there is no such entity, or was none.
func (v *graphView) noEntity(e graph.EntityID) string {
	if v.past == nil {
		return fmt.Sprintf("there is no entity %s", e)
	}
	return fmt.Sprintf("there was no entity %s at %s", e, v.moment.UTC().Format(time.RFC3339Nano))
}

// List returns entities in order of name and id.
func (v *graphView) List(ctx context.Context, f graph.EntityFilter) ([]graph.Entity, error) {
	connections := v.connections
	if f.Connection != 0 {
		// The graph of a deleted connection stays for a while, for nobody to see.
		if !slices.Contains(v.connections, int64(f.Connection)) {
			return nil, nil
		}
		connections = []int64{int64(f.Connection)}
	}
	args := []any{v.workspace, connections}
	var where strings.Builder
	demand := func(condition string, values ...any) {
		places := make([]any, len(values))
		for i, value := range values {
			args = append(args, value)
			places[i] = fmt.Sprintf("$%d", len(args))
		}
		fmt.Fprintf(&where, "\n\t\t  and "+condition, places...)
	}
	if f.Kind != "" {
		demand("kind = %s", string(f.Kind))
	}
	if f.Type != "" {
		demand("type = %s", f.Type)
	}
	if f.ProviderID != "" {
		// Ids are computed from provider ids, and found by the index on ids.
		demand("entity_id = any (%s)", v.idsOf(connections, f.ProviderID))
	}
	if f.Name != "" {
		demand(`name collate "C" = %s`, f.Name)
	}
	if f.NamePrefix != "" {
		// Where the prefix ends in the index is known only from the prefix itself.
		if _, err := v.tx.Exec(ctx, "set local plan_cache_mode to default"); err != nil {
			return nil, fmt.Errorf("list entities: %w", err)
		}
		// Unlike "like", this operator is leakproof: it may be evaluated with
		// the index, before row-level security.
		demand(`name collate "C" ^@ %s`, f.NamePrefix)
	}
	if f.After != nil {
		demand(`(name collate "C", entity_id) > (%s, %s)`, f.After.Name, [16]byte(f.After.ID))
	}
	rows, err := v.query(ctx, one(connections), fmt.Sprintf(`
		select %s, identifiers, attributes
		from {entities} e
		where workspace_id = $1 and connection_id = any ($2)%s
		order by name collate "C", entity_id
		limit %d`, entityFields, where.String(), f.Limit), args...)
	if err != nil {
		return nil, fmt.Errorf("list entities: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (graph.Entity, error) { return v.scanEntity(row, true) })
	if err != nil {
		return nil, fmt.Errorf("list entities: %w", err)
	}
	return found, nil
}

// one returns the only connection of a list, or zero.
func one(connections []int64) id.Connection {
	if len(connections) == 1 {
		return id.Connection(connections[0])
	}
	return 0
}

// idsOf returns the ids that a provider's id may have in the connections.
func (v *graphView) idsOf(connections []int64, providerID string) [][16]byte {
	var ids [][16]byte
	for _, c := range connections {
		for _, kind := range connector.EntityKinds() {
			ids = append(ids, graph.NewEntityID(v.workspace, id.Connection(c), connector.Ref{Kind: kind, ID: providerID}))
		}
	}
	return ids
}

const namedSQL = `
		select ` + entityFields + `
		from {entities} e
		where workspace_id = $1 and connection_id = $2 and entity_id = any ($3)`

// Entities returns entities of a connection by their ids.
func (v *graphView) Entities(ctx context.Context, c id.Connection, ids []graph.EntityID) (map[graph.EntityID]graph.Entity, error) {
	if len(ids) == 0 {
		return map[graph.EntityID]graph.Entity{}, nil
	}
	rows, err := v.query(ctx, c, namedSQL, v.workspace, c, uuids(ids))
	return v.named(rows, err, len(ids))
}

func (v *graphView) named(rows pgx.Rows, err error, about int) (map[graph.EntityID]graph.Entity, error) {
	if err != nil {
		return nil, fmt.Errorf("name entities: %w", err)
	}
	defer rows.Close()
	found := make(map[graph.EntityID]graph.Entity, about)
	for rows.Next() {
		e, err := v.scanEntity(rows, false)
		if err != nil {
			return nil, fmt.Errorf("name entities: %w", err)
		}
		found[e.ID] = e
	}
	return found, rows.Err()
}

// scanEntity reads [entityFields], and identifiers and attributes when whole.
func (v *graphView) scanEntity(row pgx.Row, whole bool) (graph.Entity, error) {
	var e graph.Entity
	var identifiers, attributes json.RawMessage
	into := []any{
		(*[16]byte)(&e.ID), (*string)(&e.Kind), &e.Type, &e.Name, &e.ProviderID, &e.Connection, &e.FirstRun, &e.ValidFrom,
	}
	if whole {
		into = append(into, &identifiers, &attributes)
	}
	if err := row.Scan(into...); err != nil {
		return graph.Entity{}, err
	}
	if identifiers != nil {
		if err := json.Unmarshal(identifiers, &e.Identifiers); err != nil {
			return graph.Entity{}, fmt.Errorf("decode identifiers: %w", err)
		}
	}
	e.Attributes = attributes
	e.Integration = v.integrations[e.Connection]
	return e, nil
}

// uuids gives ids the type that pgx sends as uuid.
func uuids(ids []graph.EntityID) [][16]byte {
	plain := make([][16]byte, len(ids))
	for i, e := range ids {
		plain[i] = e
	}
	return plain
}
