package postgres_test

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/export"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/idempotency"
)

// A maker that is killed leaves nothing that could be downloaded; another one takes
// over, and the first one, should it live, can write no more.
func TestKilledMakerLeavesNoHalfFile(t *testing.T) {
	t.Parallel()
	x := newExports(t)
	e := x.create(t, export.Query{Subject: export.Entities, Format: export.CSV})
	ref := export.Ref{Scope: e.Scope, Export: e.ID}
	first, ok, err := x.store.Begin(t.Context(), ref)
	require.NoError(t, err)
	require.True(t, ok)
	chunk := export.Chunk{Bytes: bytes.Repeat([]byte{'x'}, export.ChunkSize), Rows: 3, Size: export.ChunkSize}
	require.NoError(t, x.store.Append(t.Context(), ref, first.Attempt, chunk))
	require.EqualValues(t, 3, x.get(t, e).Rows, "progress shows")
	_, _, err = x.service.Download(t.Context(), x.caller, e.ID, "")
	require.Equal(t, fault.Conflict, fault.KindOf(err), "%v", err)
	_, err = x.store.Chunk(t.Context(), ref, 0)
	require.Equal(t, fault.NotFound, fault.KindOf(err), "%v", err)

	_, ok, err = x.store.Begin(t.Context(), ref)
	require.NoError(t, err)
	require.False(t, ok, "somebody is at it")
	x.queued = nil
	require.NoError(t, x.maker.Tend(t.Context()))
	require.Empty(t, x.queued)
	x.silence(t, e)
	require.NoError(t, x.maker.Tend(t.Context()))
	require.Equal(t, []export.Ref{ref}, x.queued)

	require.Equal(t, export.Completed, x.make(t, e).Status)
	chunk.Number = 1
	require.ErrorIs(t, x.store.Append(t.Context(), ref, first.Attempt, chunk), export.ErrNotMine)
	require.ErrorIs(t, x.store.Alive(t.Context(), ref, first.Attempt), export.ErrNotMine)
	require.ErrorIs(t, x.store.Complete(t.Context(), ref, first.Attempt, export.Result{Manifest: []byte("{}")}, audit.Event{}), export.ErrNotMine)
	_, file, err := x.service.Download(t.Context(), x.caller, e.ID, "")
	require.NoError(t, err)
	content, err := io.ReadAll(file)
	require.NoError(t, err)
	require.NotContains(t, string(content), "xxxx", "what the first one wrote is gone")
}

// silence makes as if whoever makes an export had not been heard of for long.
func (x *exports) silence(t *testing.T, e export.Export) {
	t.Helper()
	_, err := x.super.Exec(t.Context(), "update exports set alive_at = alive_at - interval '1 hour' where export_id = $1", e.ID)
	require.NoError(t, err)
}

func TestExportThatFailsTooOftenIsGivenUp(t *testing.T) {
	t.Parallel()
	x := newExports(t)
	e := x.create(t, export.Query{Subject: export.Entities, Format: export.CSV})
	for range export.MaxAttempts {
		_, ok, err := x.store.Begin(t.Context(), export.Ref{Scope: e.Scope, Export: e.ID})
		require.NoError(t, err)
		require.True(t, ok)
		x.silence(t, e)
	}
	require.NoError(t, x.maker.Tend(t.Context()))
	e = x.get(t, e)
	require.Equal(t, export.Failed, e.Status)
	require.Contains(t, e.Failure, "try again")
	require.NotNil(t, e.ExpiresAt)
}

func TestExportOfWhatIsNotThereFails(t *testing.T) {
	t.Parallel()
	x := newExports(t)
	none := export.Query{Subject: export.WhoCan, Format: export.CSV, Resource: x.id(connector.Ref{Kind: connector.Resource, ID: "none"})}
	_, _, err := x.service.Create(t.Context(), x.caller, none, nil)
	require.Equal(t, fault.Invalid, fault.KindOf(err), "%v", err)
	require.ErrorContains(t, err, "resource_id: names nothing")
	future := export.Query{Subject: export.Entities, Format: export.CSV, AsOf: time.Now().Add(time.Hour)}
	_, _, err = x.service.Create(t.Context(), x.caller, future, nil)
	require.ErrorContains(t, err, "as_of: is in the future")

	// It can also go between the request and the making.
	gone := x.create(t, export.Query{Subject: export.WhoCan, Format: export.CSV, Resource: x.id(x.bucket)})
	_, err = x.super.Exec(t.Context(), "update entities set valid_to = now() where entity_id = $1", [16]byte(x.id(x.bucket)))
	require.NoError(t, err)
	e := x.make(t, gone)
	require.Equal(t, export.Failed, e.Status)
	require.Contains(t, e.Failure, "there is no entity")
	x.maker.MaxBytes = 100
	e = x.make(t, x.create(t, export.Query{Subject: export.Entities, Format: export.CSV}))
	require.Equal(t, export.Failed, e.Status)
	require.Contains(t, e.Failure, "larger")
}

