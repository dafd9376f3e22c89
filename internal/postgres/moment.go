package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// past is what a view of an earlier moment knows of it.
type past struct {
	// cuts are, in the order of the view's connections, the publications that
	// were the last visible ones: their time, which is before all times when
	// there was none, and what they said of coverage.
	cuts     []time.Time
	coverage map[id.Connection]knownCoverage
	// begins is from when on history is kept; nil for from the beginning on.
	begins *time.Time
}

// knownCoverage is the coverage that a publication left.
type knownCoverage struct {
	// at is the publication's time; zero when there was none.
	at  time.Time
	raw json.RawMessage
}

// At returns the graph as it was at a moment. It is of the same snapshot, and
// shares the transaction.
func (v *graphView) At(ctx context.Context, m graph.Moment) (graph.View, error) {
	then, err := v.at(ctx, m)
	if err != nil {
		return nil, err
	}
	return then, nil
}

func (v *graphView) at(ctx context.Context, m graph.Moment) (*graphView, error) {
	if m.Now() {
		return v, nil
	}
	// A moment between two microseconds is the earlier one: what a version says
	// of its time is not finer.
	asked := m.At.Truncate(time.Microsecond)
	var at, begins *time.Time
	var connections []int64
	var cuts []*time.Time
	var coverage []json.RawMessage
	err := v.tx.QueryRow(ctx, `
		select asked.at, (select h.begins_at from graph_histories h where h.workspace_id = $1),
		  coalesce(array_agg(c.connection_id order by c.connection_id) filter (where c.connection_id is not null), '{}'),
		  coalesce(array_agg(p.published_at order by c.connection_id) filter (where c.connection_id is not null), '{}'),
		  coalesce(array_agg(p.coverage order by c.connection_id) filter (where c.connection_id is not null), '{}')
		from (
		  select case when $3::bigint = 0 then $2::timestamptz else (
		    select r.visible_at
		    from publications r
		    where r.workspace_id = $1 and r.run_id = $3 and r.connection_id = any ($4)) end as at) asked
		left join unnest($4::bigint[]) c (connection_id) on true
		left join lateral (
		  select p.published_at, p.coverage
		  from publications p
		  where p.workspace_id = $1 and p.connection_id = c.connection_id and p.visible_at <= asked.at
		  order by p.visible_at desc
		  limit 1) p on true
		group by asked.at`, v.workspace, asked, m.Run, v.connections).Scan(&at, &begins, &connections, &cuts, &coverage)
	if err != nil {
		return nil, fmt.Errorf("find the graph at a moment: %w", err)
	}
	switch {
	case at == nil:
		return nil, m.Refuse("%s published nothing that is still there: only a run that read a connection, and whose connection has not been deleted, stands for a moment", m.Run)
	case begins != nil && at.Before(*begins):
		return nil, m.Refuse("is before the workspace's history begins, at %s: what had ended by then is no longer kept", begins.UTC().Format(time.RFC3339Nano))
	case m.Run == 0 && at.After(v.moment):
		return nil, m.Refuse("is in the future; it is %s now", v.moment.UTC().Format(time.RFC3339))
	}
	then := *v
	then.moment, then.connections = *at, connections
	then.past = &past{begins: begins, cuts: make([]time.Time, len(cuts)), coverage: make(map[id.Connection]knownCoverage, len(cuts))}
	for i, cut := range cuts {
		if cut != nil {
			then.past.cuts[i] = *cut
			then.past.coverage[id.Connection(connections[i])] = knownCoverage{*cut, coverage[i]}
		}
	}
	return &then, nil
}

// The columns of both tables that questions read.
const (
	entityVersions = "workspace_id, connection_id, entity_id, kind, provider_id, name, type, identifiers, attributes, " +
		"content_hash, partition_id, first_run_id, valid_from, valid_to, observed_before"
	relationshipVersions = "workspace_id, connection_id, relationship_id, from_id, to_id, kind, kind_code, key, effect, terms, attributes, " +
		"content_hash, partition_id, first_run_id, valid_from, valid_to, observed_before"
)

