package entity

import (
	"errors"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	domain "github.com/gatehouse-project/gatehouse/internal/graph"
)

// Dated is the part of a query that says which moment an answer shows. It is
// embedded in the inputs of questions.
type Dated struct {
	AsOf QueryMoment `query:"as_of" doc:"The moment that the answer shows: a time that is not in the future, or a run, which stands for when what it read became visible. Now, when left out. Pages of one moment stay as they are, whatever is published meanwhile."`
}

// QueryMoment is a moment in a query: a time as RFC 3339 writes it, or the id of
// a run. What is neither is refused with 422.
type QueryMoment struct {
	domain.Moment
}

// UnmarshalText reads a time or the id of a run.
func (m *QueryMoment) UnmarshalText(text []byte) error {
	if strings.HasPrefix(string(text), "run_") {
		return m.Run.UnmarshalText(text)
	}
	at, err := time.Parse(time.RFC3339, string(text))
	if err != nil || at.Year() < 1 || at.IsZero() {
		return errors.New("not a moment: want a time such as 2026-01-31T08:00:00Z, or the id of a run")
	}
	m.At = at
	return nil
}

// Schema describes the parameter.
func (QueryMoment) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeString, Examples: []any{"2026-01-31T08:00:00Z"},
		Extensions: map[string]any{"pattern": "^(run_[1-9][0-9]{0,18}|[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}.*)$"},
	}
}
