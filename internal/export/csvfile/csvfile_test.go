package csvfile_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/internal/export"
	"github.com/gatehouse-project/gatehouse/internal/export/csvfile"
)

// tricky are beginnings and parts that CSV, or a spreadsheet, has a meaning for.
var tricky = rapid.OneOf(rapid.String(), rapid.Custom(func(t *rapid.T) string {
	parts := rapid.SliceOf(rapid.SampledFrom([]string{"=", "+", "-", "@", "\t", "\r", "\n", "'", `"`, ",", ";", "=HYPERLINK(", "''", "ü", "\u2028", "\x00", "a", " "})).Draw(t, "parts")
	return strings.Join(parts, "")
}))

// Any text comes back by what the documentation says: take one leading apostrophe
// away. No cell begins as a formula does.
func TestAnyTextSurvives(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		table := export.Table{Columns: []export.Column{{Name: "a", Type: export.Text}, {Name: "list", Type: export.Texts}, {Name: "b", Type: export.Text}}}
		var out bytes.Buffer
		w, err := csvfile.Encoding{}.Open(&out, table)
		require.NoError(rt, err)
		rows := rapid.SliceOfN(rapid.SliceOfN(tricky, 3, 3), 0, 5).Draw(rt, "rows")
		for _, r := range rows {
			require.NoError(rt, w.Write(export.Row{r[0], []string{r[1]}, r[2]}))
		}
		require.NoError(rt, w.Close())
		got, err := csv.NewReader(&out).ReadAll()
		require.NoError(rt, err)
		require.Len(rt, got, len(rows)+1)
		for i, r := range rows {
			// Go's reader takes one carriage return before a line feed away.
			plain := func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }
			for _, cell := range got[i+1] {
				require.NotContains(rt, "=+-@\t\r", firstOf(cell))
			}
			require.Equal(rt, plain(r[0]), strings.TrimPrefix(got[i+1][0], "'"))
			require.Equal(rt, plain(r[2]), strings.TrimPrefix(got[i+1][2], "'"))
			var list []string
			require.NoError(rt, json.Unmarshal([]byte(got[i+1][1]), &list))
			require.Equal(rt, []string{r[1]}, list)
		}
	})
}

// firstOf is the first character, or one that nothing contains.
func firstOf(cell string) string {
	if cell == "" {
		return "none"
	}
	return cell[:1]
}

func TestValuesOfEveryType(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	columns := []export.Column{
		{Name: "text", Type: export.Text},
		{Name: "number", Type: export.Integer},
		{Name: "truth", Type: export.Boolean},
		{Name: "at", Type: export.Moment},
		{Name: "json", Type: export.JSON},
		{Name: "none", Type: export.Text},
	}
	w, err := csvfile.Encoding{}.Open(&out, export.Table{Columns: columns})
	require.NoError(t, err)
	at := time.Date(2026, 5, 4, 3, 2, 1, 123456000, time.UTC)
	require.NoError(t, w.Write(export.Row{"=1+1", int64(-3), true, at, json.RawMessage(`{"a": 1}`), nil}))
	require.Error(t, w.Write(export.Row{struct{}{}, nil, nil, nil, nil, nil}))
	require.NoError(t, w.Close())
	require.Equal(t, "text,number,truth,at,json,none\n'=1+1,-3,true,2026-05-04T03:02:01.123456Z,\"{\"\"a\"\":1}\",\n", out.String())
}