// versions completes a statement that asks {entities} or {relationships}, which
// stand for the versions that the view shows: of one connection, or when that is
// zero, of those that are the statement's second parameter. Of an earlier moment
// they are read from two indexes: that of current versions and that of ended
// ones.
func (v *graphView) versions(c id.Connection, sql string, args []any) (string, []any) {
	of := v.partitions(c)
	entities, relationships := "(select "+entityVersions+" from entities where "+of+" and valid_to is null)",
		"(select "+relationshipVersions+" from relationships where "+of+" and valid_to is null)"
	current, ended := relationships, ""
	if v.past != nil {
		cut := "$" + strconv.Itoa(len(args)+1)
		if c != 0 {
			args = append(args, v.cutOf(c))
			cut += "::timestamptz"
		} else {
			args = append(args, v.past.cuts)
			cut = "(" + cut + "::timestamptz[])[array_position($2::bigint[], connection_id)]"
		}
		entities, relationships = versionsAt("entities", entityVersions, of, cut), versionsAt("relationships", relationshipVersions, of, cut)
		current = "(" + currentAt("relationships", relationshipVersions, of, cut) + ")"
		ended = "(" + endedAt("relationships", relationshipVersions, of, cut) + ")"
	}
	return strings.NewReplacer("{entities}", entities, "{relationships}", relationships,
		"{current relationships}", current, "{ended relationships}", ended).Replace(sql), args
}

// partitions is the condition that confines a statement to the graph of one
// connection, or when that is zero, to those that the view shows.
func (v *graphView) partitions(c id.Connection) string {
	if c != 0 {
		return partitionsOf([]int64{int64(c)})
	}
	return partitionsOf(v.connections)
}

// partitionsOf names connections in the text of a statement. The server keeps the
// plan of a statement: for connections that are parameters it would plan, and for
// each question lock, the graphs of all connections of the data plane.
func partitionsOf(connections []int64) string {
	if len(connections) == 1 {
		return "connection_id = " + strconv.FormatInt(connections[0], 10)
	}
	list := make([]string, len(connections))
	for i, c := range connections {
		list[i] = strconv.FormatInt(c, 10)
	}
	return "connection_id = any ('{" + strings.Join(list, ",") + "}'::bigint[])"
}

// versionsAt is the versions of a table, of those that a condition selects, that
// were shown at the publication's time.
func versionsAt(table, columns, of, cut string) string {
	return "(" + currentAt(table, columns, of, cut) + " union all " + endedAt(table, columns, of, cut) + ")"
}

// currentAt is those of them that are still current.
func currentAt(table, columns, of, cut string) string {
	return fmt.Sprintf("select %s from %s where %s and valid_to is null and valid_from <= %s", columns, table, of, cut)
}

// endedAt is those of them that have ended since.
func endedAt(table, columns, of, cut string) string {
	return fmt.Sprintf("select %[2]s from %[1]s where %[3]s and valid_to is not null and valid_to > %[4]s and valid_from <= %[4]s", table, columns, of, cut)
}

// sortedList is the first different values of a column among the relationships r
// that meet a condition. Of an earlier moment it takes as many from each of the two
// indexes: in their union the server would read and sort the whole list.
func (v *graphView) sortedList(far, where, most string) string {
	of := func(relationships string) string {
		return fmt.Sprintf("select distinct r.%[1]s as far from %[2]s r where %[3]s order by far limit %[4]s", far, relationships, where, most)
	}
	if v.past == nil {
		return of("{current relationships}")
	}
	return fmt.Sprintf("select distinct both_lists.far from ((%s) union all (%s)) both_lists order by far limit %s",
		of("{current relationships}"), of("{ended relationships}"), most)
}

// cutOf returns the time of the last publication of a connection that was
// visible; zero, which is before all, when none was.
func (v *graphView) cutOf(c id.Connection) time.Time {
	if i := slices.Index(v.connections, int64(c)); i >= 0 {
		return v.past.cuts[i]
	}
	return time.Time{}
}

// query asks about the versions that the view shows; see versions.
func (v *graphView) query(ctx context.Context, c id.Connection, sql string, args ...any) (pgx.Rows, error) {
	sql, args = v.versions(c, sql, args)
	return v.tx.Query(ctx, sql, args...)
}