func TestCancelledExportStops(t *testing.T) {
	t.Parallel()
	x := newExports(t)
	e := x.create(t, export.Query{Subject: export.Entities, Format: export.CSV})
	ref := export.Ref{Scope: e.Scope, Export: e.ID}
	begun, _, err := x.store.Begin(t.Context(), ref)
	require.NoError(t, err)
	chunk := export.Chunk{Bytes: []byte("x"), Rows: 1, Size: 1}
	require.NoError(t, x.store.Append(t.Context(), ref, begun.Attempt, chunk))
	cancelled, err := x.service.Cancel(t.Context(), x.caller, e.ID)
	require.NoError(t, err)
	require.Equal(t, export.Cancelled, cancelled.Status)
	chunk.Number = 1
	require.ErrorIs(t, x.store.Append(t.Context(), ref, begun.Attempt, chunk), export.ErrNotMine)
	var chunks int
	require.NoError(t, x.super.QueryRow(t.Context(), "select count(*) from export_chunks").Scan(&chunks))
	require.Zero(t, chunks)
	require.Equal(t, export.Cancelled, x.make(t, e).Status, "a job that comes late does nothing")
	_, err = x.service.Cancel(t.Context(), x.caller, e.ID)
	require.Equal(t, fault.Conflict, fault.KindOf(err), "%v", err)
}

func TestExportsExpire(t *testing.T) {
	t.Parallel()
	x := newExports(t)
	x.maker.Keep = time.Nanosecond
	e := x.make(t, x.create(t, export.Query{Subject: export.Entities, Format: export.CSV}))
	require.Equal(t, export.Completed, e.Status)
	require.NoError(t, x.maker.Tend(t.Context()))
	_, err := x.service.Get(t.Context(), x.caller, e.ID)
	require.Equal(t, fault.NotFound, fault.KindOf(err), "%v", err)
	require.Equal(t, 1, eventsOf(t, x.super)[audit.ExportDeleted])
	var chunks int
	require.NoError(t, x.super.QueryRow(t.Context(), "select count(*) from export_chunks").Scan(&chunks))
	require.Zero(t, chunks)
}

func TestExportsOfAWorkspaceAreBounded(t *testing.T) {
	t.Parallel()
	x := newExports(t)
	q := export.Query{Subject: export.Entities, Format: export.CSV}
	var made []export.Export
	for range export.MaxUnfinished {
		made = append(made, x.create(t, q))
	}
	_, _, err := x.service.Create(t.Context(), x.caller, q, nil)
	require.Equal(t, fault.Conflict, fault.KindOf(err), "%v", err)
	x.service.MaxBytes = 1
	for _, e := range made {
		x.make(t, e)
	}
	_, _, err = x.service.Create(t.Context(), x.caller, q, nil)
	require.Equal(t, fault.Conflict, fault.KindOf(err), "%v", err)
	for _, e := range made {
		require.NoError(t, x.service.Delete(t.Context(), x.caller, e.ID))
	}
	x.create(t, q)
}

// A request that is sent again, also at the same moment, makes one export.
func TestExportIsRequestedOnce(t *testing.T) {
	t.Parallel()
	x := newExports(t)
	q := export.Query{Subject: export.Entities, Format: export.CSV}
	once, err := idempotency.NewRequest(x.caller.Member, "create-export", "7f0c2f0a-6f0e-4ad6-9f2b-7c7b1a6a0a11", q)
	require.NoError(t, err)
	ids := make([]id.Export, 4)
	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() {
			e, _, err := x.service.Create(t.Context(), x.caller, q, once)
			if err == nil {
				ids[i] = e.ID
			}
		})
	}
	all.Wait()
	for _, e := range ids {
		require.Equal(t, ids[0], e)
		require.NotZero(t, e)
	}
	require.Equal(t, 1, eventsOf(t, x.super)[audit.ExportRequested])
	require.NoError(t, x.service.Delete(t.Context(), x.caller, ids[0]))
	_, _, err = x.service.Create(t.Context(), x.caller, q, once)
	require.Equal(t, fault.Conflict, fault.KindOf(err), "%v", err)
}

