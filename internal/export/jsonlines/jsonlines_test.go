package jsonlines_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/internal/export"
	"github.com/gatehouse-project/gatehouse/internal/export/jsonlines"
)

func TestAnyTextSurvives(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		table := export.Table{Columns: []export.Column{{Name: "a", Type: export.Text}, {Name: "b", Type: export.Texts}, {Name: "c", Type: export.JSON}}}
		var out bytes.Buffer
		w, err := jsonlines.Encoding{}.Open(&out, table)
		require.NoError(rt, err)
		rows := rapid.SliceOfN(rapid.SliceOfN(rapid.String(), 3, 3), 0, 5).Draw(rt, "rows")
		for _, r := range rows {
			raw, err := json.MarshalIndent(map[string]string{"x": r[2]}, "", "  ")
			require.NoError(rt, err)
			require.NoError(rt, w.Write(export.Row{r[0], []string{r[1], r[2]}, json.RawMessage(raw)}))
		}
		require.NoError(rt, w.Close())
		lines := bytes.Split(out.Bytes(), []byte("\n"))
		require.Len(rt, lines, len(rows)+1, "a line for each row")
		for i, r := range rows {
			var got struct {
				A string            `json:"a"`
				B []string          `json:"b"`
				C map[string]string `json:"c"`
			}
			require.NoError(rt, json.Unmarshal(lines[i], &got))
			require.Equal(rt, r[0], got.A)
			require.Equal(rt, []string{r[1], r[2]}, got.B)
			require.Equal(rt, map[string]string{"x": r[2]}, got.C)
		}
	})
}

func TestLineIsAsDocumented(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w, err := jsonlines.Encoding{}.Open(&out, export.Table{Columns: []export.Column{
		{Name: "text", Type: export.Text},
		{Name: "number", Type: export.Integer},
		{Name: "truth", Type: export.Boolean},
		{Name: "at", Type: export.Moment},
		{Name: "none", Type: export.Text},
	}})
	require.NoError(t, err)
	require.NoError(t, w.Write(export.Row{"<a>", int64(3), false, time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC), nil}))
	require.Error(t, w.Write(export.Row{1.5, nil, nil, nil, nil}))
	require.Equal(t, `{"text":"<a>","number":3,"truth":false,"at":"2026-05-04T03:02:01Z","none":null}`+"\n", out.String())
}
