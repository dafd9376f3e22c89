package export

import (
	"context"
	"fmt"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// answerPage is how many rows of an answer are judged at a time.
const answerPage = 500

// write writes the file and notes what the manifest tells of it.
func (w *work) write(ctx context.Context) (err error) {
	switch w.Query.Format {
	case OpenGraph:
		return w.writeGraph(ctx)
	case Evidence:
		return w.writeEvidence(ctx)
	}
	encoding, ok := w.encodings.Tables[w.Query.Format]
	if !ok {
		return fault.New(fault.Invalid, "there is no format %s", w.Query.Format)
	}
	w.table = tableOf(w.Query.Subject)
	rows, err := encoding.Open(w.out, w.table)
	if err != nil {
		return err
	}
	if err := w.each(ctx, func(r Row) error {
		w.out.rows++
		return rows.Write(r)
	}); err != nil {
		return err
	}
	return rows.Close()
}

func tableOf(s Subject) Table {
	switch s {
	case Entities:
		return entityTable()
	case Relationships:
		return relationshipTable()
	case Why:
		return pathTable()
	case Changes:
		return changeTable()
	case Identities:
		return identityTable()
	}
	return accessTable(s)
}

// each calls fn with every row of a table.
func (w *work) each(ctx context.Context, fn func(r Row) error) error {
	switch w.Query.Subject {
	case Entities:
		return w.eachEntity(ctx, func(e graph.Entity) error {
			row, err := entityRow(e)
			if err != nil {
				return err
			}
			return fn(row)
		})
	case Relationships:
		return w.eachRelationship(ctx, func(r Relationship) error { return fn(relationshipRow(r)) })
	case Why:
		answer, err := w.paths(ctx, w.Query.From, w.Query.To, graph.MaxPaths)
		if err != nil {
			return err
		}
		w.coverage, w.truncated = answer.Coverage, answer.Truncated
		for i, p := range answer.Paths {
			for _, row := range pathRows(i+1, p, answer) {
				if err := fn(row); err != nil {
					return err
				}
			}
		}
		return nil
	case WhoCan, WhatCan:
		return w.eachAccess(ctx, func(r graph.AccessRow, a graph.AccessAnswer) error { return fn(accessRow(r, a)) })
	case Changes:
		return w.eachChange(ctx, fn)
	case Identities:
		return w.eachIdentified(ctx, fn)
	}
	return fmt.Errorf("%s is no table", w.Query.Subject)
}

func (w *work) eachEntity(ctx context.Context, fn func(e graph.Entity) error) (err error) {
	if w.coverage, err = w.reading.Coverage(ctx, w.Query.Connection); err != nil {
		return err
	}
	return w.reading.EachEntity(ctx, EntityFilter{Kind: connector.EntityKind(w.Query.Kind), Type: w.Query.Type, Connection: w.Query.Connection}, fn)
}

func (w *work) eachRelationship(ctx context.Context, fn func(r Relationship) error) (err error) {
	if w.coverage, err = w.reading.Coverage(ctx, w.Query.Connection); err != nil {
		return err
	}
	return w.reading.EachRelationship(ctx, RelationshipFilter{Kind: connector.RelationshipKind(w.Query.Kind), Connection: w.Query.Connection}, fn)
}

// changePage is how many changes are read at a time.
const changePage = 1000

// eachChange calls fn with a row for each change. A page may be empty and not the
// last one.
func (w *work) eachChange(ctx context.Context, fn func(r Row) error) error {
	f := w.Query.changes()
	f.Limit = changePage
	for {
		answer, err := w.questions.Changes(ctx, w.asker(), f)
		if err != nil {
			return err
		}
		w.coverage = answer.Coverage
		for i := range answer.Changes {
			row, err := changeRow(&answer.Changes[i], &answer)
			if err != nil {
				return err
			}
			if err := fn(row); err != nil {
				return err
			}
		}
		if f.After = answer.Next; f.After == nil {
			return nil
		}
	}
}

func (w *work) eachIdentified(ctx context.Context, fn func(r Row) error) (err error) {
	if w.coverage, err = w.reading.Coverage(ctx, w.Query.Connection); err != nil {
		return err
	}
	return w.reading.EachIdentified(ctx, w.Query.Connection, func(p Identified) error {
		row, err := identityRow(p)
		if err != nil {
			return err
		}
		return fn(row)
	})
}

// asker asks questions as whoever requested the export. That they may read was
// decided when they did.
func (w *work) asker() workspace.Caller {
	return workspace.Caller{Scope: w.Scope, Member: w.RequestedBy, Role: workspace.Viewer}
}

// eachAccess calls fn with every row of an answer, and the page that it is on. An
// answer without rows still notes its coverage.
func (w *work) eachAccess(ctx context.Context, fn func(r graph.AccessRow, a graph.AccessAnswer) error) error {
	f := graph.AccessFilter{
		Action: w.Query.Action, Type: w.Query.Type, Connection: w.Query.Connection, Integration: w.Query.Integration, Kind: w.Query.Access, Limit: answerPage,
	}
	for {
		answer, err := w.ask(ctx, f)
		if err != nil {
			return err
		}
		w.coverage, w.truncated = answer.Coverage, w.truncated || answer.Truncated
		for _, r := range answer.Rows {
			if err := fn(r, answer); err != nil {
				return err
			}
		}
		if f.After = answer.Next; f.After == nil {
			return nil
		}
	}
}

func (w *work) ask(ctx context.Context, f graph.AccessFilter) (graph.AccessAnswer, error) {
	if w.Query.Subject == WhoCan {
		return w.questions.WhoCan(ctx, w.asker(), w.Query.Resource, f)
	}
	return w.questions.WhatCan(ctx, w.asker(), w.Query.Principal, f)
}

// subject is the entity that who-can and what-can are asked about.
func (w *work) subject() graph.EntityID {
	if w.Query.Subject == WhoCan {
		return w.Query.Resource
	}
	return w.Query.Principal
}

func (w *work) paths(ctx context.Context, from, to graph.EntityID, most int) (graph.PathAnswer, error) {
	return w.questions.Paths(ctx, w.asker(), graph.PathQuery{From: from, To: to, Depth: graph.MaxPathDepth, Limit: most})
}
