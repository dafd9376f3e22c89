package dataplane

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/export"
	"github.com/gatehouse-project/gatehouse/internal/export/csvfile"
	"github.com/gatehouse-project/gatehouse/internal/export/jsonlines"
	"github.com/gatehouse-project/gatehouse/internal/export/opengraph"
	"github.com/gatehouse-project/gatehouse/internal/export/parquetfile"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
)

// Exports makes files of the graph, as the discovery service's jobs do.
type Exports struct {
	plane   *Plane
	service *export.Service
	maker   *export.Maker
}

// NewExports prepares them.
func (p *Plane) NewExports() (*Exports, error) {
	for _, db := range p.dbs {
		if db.Pool().Config().ConnConfig.User != postgres.RoleDiscovery {
			continue
		}
		// They are made when they are asked for, and by nobody else.
		store, err := postgres.NewExports(db, p.Caller.Scope.Tenant, func(context.Context, pgx.Tx, export.Ref) error { return nil })
		if err != nil {
			return nil, err
		}
		source := postgres.NewExportSource(db)
		return &Exports{
			plane: p, service: &export.Service{Store: store, Recorder: db, Source: source},
			maker: &export.Maker{Store: store, Source: source, Encodings: export.Encodings{
				Tables: map[export.Format]export.TableEncoding{export.CSV: csvfile.Encoding{}, export.JSONLines: jsonlines.Encoding{}, export.Parquet: parquetfile.Encoding{}},
				Graph:  opengraph.Encoding{},
			}},
		}, nil
	}
	return nil, fmt.Errorf("no pool is of %s", postgres.RoleDiscovery)
}

// Exported is what making a file took.
type Exported struct {
	Rows, Bytes int64
	Took        time.Duration
}

// Make makes a file and deletes it.
func (x *Exports) Make(ctx context.Context, q export.Query) (made Exported, err error) {
	asked, _, err := x.service.Create(ctx, x.plane.Caller, q, nil)
	if err != nil {
		return made, fmt.Errorf("ask for an export: %w", err)
	}
	begun := time.Now()
	if err := x.maker.Make(ctx, export.Ref{Scope: asked.Scope, Export: asked.ID}); err != nil {
		return made, fmt.Errorf("make an export: %w", err)
	}
	made.Took = time.Since(begun)
	done, err := x.service.Get(ctx, x.plane.Caller, asked.ID)
	if err != nil {
		return made, err
	}
	if done.Status != export.Completed {
		return made, fmt.Errorf("the export is %s: %s", done.Status, done.Failure)
	}
	made.Rows, made.Bytes = done.Rows, done.Bytes
	return made, x.service.Delete(ctx, x.plane.Caller, asked.ID)
}

// weighEvery is how often memory is looked at.
const weighEvery = 50 * time.Millisecond

// Memory makes a file and returns how much more memory was in use meanwhile than
// before, at most: what is alive, found by collecting before each look.
func (x *Exports) Memory(ctx context.Context, q export.Query) (int64, error) {
	before, most := alive(), int64(0)
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(weighEvery)
		defer tick.Stop()
		for {
			select {
			case <-end:
				return
			case <-tick.C:
				most = max(most, alive()-before)
			}
		}
	}()
	_, err := x.Make(ctx, q)
	close(end)
	<-ended
	return most, err
}

func alive() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// CopyOut measures what no export from this server can beat: PostgreSQL's COPY of
// the rows that a connection has in the graph, the columns that exports show, in its
// own text or binary format, thrown away as they come.
func (p *Plane) CopyOut(ctx context.Context, conn id.Connection, table, format string) (rows int64, took time.Duration, err error) {
	columns := map[string]string{
		"entities":      "entity_id, kind, type, name, provider_id, connection_id, identifiers, attributes, first_run_id, valid_from",
		"relationships": "relationship_id, kind, from_id, to_id, key, effect, terms, attributes, connection_id, partition_id, first_run_id, valid_from",
	}[table]
	c, err := pgx.ConnectConfig(ctx, p.Super.Config().ConnConfig)
	if err != nil {
		return 0, 0, fmt.Errorf("connect: %w", err)
	}
	defer c.Close(ctx)
	begun := time.Now()
	tag, err := c.PgConn().CopyTo(ctx, io.Discard, fmt.Sprintf(
		"copy (select %s from %s where connection_id = %d and valid_to is null) to stdout (format %s)", columns, table, conn, format))
	if err != nil {
		return 0, 0, fmt.Errorf("copy %s out: %w", table, err)
	}
	return tag.RowsAffected(), time.Since(begun), nil
}

// FillGrants gives one account an entitlement that grants so many further resources,
// straight in the tables.
func (p *Plane) FillGrants(ctx context.Context, conn id.Connection, account [16]byte, n int) error {
	for _, sql := range []string{
		`insert into entities (workspace_id, connection_id, entity_id, kind, provider_id, name, type, content_hash, partition_id, first_run_id, valid_from)
		 select e.workspace_id, e.connection_id, '00000000-0000-4000-8000-000000000000', 'Entitlement', 'bench/all', 'bench all', 'policy', e.content_hash, e.partition_id, e.first_run_id, e.valid_from
		 from entities e where e.connection_id = $1 and e.entity_id = $2 and e.valid_to is null and $3::int > 0`,
		`insert into relationships (workspace_id, connection_id, relationship_id, from_id, to_id, kind, key, effect, content_hash, partition_id, first_run_id, valid_from)
		 select e.workspace_id, e.connection_id, '00000000-0000-4000-8000-000000000001', $2, '00000000-0000-4000-8000-000000000000', 'account_assigned_entitlement', '', 'allow', e.content_hash, e.partition_id, e.first_run_id, e.valid_from
		 from entities e where e.connection_id = $1 and e.entity_id = $2 and e.valid_to is null and $3::int > 0`,
		`insert into entities (workspace_id, connection_id, entity_id, kind, provider_id, name, type, content_hash, partition_id, first_run_id, valid_from)
		 select e.workspace_id, e.connection_id, md5('bench resource ' || n)::uuid, 'Resource', 'bench/resource/' || n, 'bench resource', 'resource', e.content_hash, e.partition_id, e.first_run_id, e.valid_from
		 from entities e cross join generate_series(1, $3::int) n where e.connection_id = $1 and e.entity_id = $2 and e.valid_to is null`,
		`insert into relationships (workspace_id, connection_id, relationship_id, from_id, to_id, kind, key, effect, content_hash, partition_id, first_run_id, valid_from)
		 select e.workspace_id, e.connection_id, md5('bench grant ' || n)::uuid, '00000000-0000-4000-8000-000000000000', md5('bench resource ' || n)::uuid, 'entitlement_grants_resource', '', 'allow', e.content_hash, e.partition_id, e.first_run_id, e.valid_from
		 from entities e cross join generate_series(1, $3::int) n where e.connection_id = $1 and e.entity_id = $2 and e.valid_to is null`,
	} {
		if _, err := p.Super.Exec(ctx, sql, conn, account, n); err != nil {
			return fmt.Errorf("fill in grants: %w", err)
		}
	}
	// As the server does by itself within minutes.
	_, err := p.Super.Exec(ctx, "vacuum analyze entities, relationships")
	return err
}
