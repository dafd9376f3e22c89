package connectortest

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
)

func TestRecordsFindContradictions(t *testing.T) {
	t.Parallel()
	ref := connector.Ref{Kind: connector.Account, ID: "1"}
	same := connector.Page{Entities: []connector.Entity{{Ref: ref, Name: "a"}}}
	require.NoError(t, records{}.add([]connector.Page{same, same}))
	other := connector.Page{Entities: []connector.Entity{{Ref: ref, Name: "b"}}}
	require.ErrorContains(t, records{}.add([]connector.Page{same, other}), "twice")
}

func TestRecorderRefusesWhatTheContractForbids(t *testing.T) {
	t.Parallel()
	stream := connector.Stream{Name: "people", Entities: []connector.EntityKind{connector.Account}}
	for name, page := range map[string]connector.Page{
		"undeclared kind": {Entities: []connector.Entity{{Ref: connector.Ref{Kind: connector.Resource, ID: "1"}}}},
		"no id":           {Entities: []connector.Entity{{Ref: connector.Ref{Kind: connector.Account}}}},
		"no object":       {Entities: []connector.Entity{{Ref: connector.Ref{Kind: connector.Account, ID: "1"}, Attributes: json.RawMessage(`[]`)}}},
		"oversize":        {Entities: make([]connector.Entity, connector.MaxPageRecords+1)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Error(t, (&recorder{stream: stream}).Write(t.Context(), page))
		})
	}
	r := &recorder{stream: stream}
	require.NoError(t, r.Write(t.Context(), connector.Page{}))
	require.Error(t, r.Write(t.Context(), connector.Page{}), "a page after the last")
}

func TestSpread(t *testing.T) {
	t.Parallel()
	require.Equal(t, []int{0, 1, 2}, spread(3, 8))
	require.Equal(t, []int{0, 2, 5, 7}, spread(10, 4))
	require.Empty(t, spread(0, 4))
}
