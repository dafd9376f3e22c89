package postgres_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// accessBase is a database whose graph tests write themselves.
type accessBase struct {
	db    *postgres.DB
	super *pgxpool.Pool
}

func newAccessBase(tb testing.TB) *accessBase {
	tb.Helper()
	d := databases.New(tb)
	db, err := postgres.Open(tb.Context(), postgres.Config{URL: d.URL("svc_discovery"), Service: "test"})
	require.NoError(tb, err)
	tb.Cleanup(db.Close)
	b := &accessBase{db: db, super: d.SuperuserPool()}
	_, err = b.super.Exec(tb.Context(), `
		insert into integrations (integration_id, name, connector_id, connector_version, connector_type, provider_system,
		  required_permissions, emits_entities, emits_relationships, limits_blind_spots, supports_test, manifest)
		values ('aws', 'AWS', 'aws-discovery', '1.0.0', 'cloud', 'aws', '[]', '[]', '[]', '[]', true, '{}')`)
	require.NoError(tb, err)
	return b
}

func (b *accessBase) questions() *graph.Questions { return &graph.Questions{Store: b.db} }

func viewer(w id.Workspace) workspace.Caller {
	return workspace.Caller{Scope: id.Scope{Tenant: 1, Workspace: w}, Member: 1, Role: workspace.Viewer}
}

// estate is a graph of one connection as a test wants it.
type estate struct {
	workspace  id.Workspace
	connection id.Connection
	partition  int64
	entities   []connector.Entity
	edges      []connector.Relationship
}

// newWorkspace makes a workspace and, in it, a connection without a graph.
func (b *accessBase) newWorkspace(tb testing.TB) *estate {
	tb.Helper()
	var w id.Workspace
	require.NoError(tb, b.super.QueryRow(tb.Context(), `insert into workspaces (name) values ('test') returning workspace_id`).Scan(&w))
	return b.newConnection(tb, w, "first")
}

func (b *accessBase) newConnection(tb testing.TB, w id.Workspace, name string) *estate {
	tb.Helper()
	e := &estate{workspace: w}
	require.NoError(tb, b.super.QueryRow(tb.Context(), `
		insert into connections (tenant_id, workspace_id, integration_id, connector_id, connector_version, name, config, scope, schedule)
		values (1, $1, 'aws', 'aws-discovery', '1.0.0', $2, '{}', '{}', '{}') returning connection_id`, w, name).Scan(&e.connection))
	e.partition = b.cover(tb, e, "iam", "123456789012", "complete")
	return e
}

// cover records how completely a part of a stream was read.
func (b *accessBase) cover(tb testing.TB, e *estate, stream, partition, coverage string) (partitionID int64) {
	tb.Helper()
	require.NoError(tb, b.super.QueryRow(tb.Context(), `
		insert into stream_partitions (workspace_id, connection_id, stream, partition_key, coverage, last_observed_at, last_complete_at)
		values ($1, $2, $3, $4, $5, now(), case when $5 = 'complete' then now() end) returning partition_id`,
		e.workspace, e.connection, stream, partition, coverage).Scan(&partitionID))
	return partitionID
}

func (e *estate) id(r connector.Ref) graph.EntityID {
	return graph.NewEntityID(e.workspace, e.connection, r)
}

func (e *estate) add(kind connector.EntityKind, typ, providerID string) connector.Ref {
	ref := connector.Ref{Kind: kind, ID: providerID}
	e.entities = append(e.entities, connector.Entity{Ref: ref, Name: providerID, Type: typ})
	return ref
}

func (e *estate) relate(kind connector.RelationshipKind, from, to connector.Ref, terms *connector.Terms) {
	key := fmt.Sprintf("k%d", len(e.edges))
	e.edges = append(e.edges, connector.Relationship{Kind: kind, From: from, To: to, Key: key, Terms: terms})
}

// publish writes the estate into the graph in the way a first load does.
func (b *accessBase) publish(tb testing.TB, e *estate) {
	tb.Helper()
	ctx := tb.Context()
	seen := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	require.NoError(tb, b.db.InWorkspace(ctx, e.workspace, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `call graph_prepare($1)`, e.connection); err != nil {
			return err
		}
		var entities, relationships [][]any
		for i, n := range e.entities {
			hash := [16]byte{}
			binary.BigEndian.PutUint64(hash[:], uint64(i))
			entities = append(entities, []any{
				e.workspace, e.connection, [16]byte(e.id(n.Ref)), string(n.Kind), n.ID, n.Name, n.Type, hash, e.partition, int64(7), seen,
			})
		}
		for i, r := range e.edges {
			unique := [16]byte{}
			binary.BigEndian.PutUint64(unique[:], uint64(i))
			effect, terms := connector.Allow, []byte(nil)
			if r.Terms != nil {
				if r.Terms.Effect != "" {
					effect = r.Terms.Effect
				}
				var err error
				if terms, err = json.Marshal(r.Terms); err != nil {
					return err
				}
			}
			relationships = append(relationships, []any{
				e.workspace, e.connection, unique, [16]byte(e.id(r.From)), [16]byte(e.id(r.To)), string(r.Kind), r.Key, string(effect), terms,
				unique, e.partition, int64(7), seen,
			})
		}
		suffix := "_" + e.connection.String()[len("conn_"):]
		_, err := tx.CopyFrom(ctx, pgx.Identifier{"entities" + suffix}, []string{
			"workspace_id", "connection_id", "entity_id", "kind", "provider_id", "name", "type", "content_hash", "partition_id", "first_run_id", "valid_from",
		}, pgx.CopyFromRows(entities))
		if err != nil {
			return err
		}
		_, err = tx.CopyFrom(ctx, pgx.Identifier{"relationships" + suffix}, []string{
			"workspace_id", "connection_id", "relationship_id", "from_id", "to_id", "kind", "key", "effect", "terms",
			"content_hash", "partition_id", "first_run_id", "valid_from",
		}, pgx.CopyFromRows(relationships))
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `call graph_attach($1)`, e.connection)
		return err
	}))
}
