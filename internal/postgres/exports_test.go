package postgres_test

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/export"
	"github.com/gatehouse-project/gatehouse/internal/fault"
)

// Every subject is exported in every format that it has, and holds what the graph
// does.
func TestExportsHoldTheGraph(t *testing.T) {
	t.Parallel()
	x := newExports(t)
	bucket, user := x.id(x.bucket), x.id(x.user)
	for _, test := range []struct {
		query export.Query
		rows  int64
		names []string
	}{
		{export.Query{Subject: export.Entities}, 8, []string{"user/ann", "bucket/payroll", "conn_"}},
		{export.Query{Subject: export.Entities, Kind: "Account"}, 2, []string{"user/ann", "role/admin"}},
		{export.Query{Subject: export.Entities, Type: "s3_bucket"}, 1, []string{"bucket/payroll"}},
		{export.Query{Subject: export.Relationships}, 9, []string{"entitlement_grants_resource", "s3:Get*", "iam", "123456789012"}},
		{export.Query{Subject: export.Relationships, Kind: "account_assumes_account"}, 1, []string{"MultiFactorAuthPresent"}},
		{export.Query{Subject: export.WhoCan, Resource: bucket}, 2, []string{"user/ann", "conditional", "policy/read"}},
		{export.Query{Subject: export.WhatCan, Principal: user}, 2, []string{"bucket/payroll", "function/pay"}},
		{export.Query{Subject: export.Why, From: user, To: bucket}, 8, []string{"group/readers", "policy/guard", "run_7"}},
	} {
		for _, format := range []export.Format{export.CSV, export.JSONLines, export.Parquet} {
			test.query.Format = format
			content, m := x.content(t, test.query)
			require.Equal(t, test.rows, m.Rows, "%+v", test.query)
			if format == export.Parquet {
				file, err := parquet.OpenFile(bytes.NewReader(content), int64(len(content)))
				require.NoError(t, err)
				require.Equal(t, test.rows, file.NumRows())
				continue
			}
			for _, name := range test.names {
				require.Contains(t, strings.ReplaceAll(string(content), `""`, `"`), name, "%+v", test.query)
			}
			if format == export.CSV {
				lines, err := csv.NewReader(bytes.NewReader(content)).ReadAll()
				require.NoError(t, err)
				require.Equal(t, m.Columns, lines[0])
				require.Len(t, lines, int(test.rows)+1)
				continue
			}
			lines := bufio.NewScanner(bytes.NewReader(content))
			for n := int64(0); lines.Scan(); n++ {
				var line map[string]any
				require.NoError(t, json.Unmarshal(lines.Bytes(), &line))
				require.Len(t, line, len(m.Columns))
			}
		}
	}
}

// graphDocument is an OpenGraph document as far as tests look at it.
type graphDocument struct {
	Graph struct {
		Nodes []struct {
			ID         string         `json:"id"`
			Kinds      []string       `json:"kinds"`
			Properties map[string]any `json:"properties"`
		} `json:"nodes"`
		Edges []struct {
			Kind  string `json:"kind"`
			Start struct {
				Value string `json:"value"`
			} `json:"start"`
			End struct {
				Value string `json:"value"`
			} `json:"end"`
		} `json:"edges"`
	} `json:"graph"`
}

// Both ends of every edge of a graph are among its nodes.
func TestExportedGraphsAreWhole(t *testing.T) {
	t.Parallel()
	x := newExports(t)
	for _, test := range []struct {
		query        export.Query
		nodes, edges int
	}{
		{export.Query{Subject: export.Graph}, 8, 9},
		// Two accounts, the person, and the bucket; access of both and whose one is.
		{export.Query{Subject: export.WhoCan, Resource: x.id(x.bucket)}, 4, 3},
		{export.Query{Subject: export.WhatCan, Principal: x.id(x.ann)}, 4, 3},
		{export.Query{Subject: export.Why, From: x.id(x.user), To: x.id(x.bucket)}, 6, 7},
	} {
		test.query.Format = export.OpenGraph
		content, m := x.content(t, test.query)
		var d graphDocument
		require.NoError(t, json.Unmarshal(content, &d))
		require.Len(t, d.Graph.Nodes, test.nodes, "%s", content)
		require.Len(t, d.Graph.Edges, test.edges, "%s", content)
		require.EqualValues(t, test.nodes+test.edges, m.Rows)
		nodes := map[string]bool{}
		for _, n := range d.Graph.Nodes {
			require.False(t, nodes[n.ID], "%s is there twice", n.ID)
			require.NotEmpty(t, n.Properties["name"])
			nodes[n.ID] = true
		}
		for _, e := range d.Graph.Edges {
			require.True(t, nodes[e.Start.Value] && nodes[e.End.Value], "%+v", e)
		}
	}
}

