package parquetfile_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/internal/export"
	"github.com/gatehouse-project/gatehouse/internal/export/parquetfile"
)

// read is a row as a program reads it that knows its form by the documentation.
type read struct {
	Zeta   *string    `parquet:"zeta"`
	Number *int64     `parquet:"number"`
	Truth  *bool      `parquet:"truth"`
	At     *time.Time `parquet:"at,timestamp(microsecond)"`
	List   []string   `parquet:"list,list"`
	JSON   *string    `parquet:"json"`
}

func table() export.Table {
	return export.Table{Name: "rows", Columns: []export.Column{
		{Name: "zeta", Type: export.Text},
		{Name: "number", Type: export.Integer},
		{Name: "truth", Type: export.Boolean},
		{Name: "at", Type: export.Moment},
		{Name: "list", Type: export.Texts},
		{Name: "json", Type: export.JSON},
	}}
}

func TestAnyTextSurvives(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		var out bytes.Buffer
		w, err := parquetfile.Encoding{}.Open(&out, table())
		require.NoError(rt, err)
		var rows []export.Row
		for range rapid.IntRange(0, 20).Draw(rt, "rows") {
			row := export.Row{nil, nil, nil, nil, []string{}, nil}
			if rapid.Bool().Draw(rt, "values") {
				row[0], row[1], row[2] = rapid.String().Draw(rt, "text"), rapid.Int64().Draw(rt, "number"), rapid.Bool().Draw(rt, "truth")
				row[3] = time.UnixMicro(rapid.Int64Range(0, 1<<50).Draw(rt, "at")).UTC()
				row[4] = rapid.SliceOf(rapid.String()).Draw(rt, "list")
				row[5] = json.RawMessage(`{"a":1}`)
			}
			rows = append(rows, row)
			require.NoError(rt, w.Write(row))
		}
		require.NoError(rt, w.Close())
		got, err := parquet.Read[read](bytes.NewReader(out.Bytes()), int64(out.Len()))
		require.NoError(rt, err)
		require.Len(rt, got, len(rows))
		for i, r := range rows {
			list, _ := r[4].([]string)
			require.Len(rt, got[i].List, len(list))
			for j := range list {
				require.Equal(rt, list[j], got[i].List[j])
			}
			if r[0] == nil {
				require.Nil(rt, got[i].Zeta)
				require.Nil(rt, got[i].At)
				require.Nil(rt, got[i].JSON)
				continue
			}
			require.Equal(rt, r[0], *got[i].Zeta)
			require.Equal(rt, r[1], *got[i].Number)
			require.Equal(rt, r[2], *got[i].Truth)
			require.True(rt, got[i].At.Equal(r[3].(time.Time)))
			require.JSONEq(rt, `{"a":1}`, *got[i].JSON)
		}
	})
}

// Columns stand in the table's order, and what is in memory is bounded by row groups.
func TestFileIsAsDocumented(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w, err := parquetfile.Encoding{}.Open(&out, table())
	require.NoError(t, err)
	for i := range 120_000 {
		require.NoError(t, w.Write(export.Row{"x", int64(i), nil, nil, []string{"a", "b"}, nil}))
	}
	require.Error(t, w.Write(export.Row{1.5, nil, nil, nil, []string{}, nil}))
	require.NoError(t, w.Close())
	file, err := parquet.OpenFile(bytes.NewReader(out.Bytes()), int64(out.Len()))
	require.NoError(t, err)
	var names []string
	for _, f := range file.Schema().Fields() {
		names = append(names, f.Name())
	}
	require.Equal(t, []string{"zeta", "number", "truth", "at", "list", "json"}, names)
	require.Len(t, file.RowGroups(), 3)
	require.EqualValues(t, 120_000, file.NumRows())
}
