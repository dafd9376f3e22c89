package graph

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// sparse is an answer of as many pages, each with the same number of rows.
type sparse struct{ pages, rows, asked int }

func (s *sparse) page(_ context.Context, after *AccessPosition, want int) ([]AccessRow, *AccessPosition, error) {
	s.asked++
	at := AccessPosition{}
	if after != nil {
		at = *after
	}
	if at.Level++; at.Level >= s.pages {
		return make([]AccessRow, min(s.rows, want)), nil, nil
	}
	return make([]AccessRow, min(s.rows, want)), &at, nil
}

func TestCountIsBoundedInRowsAndWork(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer sparse
		count  int
		more   bool
		asked  int
	}{
		"nothing":                   {sparse{pages: 1}, 0, false, 1},
		"all of it":                 {sparse{pages: 3, rows: 400}, 1200, false, 3},
		"up to the limit":           {sparse{pages: 10, rows: 1000}, CountLimit, false, 10},
		"the limit and more":        {sparse{pages: 11, rows: 1000}, CountLimit, true, 11},
		"far more":                  {sparse{pages: 1_000_000, rows: 1000}, CountLimit, true, 11},
		"few among very many":       {sparse{pages: 1_000_000, rows: 1}, countPages, true, countPages},
		"none among very many":      {sparse{pages: 1_000_000}, 0, true, countPages},
		"all, with the last effort": {sparse{pages: countPages, rows: 1}, countPages, false, countPages},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var answer AccessAnswer
			require.NoError(t, count(t.Context(), &test.answer, &answer))
			require.Equal(t, test.count, *answer.Count)
			require.Equal(t, test.more, answer.CountIsLower)
			require.Equal(t, test.asked, test.answer.asked)
		})
	}
}