// A file of many chunks is read from any place.
func TestExportIsReadFromAnyPlace(t *testing.T) {
	t.Parallel()
	x := newExports(t)
	big := x.newConnection(t, x.workspace, "big")
	for i := range 12_000 {
		big.add(connector.Account, "iam_user", fmt.Sprintf("%06d-%s", i, strings.Repeat("x", 200)))
	}
	x.publish(t, big)
	content, m := x.content(t, export.Query{Subject: export.Entities, Format: export.JSONLines, Connection: big.connection})
	require.EqualValues(t, 12_000, m.Rows)
	require.Len(t, m.Coverage, 1)
	require.Greater(t, len(content), 3*export.ChunkSize)
	_, file, err := x.service.Download(t.Context(), x.caller, x.queued[len(x.queued)-1].Export, "bytes=1-2")
	require.NoError(t, err)
	for _, at := range []int64{0, 1, export.ChunkSize - 1, export.ChunkSize, 2*export.ChunkSize + 7, int64(len(content)) - 1, int64(len(content))} {
		_, err := file.Seek(at, io.SeekStart)
		require.NoError(t, err)
		rest, err := io.ReadAll(file)
		require.NoError(t, err)
		require.True(t, bytes.Equal(content[at:], rest), "from %d on", at)
	}
	_, err = file.Seek(-1, io.SeekStart)
	require.Error(t, err)
}

// Another workspace's exports do not exist, and an export holds its own workspace
// alone.
func TestExportsStayInTheirWorkspace(t *testing.T) {
	t.Parallel()
	x := newExports(t)
	e := x.make(t, x.create(t, export.Query{Subject: export.Entities, Format: export.CSV}))
	other := x.newStory(t)
	stranger := x.memberOf(t, other.workspace)
	ctx := t.Context()
	_, err := x.service.Get(ctx, stranger, e.ID)
	require.Equal(t, fault.NotFound, fault.KindOf(err), "%v", err)
	_, _, err = x.service.Download(ctx, stranger, e.ID, "")
	require.Equal(t, fault.NotFound, fault.KindOf(err), "%v", err)
	_, err = x.service.Cancel(ctx, stranger, e.ID)
	require.Equal(t, fault.NotFound, fault.KindOf(err), "%v", err)
	require.Equal(t, fault.NotFound, fault.KindOf(x.service.Delete(ctx, stranger, e.ID)))
	_, err = x.store.Chunk(ctx, export.Ref{Scope: stranger.Scope, Export: e.ID}, 0)
	require.Equal(t, fault.NotFound, fault.KindOf(err), "%v", err)
	found, err := x.service.List(ctx, stranger, export.Filter{Limit: 10})
	require.NoError(t, err)
	require.Empty(t, found)

	for _, q := range []export.Query{
		{Subject: export.Entities, Format: export.JSONLines},
		{Subject: export.Relationships, Format: export.JSONLines},
		{Subject: export.Graph, Format: export.OpenGraph},
	} {
		content, m := x.content(t, q)
		require.NotContains(t, string(content), other.connection.String()+`"`)
		require.NotContains(t, string(content), other.id(other.user).String())
		require.Len(t, m.Coverage, 1)
	}
	_, _, err = x.service.Create(t.Context(), x.caller, export.Query{Subject: export.Entities, Format: export.JSONLines, Connection: other.connection}, nil)
	require.Equal(t, fault.Invalid, fault.KindOf(err))
	require.ErrorContains(t, err, "there is no connection "+other.connection.String(), "that of another workspace is none")
}

// What is published after a moment does not show in an export of it.
func TestExportShowsAnEarlierMoment(t *testing.T) {
	t.Parallel()
	x := newExports(t)
	// The story was published by run 7, and run 8 has found an account gone.
	execOn(t, x.super, fmt.Sprintf(`set session_replication_role = replica;
		insert into publications (workspace_id, run_id, connection_id, published_at, visible_at, counts, coverage)
		values (%[1]d, 7, %[2]d, '2026-05-04 03:02:01Z', '2026-05-04 03:02:01Z', '{}', '{"streams":[]}'),
		  (%[1]d, 8, %[2]d, '2026-05-05 03:02:01Z', '2026-05-05 03:02:01Z', '{}', '{"streams":[]}');
		update entities set valid_to = '2026-05-05 03:02:01Z' where name = 'role/admin';
		update relationships set valid_to = '2026-05-05 03:02:01Z' where kind = 'account_assumes_account';
		reset session_replication_role`, x.workspace, x.connection))
	between := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	for _, subject := range []export.Subject{export.Entities, export.Relationships} {
		q := export.Query{Subject: subject, Format: export.JSONLines}
		now, m := x.content(t, q)
		q.AsOf = between
		then, earlier := x.content(t, q)
		require.Equal(t, m.Rows+1, earlier.Rows)
		require.True(t, earlier.AsOf.Equal(between))
		q.AsOf, q.AsOfRun = time.Time{}, 7
		byRun, _ := x.content(t, q)
		require.ElementsMatch(t, strings.Split(string(then), "\n"), strings.Split(string(byRun), "\n"))
		for _, name := range []string{"role/admin", "account_assumes_account"} {
			require.NotContains(t, string(now), name)
		}
	}
	why := export.Query{Subject: export.Why, Format: export.CSV, From: x.id(x.user), To: x.id(x.bucket)}
	_, m := x.content(t, why)
	why.AsOf = between
	_, earlier := x.content(t, why)
	require.Greater(t, earlier.Rows, m.Rows)
}
