package export

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Bounds of evidence: beside each row of an answer stand the ways that lead to it,
// which take a search of their own.
const (
	// MaxEvidenceRows is the most rows of an answer.
	MaxEvidenceRows = 10_000
	// evidencePaths is the most ways of one row of who-can and what-can.
	evidencePaths = 10
)

// records writes evidence: lines of JSON, each of which says what it is.
type records struct {
	work *work
	line []byte
	// runs saw something of what has been written.
	runs map[id.Run]bool
}

// put writes a line.
func (r *records) put(record string, columns []Column, row Row) (err error) {
	r.line = append(r.line[:0], `{"record":`+strconv.Quote(record)...)
	for i, c := range columns {
		r.line = append(r.line, ","+strconv.Quote(c.Name)+":"...)
		if r.line, err = AppendJSON(r.line, row[i]); err != nil {
			return fmt.Errorf("write a record of evidence: %w", err)
		}
	}
	r.line = append(r.line, '}', '\n')
	r.work.out.rows++
	_, err = r.work.out.Write(r.line)
	return err
}

// writeEvidence writes the question, the answer row by row, behind each row the
// edges of the ways that lead to it, and the runs that saw those first.
func (w *work) writeEvidence(ctx context.Context) (err error) {
	r := &records{work: w, runs: map[id.Run]bool{}}
	if err := w.putQuestion(ctx, r); err != nil {
		return err
	}
	rows := 0
	if w.Query.Subject == Why {
		rows, err = w.putPaths(ctx, r, 0, w.Query.From, w.Query.To, graph.MaxPaths)
	} else {
		rows, err = w.putAccess(ctx, r)
	}
	if err != nil {
		return err
	}
	publications, err := w.reading.Publications(ctx, slices.Sorted(maps.Keys(r.runs)))
	if err != nil {
		return err
	}
	columns := []Column{{"run_id", Text}, {"connection_id", Text}, {"published_at", Moment}, {"counts", JSON}}
	for _, p := range publications {
		if err := r.put("run", columns, Row{p.Run.String(), p.Connection.String(), p.PublishedAt.UTC(), p.Counts}); err != nil {
			return err
		}
	}
	return r.put("end", []Column{{"rows", Integer}, {"truncated", Boolean}}, Row{int64(rows), w.truncated})
}

// putQuestion writes what was asked, about which entities, and how completely was
// looked.
func (w *work) putQuestion(ctx context.Context, r *records) error {
	about := []graph.EntityID{w.subject()}
	if w.Query.Subject == Why {
		about = []graph.EntityID{w.Query.From, w.Query.To}
	}
	var entities []graph.Entity
	for _, e := range about {
		found, err := w.questions.GetEntity(ctx, w.asker(), e, graph.Moment{})
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(entities, func(other graph.Entity) bool { return other.Connection == found.Connection }) {
			coverage, err := w.reading.Coverage(ctx, found.Connection)
			if err != nil {
				return err
			}
			w.coverage = append(w.coverage, coverage...)
		}
		entities = append(entities, found)
	}
	query, err := json.Marshal(w.Query)
	if err != nil {
		return fmt.Errorf("encode the question: %w", err)
	}
	coverage, err := json.Marshal(coverageOf(w.coverage))
	if err != nil {
		return fmt.Errorf("encode the coverage: %w", err)
	}
	err = r.put("question", []Column{{"export_id", Text}, {"query", JSON}, {"as_of", Moment}, {"coverage", JSON}},
		Row{w.ID.String(), json.RawMessage(query), w.reading.Moment().UTC(), json.RawMessage(coverage)})
	for _, e := range entities {
		if err != nil {
			return err
		}
		var row Row
		if row, err = entityRow(e); err == nil {
			err = r.put("entity", entityTable().Columns, row)
		}
	}
	return err
}

func (w *work) putAccess(ctx context.Context, r *records) (rows int, err error) {
	coverage, columns := w.coverage, append([]Column{{"row", Integer}}, accessTable(w.Query.Subject).Columns...)
	err = w.eachAccess(ctx, func(a graph.AccessRow, page graph.AccessAnswer) error {
		if rows++; rows > MaxEvidenceRows {
			return fault.New(fault.TooLarge, "the answer has more than %d rows, which is the most that evidence is made of; narrow it, by action or type", MaxEvidenceRows)
		}
		if err := r.put("access", columns, append(Row{int64(rows)}, accessRow(a, page)...)); err != nil {
			return err
		}
		_, err := w.putPaths(ctx, r, rows, a.Account, a.Resource, evidencePaths)
		return err
	})
	w.coverage = coverage
	return rows, err
}

// putPaths writes the edges of the ways from one entity to another, and returns how
// many ways there are. Row is that of the answer, 0 for none.
func (w *work) putPaths(ctx context.Context, r *records, row int, from, to graph.EntityID, most int) (int, error) {
	answer, err := w.paths(ctx, from, to, most)
	if err != nil {
		return 0, err
	}
	// Of a row not all ways need to be shown; of the question about them, yes.
	w.truncated = w.truncated || row == 0 && answer.Truncated
	columns := append([]Column{{"row", Integer}}, pathTable().Columns...)
	for i, p := range answer.Paths {
		for _, s := range p.Steps {
			for _, e := range s.Edges {
				r.runs[e.FirstRun] = true
			}
		}
		for _, line := range pathRows(i+1, p, answer) {
			if err := r.put("edge", columns, append(Row{int64(row)}, line...)); err != nil {
				return 0, err
			}
		}
	}
	return len(answer.Paths), nil
}