// Each action fails and leaves nothing when its event cannot be written.
func TestExportsNeedTheirEvents(t *testing.T) {
	t.Parallel()
	x := newExports(t)
	q := export.Query{Subject: export.Entities, Format: export.CSV}
	var e, none export.Export
	ctx := t.Context()
	for _, d := range []deed{
		{action: audit.ExportRequested, do: func() (err error) { e, _, err = x.service.Create(ctx, x.caller, q, nil); return err }},
		{action: audit.ExportCancelled, do: func() (err error) { _, err = x.service.Cancel(ctx, x.caller, e.ID); return err }},
		{action: audit.ExportCompleted, do: func() error {
			if none.ID == 0 {
				return fmt.Errorf("nothing is to be made yet")
			}
			x.silence(t, none)
			return x.maker.Make(ctx, export.Ref{Scope: none.Scope, Export: none.ID})
		}},
		{action: audit.ExportDownloaded, do: func() (err error) { _, _, err = x.service.Download(ctx, x.caller, none.ID, ""); return err }},
		{action: audit.ExportDeleted, do: func() error { return x.service.Delete(ctx, x.caller, none.ID) }},
		{action: audit.ExportFailed, do: func() error { return x.maker.GiveUp(ctx, export.Ref{Scope: e.Scope, Export: e.ID}) }},
	} {
		switch d.action {
		case audit.ExportCompleted:
			none = x.create(t, q)
		case audit.ExportFailed:
			e = x.create(t, q)
		}
		events := eventsOf(t, x.super)[d.action]
		execOn(t, x.super, "alter table audit_events add constraint refused check (false) not valid")
		before := x.statuses(t)
		require.Error(t, d.do(), "%s happened without its event", d.action)
		if d.action != audit.ExportCompleted { // which leaves it to be made again
			require.Equal(t, before, x.statuses(t), "%s left something without its event", d.action)
		}
		require.NotContains(t, x.statuses(t), "completed:0", "nothing is completed that is not recorded")
		execOn(t, x.super, "alter table audit_events drop constraint refused")
		require.NoError(t, d.do(), "%s", d.action)
		require.Equal(t, events+1, eventsOf(t, x.super)[d.action], "%s has one event", d.action)
	}
}

// statuses are those of all exports, with their ids.
func (x *exports) statuses(t *testing.T) (all string) {
	t.Helper()
	require.NoError(t, x.super.QueryRow(t.Context(), "select coalesce(string_agg(export_id || ' ' || status || ':' || rows, ', ' order by export_id), '') from exports").Scan(&all))
	return all
}

// However many ask at the same moment, no more are accepted than may wait or run.
func TestExportsAreBoundedHoweverManyAskAtOnce(t *testing.T) {
	t.Parallel()
	x := newExports(t)
	var accepted, refused atomic.Int64
	var all sync.WaitGroup
	for range 2 * export.MaxUnfinished {
		all.Go(func() {
			_, _, err := x.service.Create(t.Context(), x.caller, export.Query{Subject: export.Entities, Format: export.CSV}, nil)
			switch {
			case err == nil:
				accepted.Add(1)
			case fault.KindOf(err) == fault.Conflict:
				refused.Add(1)
			}
		})
	}
	all.Wait()
	require.EqualValues(t, export.MaxUnfinished, accepted.Load())
	require.EqualValues(t, export.MaxUnfinished, refused.Load())
}

// meddling is an encoding that calls a function after the first row has been
// written, and then writes a whole chunk.
type meddling struct {
	out     io.Writer
	meddle  func()
	written int
}

func (m *meddling) Open(w io.Writer, _ export.Table) (export.TableWriter, error) {
	m.out = w
	return m, nil
}

func (m *meddling) Write(export.Row) error {
	if m.written++; m.written == 2 {
		m.meddle()
	}
	_, err := m.out.Write(make([]byte, export.ChunkSize))
	return err
}

func (m *meddling) Close() error { return nil }

// An export that is cancelled, or deleted, while rows are written ends there and
// leaves nothing.
func TestExportEndsInTheMidstOfItsMaking(t *testing.T) {
	t.Parallel()
	x := newExports(t)
	for name, end := range map[string]func(export.Export) error{
		"cancelled": func(e export.Export) error { _, err := x.service.Cancel(t.Context(), x.caller, e.ID); return err },
		"deleted":   func(e export.Export) error { return x.service.Delete(t.Context(), x.caller, e.ID) },
	} {
		e := x.create(t, export.Query{Subject: export.Entities, Format: export.CSV})
		m := &meddling{meddle: func() {
			require.Positive(t, x.chunks(t), "%s: something has been written", name)
			require.NoError(t, end(e))
		}}
		x.maker.Encodings.Tables[export.CSV] = m
		require.NoError(t, x.maker.Make(t.Context(), export.Ref{Scope: e.Scope, Export: e.ID}))
		require.Equal(t, 2, m.written, "%s: no further row is read", name)
		require.Zero(t, x.chunks(t), name)
	}
	require.Zero(t, eventsOf(t, x.super)[audit.ExportCompleted])
}

func (x *exports) chunks(t *testing.T) (n int) {
	t.Helper()
	require.NoError(t, x.super.QueryRow(t.Context(), "select count(*) from export_chunks").Scan(&n))
	return n
}
