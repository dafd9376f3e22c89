package worker_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

// A run over a selection reads that and what it depends on, and does not claim to
// have seen all there is.
func TestSelectionIsReadAndNothingElse(t *testing.T) {
	for name, test := range map[string]struct {
		asked workerapi.Selection
		ends  []string
		fails connector.Category
	}{
		"everything":                   {ends: []string{"users/a complete", "users/b complete", "groups/ complete"}},
		"a stream":                     {asked: workerapi.Selection{Streams: []string{"users"}}, ends: []string{"users/a complete", "users/b complete"}},
		"a stream that needs another":  {asked: workerapi.Selection{Streams: []string{"groups"}}, ends: []string{"users/a complete", "users/b complete", "groups/ complete"}},
		"a part":                       {asked: workerapi.Selection{Partitions: []string{"b"}}, ends: []string{"users/b complete", "groups/ complete"}},
		"a part of a stream":           {asked: workerapi.Selection{Streams: []string{"users"}, Partitions: []string{"a"}}, ends: []string{"users/a complete"}},
		"a part that there is not":     {asked: workerapi.Selection{Partitions: []string{"a", "c"}}, fails: connector.ScopeInvalid},
		"a stream that is not planned": {asked: workerapi.Selection{Streams: []string{"devices"}}, fails: connector.ScopeInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			script := newScripted("a", "b")
			script.plan = append(script.plan, connector.Partition{Stream: "groups"})
			play(t, script, func(s *stage) {
				s.platform.selection = test.asked
				finished := s.complete()
				if test.fails != "" {
					require.Equal(t, test.fails, finished.Error.Category)
					require.Empty(t, s.platform.ends())
					return
				}
				require.Nil(t, finished.Error)
				require.Equal(t, test.ends, s.platform.ends())
				require.Equal(t, name == "everything", finished.PlanComplete)
			})
		})
	}
}
