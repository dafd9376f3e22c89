package id_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/internal/id"
)

type connection struct{}

func (connection) Prefix() string { return "conn" }

type target struct{}

func (target) Prefix() string { return "t" }

func TestStringAndParseAgree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := id.ID[connection](rapid.Int64Range(1, math.MaxInt64).Draw(t, "id"))
		got, err := id.Parse[connection](want.String())
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

func TestParseAcceptsOnlyTheFormItPrints(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`(conn_|t_|conn|)[-+_ 0-9a]{0,21}`).Draw(t, "text")
		if got, err := id.Parse[connection](text); err == nil {
			require.Equal(t, text, got.String())
			require.Positive(t, int64(got))
		}
	})
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "conn", "conn_", "conn_0", "conn_01", "conn_-1", "conn_+1", "conn_1 ", " conn_1", "conn_1_000",
		"conn_0x1", "conn_١", "CONN_1", "t_1", "123", "conn__1", "conn_1\n", "conn_1e3",
		"conn_9223372036854775808", "conn_18446744073709551616", "conn_" + strings.Repeat("9", 1000),
	} {
		_, err := id.Parse[connection](text)
		var parseError *id.ParseError
		require.ErrorAs(t, err, &parseError, "%q", text)
		require.Equal(t, "conn_", parseError.Prefix)
		require.Less(t, len(err.Error()), 100)
	}
	largest, err := id.Parse[connection]("conn_9223372036854775807")
	require.NoError(t, err)
	require.Equal(t, int64(math.MaxInt64), int64(largest))
}

func TestZeroPrintsNothing(t *testing.T) {
	t.Parallel()
	require.Empty(t, id.ID[connection](0).String())
	require.Equal(t, "conn_7", fmt.Sprint(id.ID[connection](7)))
	require.Equal(t, "7", fmt.Sprintf("%d", id.ID[connection](7)))
}

func TestJSONUsesThePublicForm(t *testing.T) {
	t.Parallel()
	type document struct {
		Connection id.ID[connection]         `json:"connection_id"`
		Target     *id.ID[target]            `json:"target_id"`
		Missing    id.ID[target]             `json:"missing,omitzero"`
		Many       []id.ID[connection]       `json:"many"`
		ByID       map[id.ID[connection]]int `json:"by_id"`
	}
	text := `{"connection_id":"conn_12","target_id":null,"many":["conn_1","conn_2"],"by_id":{"conn_3":4}}`
	var got document
	require.NoError(t, json.Unmarshal([]byte(text), &got))
	require.Equal(t, document{
		Connection: 12,
		Many:       []id.ID[connection]{1, 2},
		ByID:       map[id.ID[connection]]int{3: 4},
	}, got)
	printed, err := json.Marshal(got)
	require.NoError(t, err)
	require.JSONEq(t, text, string(printed))

	require.Error(t, json.Unmarshal([]byte(`{"connection_id":12}`), &document{}), "a bare number")
	require.Error(t, json.Unmarshal([]byte(`{"connection_id":"t_12"}`), &document{}), "another kind")
	require.Error(t, json.Unmarshal([]byte(`{"connection_id":""}`), &document{}))
	_, err = json.Marshal(id.ID[connection](-1))
	require.Error(t, err)
}

func TestFailedUnmarshalKeepsTheValue(t *testing.T) {
	t.Parallel()
	value := id.ID[connection](5)
	require.Error(t, value.UnmarshalText([]byte("conn_x")))
	require.Equal(t, id.ID[connection](5), value)
}
