package export

import (
	"github.com/gatehouse-project/gatehouse/internal/graph"
)

// named returns the columns of an entity that an answer names.
func named(prefix string) []Column {
	return []Column{
		{prefix + "_id", Text},
		{prefix + "_name", Text},
		{prefix + "_type", Text},
		{prefix + "_provider_id", Text},
	}
}

func nameOf(e graph.EntityID, entities map[graph.EntityID]graph.Entity) []any {
	found := entities[e]
	return []any{e.String(), found.Name, found.Type, found.ProviderID}
}

// accessTable is the form of [WhoCan] and [WhatCan].
func accessTable(s Subject) Table {
	columns := []Column{{"principal_ids", Texts}, {"principal_names", Texts}, {"identity_ids", Texts}, {"identity_names", Texts}}
	columns = append(columns, named("account")...)
	columns = append(columns, named("resource")...)
	return Table{Name: string(s), Columns: append(columns, accessColumns()...)}
}

// accessColumns are what a row says of the access itself.
func accessColumns() []Column {
	return []Column{
		{"access", Text},
		{"decision", Text},
		{"hops", Integer},
		{"via_id", Text},
		{"via_name", Text},
		{"acting_as_id", Text},
		{"acting_as_name", Text},
		{"conditional", Boolean},
		{"actions", Texts},
		{"more_actions", Boolean},
		{"allows", Integer},
		{"denies", Integer},
		{"more_grounds", Boolean},
		{"first_seen_run_id", Text},
		{"granted_since", Moment},
	}
}

// accessRow is a row of an answer, whose page names what it speaks of. The identities
// are those of the principals, one for each.
func accessRow(r graph.AccessRow, page graph.AccessAnswer) Row {
	ids, names, identities, called := []string{}, []string{}, []string{}, []string{}
	for _, p := range r.Principals {
		e := page.Entities[p]
		i := page.Identities.Of(e)
		ids, names, identities, called = append(ids, p.String()), append(names, e.Name), append(identities, i.ID.String()), append(called, i.Name)
	}
	row := Row{ids, names, identities, called}
	row = append(row, nameOf(r.Account, page.Entities)...)
	row = append(row, nameOf(r.Resource, page.Entities)...)
	return append(row, accessValues(r, page.Entities)...)
}

func accessValues(r graph.AccessRow, entities map[graph.EntityID]graph.Entity) Row {
	var actingID, actingName any
	if acting := r.Nearest.Account; acting != r.Account {
		actingID, actingName = acting.String(), entities[acting].Name
	}
	return Row{
		string(r.Kind), string(r.Decision), int64(r.Nearest.Hops), r.Nearest.Via.String(), entities[r.Nearest.Via].Name, actingID, actingName,
		r.Nearest.Conditional, texts(r.Actions), r.MoreActions, int64(len(r.Allows)), int64(len(r.Denies)), r.MoreGrounds,
		r.Nearest.Grant.FirstRun.String(), r.Nearest.Grant.ValidFrom.UTC(),
	}
}

// pathTable is the form of [Why]: a row for each edge of each step of each path.
func pathTable() Table {
	columns := []Column{{"path", Integer}, {"path_effect", Text}, {"step", Integer}, {"kind", Text}}
	columns = append(columns, named("from")...)
	columns = append(columns, named("to")...)
	columns = append(columns, Column{"relationship_id", Text})
	columns = append(columns, termColumns()...)
	return Table{Name: string(Why), Columns: append(columns, seenColumns()...)}
}

// seenColumns say where and by which run an edge was seen.
func seenColumns() []Column {
	return []Column{{"stream", Text}, {"partition", Text}, {"first_seen_run_id", Text}, {"valid_from", Moment}}
}

func seenValues(e graph.Edge, partitions map[int64]graph.PartitionName) []any {
	read := partitions[e.Partition]
	return []any{read.Stream, read.Partition, e.FirstRun.String(), e.ValidFrom.UTC()}
}

// pathRows are the rows of the nth path, counted from 1.
func pathRows(n int, p graph.Path, a graph.PathAnswer) (rows []Row) {
	for i, s := range p.Steps {
		for _, e := range s.Edges {
			row := Row{int64(n), string(p.Effect), int64(i + 1), string(s.Kind)}
			row = append(row, nameOf(s.From, a.Entities)...)
			row = append(row, nameOf(s.To, a.Entities)...)
			row = append(row, relationshipID(e.ID))
			row = append(row, termValues(e)...)
			rows = append(rows, append(row, seenValues(e, a.Partitions)...))
		}
	}
	return rows
}
