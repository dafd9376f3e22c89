package graph

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/connector"
)

func TestRowsHoldTheJSONOfTheContract(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var terms connector.Terms
		terms.Effect = rapid.SampledFrom([]connector.Effect{"", connector.Deny}).Draw(t, "effect")
		terms.Actions = rapid.SliceOfN(rapid.String(), 0, 3).Draw(t, "actions")
		terms.NotActions = rapid.SliceOfN(rapid.String(), 0, 3).Draw(t, "not actions")
		terms.Given = rapid.SampledFrom([]connector.Given{"", connector.Inherited}).Draw(t, "given")
		if rapid.Bool().Draw(t, "conditions") {
			terms.Conditions = []byte(`{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`)
		}
		if rapid.Bool().Draw(t, "expires") {
			at := time.Unix(rapid.Int64Range(0, 1<<32).Draw(t, "at"), rapid.Int64Range(0, 1e9-1).Draw(t, "nanoseconds")).UTC()
			terms.ExpiresAt = &at
		}
		want, err := json.Marshal(&terms)
		require.NoError(t, err)
		require.JSONEq(t, string(want), string(appendTerms([]byte("before")[:0], &terms)))

		identifiers := []connector.Identifier{
			{Type: connector.Email, Value: rapid.String().Draw(t, "one")},
			{Type: connector.EmployeeID, Value: rapid.String().Draw(t, "other")},
		}
		want, err = json.Marshal(identifiers)
		require.NoError(t, err)
		require.JSONEq(t, string(want), string(appendIdentifiers(nil, identifiers)))
	})
}
