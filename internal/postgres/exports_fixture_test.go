package postgres_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"io"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/export"
	"github.com/gatehouse-project/gatehouse/internal/export/csvfile"
	"github.com/gatehouse-project/gatehouse/internal/export/jsonlines"
	"github.com/gatehouse-project/gatehouse/internal/export/opengraph"
	"github.com/gatehouse-project/gatehouse/internal/export/parquetfile"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// exports is a database with a graph, whose exports are made when a test says so.
type exports struct {
	*accessBase
	story
	store   *postgres.Exports
	service *export.Service
	maker   *export.Maker
	caller  workspace.Caller
	// queued are the exports that were to be made.
	mu     sync.Mutex
	queued []export.Ref
}

func newExports(t *testing.T) *exports {
	t.Helper()
	b := newAccessBase(t)
	x := &exports{accessBase: b, story: b.newStory(t)}
	x.open(t)
	x.caller = x.memberOf(t, x.workspace)
	return x
}

// exportsOf are those of a data plane that runs fill.
func exportsOf(t *testing.T, d *discovery) *exports {
	t.Helper()
	x := &exports{accessBase: &accessBase{db: d.db, super: d.super}}
	x.open(t)
	x.caller = x.memberOf(t, d.scope.Workspace)
	return x
}

func (x *exports) open(t *testing.T) {
	t.Helper()
	b := x.accessBase
	var err error
	x.store, err = postgres.NewExports(b.db, 1, func(_ context.Context, _ pgx.Tx, ref export.Ref) error {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.queued = append(x.queued, ref)
		return nil
	})
	require.NoError(t, err)
	x.service = &export.Service{Store: x.store, Recorder: b.db, Source: postgres.NewExportSource(b.db)}
	x.maker = &export.Maker{
		Store: x.store, Source: postgres.NewExportSource(b.db),
		Encodings: export.Encodings{
			Tables: map[export.Format]export.TableEncoding{export.CSV: csvfile.Encoding{}, export.JSONLines: jsonlines.Encoding{}, export.Parquet: parquetfile.Encoding{}},
			Graph:  opengraph.Encoding{},
		},
		Queue: func(_ context.Context, ref export.Ref) error {
			x.queued = append(x.queued, ref)
			return nil
		},
	}
}

// memberOf adds a viewer to a workspace.
func (x *exports) memberOf(t *testing.T, w id.Workspace) workspace.Caller {
	t.Helper()
	c := viewer(w)
	require.NoError(t, x.super.QueryRow(t.Context(), `insert into members (workspace_id, kind, name, role) values ($1, 'api_key', 'tester', 'viewer') returning member_id`, w).Scan(&c.Member))
	return c
}

func (x *exports) create(t *testing.T, q export.Query) export.Export {
	t.Helper()
	made, replayed, err := x.service.Create(t.Context(), x.caller, q, nil)
	require.NoError(t, err)
	require.False(t, replayed)
	require.Equal(t, export.Queued, made.Status)
	return made
}

func (x *exports) make(t *testing.T, e export.Export) export.Export {
	t.Helper()
	require.NoError(t, x.maker.Make(t.Context(), export.Ref{Scope: e.Scope, Export: e.ID}))
	return x.get(t, e)
}

func (x *exports) get(t *testing.T, e export.Export) export.Export {
	t.Helper()
	found, err := x.service.Get(t.Context(), x.caller, e.ID)
	require.NoError(t, err)
	return found
}

// content makes an export, downloads its file, and holds it to its manifest.
func (x *exports) content(t *testing.T, q export.Query) ([]byte, export.Manifest) {
	t.Helper()
	made := x.make(t, x.create(t, q))
	require.Equal(t, export.Completed, made.Status, made.Failure)
	_, file, err := x.service.Download(t.Context(), x.caller, made.ID, "")
	require.NoError(t, err)
	content, err := io.ReadAll(file)
	require.NoError(t, err)
	sum := sha256.Sum256(content)
	require.Equal(t, sum[:], made.SHA256)
	require.EqualValues(t, len(content), made.Bytes)
	var m export.Manifest
	require.NoError(t, json.Unmarshal(made.Manifest, &m))
	require.Equal(t, made.Rows, m.Rows)
	require.Equal(t, made.Bytes, m.Bytes)
	require.Equal(t, q, m.Query)
	require.NotEmpty(t, m.Coverage)
	return content, m
}
