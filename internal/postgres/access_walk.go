package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Walk reads several hops in one statement.
func (v *graphView) Walk(ctx context.Context, c id.Connection, from []graph.EntityID, hops []graph.Hop) ([]graph.Walked, error) {
	sql, args := v.walkSQL(hops, []any{v.workspace, c, uuids(from)})
	rows, err := v.query(ctx, c, sql, args...)
	return collectHops(rows, err, hops)
}

// walkSQL reads hops from what the first three parameters name: the workspace, the
// connection and where the walk begins. It adds further ones.
func (v *graphView) walkSQL(hops []graph.Hop, args []any) (string, []any) {
	var with, read strings.Builder
	for i := range hops {
		h := &hops[i]
		if i > 0 {
			read.WriteString("\nunion all\n")
		}
		if h.Heads != nil {
			args = append(args, [16]byte(h.Heads.After), h.Heads.About)
			read.WriteString(v.headsSQL(h, i+1, len(args)-1, len(args)))
			continue
		}
		among := ""
		if h.Among != nil {
			args = append(args, uuids(h.Among))
			among = "$" + strconv.Itoa(len(args))
		}
		with.WriteString(hopSQL(h, i+1, among))
		fmt.Fprintf(&read, "select %[1]d, e.*, null::uuid[] from edges%[1]d e", i+1)
	}
	return fmt.Sprintf("with recursive %s%s\n%s", givenSQL, with.String(), read.String()), args
}

// The plan must not depend on how many entities are given, or the server would
// plan each walk anew, which takes longer than a walk. "offset 0" hides it.
const givenSQL = `given (id) as (select unnest(list.ids) from (select $3::uuid[] as ids offset 0) list),
		ends0 (id, near) as (select id, false from given)`

// hopSQL is the edges of a hop, and the entities at its far ends. The lateral
// "offset 0" keeps every step on the index, whatever the statistics are;
// "union" without the way taken ends cycles. Bounds are spelt out, as the server
// would not keep a plan that depends on them either.
func hopSQL(h *graph.Hop, n int, among string) string {
	at, far := ends(h.Side)
	step := func(columns, more string) string {
		return fmt.Sprintf(`(
		    select %s
		    from {relationships} r
		    where r.workspace_id = $1 and r.connection_id = $2 and r.kind_code = '%s' and r.%s = begun.id%s
		    offset 0)`, columns, kindCode(h.Kind), at, more)
	}
	if h.Spread {
		// Entities that have such edges are marked while the others are looked
		// for: most have none and are not looked up again.
		return fmt.Sprintf(`,
		ends%[1]d (id, near) as (
		  select id, false from ends%[2]d where not near
		  union
		  select found.id, found.near
		  from ends%[1]d begun
		  cross join lateral %[3]s next
		  cross join lateral (values (next.id, false), (begun.id, true)) found (id, near)
		  where not begun.near),
		edges%[1]d as (
		  select e.* from (select id from ends%[1]d where near limit %[4]d) begun cross join lateral %[5]s e
		  limit %[6]d)`, n, h.From, step("r."+far+" as id", ""), h.Most, step(edgeFields, ""), graph.MaxHopEdges)
	}
	if among != "" {
		// "is true" keeps the list out of the index condition, where each pair
		// of both lists would be looked up; as a filter it is hashed.
		among = " and (r." + far + " = any (" + among + ")) is true"
	}
	return fmt.Sprintf(`,
		edges%[1]d as (
		  select e.* from (select id from ends%[2]d where not near) begun cross join lateral %[3]s e
		  limit %[4]d),
		ends%[1]d (id, near) as (select distinct %[5]s, false from edges%[1]d)`, n, h.From, step(edgeFields, among), graph.MaxHopEdges, far)
}

// headsSQL is the beginnings of the lists of all entities at which a hop begins: a
// row for each, in the place of an edge. How many are read of each, as
// [graph.Heads.Each] says, is in that of the stream partition. The plan must not
// depend on where lists begin.
func (v *graphView) headsSQL(h *graph.Hop, n, after, about int) string {
	at, far := ends(h.Side)
	where := fmt.Sprintf("r.workspace_id = $1 and r.connection_id = $2 and r.kind_code = '%s' and r.%s = begun.id and r.%s > most.after", kindCode(h.Kind), at, far)
	return fmt.Sprintf(`select %[1]d, begun.id, begun.id, begun.id, '', 'allow', null::jsonb, most.each, 0::bigint, 'epoch'::timestamptz, list.far
		from (
		  select least(greatest(4 * $%[6]d::bigint / greatest(count(*), 1), 4), greatest($%[6]d::bigint, 4)) as each, $%[5]d::uuid as after
		  from ends%[2]d where not near) most
		cross join (select id from ends%[2]d where not near) begun
		cross join lateral (
		  select array(%[3]s) as far
		  offset 0) list
		where list.far <> %[4]s`, n, h.From, v.sortedList(far, where, "most.each"), "'{}'", after, about)
}

func collectHops(rows pgx.Rows, err error, hops []graph.Hop) ([]graph.Walked, error) {
	if err != nil {
		return nil, fmt.Errorf("walk the graph: %w", err)
	}
	defer rows.Close()
	found := make([]graph.Walked, len(hops)+1)
	scan := edgeScan{}
	for rows.Next() {
		var n int
		var e graph.Edge
		var list [][16]byte
		if err := scan.edge(rows, &e, []any{&n}, &list); err != nil {
			return nil, err
		}
		h, w := &hops[n-1], &found[n]
		if h.Heads == nil {
			e.Kind = h.Kind
			w.Edges = append(w.Edges, e)
			continue
		}
		for _, far := range list {
			w.Lists = append(w.Lists, graph.Neighbour{At: e.From, Far: far})
		}
		w.Each = int(e.Partition)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("walk the graph: %w", err)
	}
	return found, nil
}

// edgeScan reads edges of one answer. Edges that say the same, as those of one
// policy do, share their terms, which are decoded once.
type edgeScan map[string]*connector.Terms

// edge reads the fields of an edge, and what is before and behind them.
func (s edgeScan) edge(row pgx.Rows, e *graph.Edge, before []any, behind ...any) error {
	var terms []byte
	fields := []any{&e.ID, (*[16]byte)(&e.From), (*[16]byte)(&e.To), &e.Key, (*string)(&e.Effect), &terms, &e.Partition, &e.FirstRun, &e.ValidFrom}
	err := row.Scan(slices.Concat(before, fields, behind)...)
	if err != nil {
		return fmt.Errorf("read edges: %w", err)
	}
	if terms == nil {
		return nil
	}
	known, ok := s[string(terms)]
	if !ok {
		known = &connector.Terms{}
		if err := json.Unmarshal(terms, known); err != nil {
			return fmt.Errorf("decode terms: %w", err)
		}
		s[string(terms)] = known
	}
	e.Terms = known
	return nil
}
