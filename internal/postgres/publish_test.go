package postgres_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// reading is what one partition of a run shows.
type reading struct {
	stream, partition string
	page              connector.Page
	end               connector.Coverage
}

func whole(stream, partition string, entities []connector.Entity, edges ...connector.Relationship) reading {
	return reading{stream, partition, connector.Page{Entities: entities, Relationships: edges}, connector.Complete}
}

// discover runs a discovery from its start to its publication.
func (d *discovery) discover(tb testing.TB, scope id.Scope, c id.Connection, readings ...reading) run.Run {
	tb.Helper()
	h := d.begin(tb, scope, c)
	for _, r := range readings {
		h.send(tb, r.stream, r.partition, r.page, r.end)
	}
	return h.publish(tb)
}

// current lists the current graph of a connection: entities as "id name
// partition", relationships as "from>to attributes partition".
func (d *discovery) current(tb testing.TB, c id.Connection) (rows []string) {
	tb.Helper()
	found, err := d.super.Query(tb.Context(), `
		select e.provider_id || ' ' || e.name || ' ' || p.stream || '/' || p.partition_key from entities e join stream_partitions p using (partition_id)
		where e.connection_id = $1 and e.valid_to is null
		union all
		select f.provider_id || '>' || t.provider_id || r.key || ' ' || coalesce(r.attributes::text, '-') || ' ' || p.stream || '/' || p.partition_key
		from relationships r join stream_partitions p using (partition_id)
		left join entities f on f.entity_id = r.from_id and f.valid_to is null left join entities t on t.entity_id = r.to_id and t.valid_to is null
		where r.connection_id = $1 and r.valid_to is null
		order by 1`, c)
	require.NoError(tb, err)
	rows, err = pgx.CollectRows(found, pgx.RowTo[string])
	require.NoError(tb, err)
	slices.Sort(rows)
	return rows
}

func (d *discovery) requireGraph(tb testing.TB, c id.Connection, want ...string) {
	tb.Helper()
	slices.Sort(want)
	require.Empty(tb, cmp.Diff(want, d.current(tb, c)))
}

// requireCounts checks the named counts; all others have to be zero.
func requireCounts(tb testing.TB, r run.Run, want map[string]int64) {
	tb.Helper()
	got := map[string]int64{}
	for name, n := range r.Counts {
		if n != 0 && !strings.HasSuffix(name, "_read") && !strings.HasPrefix(name, "partitions_") {
			got[name] = n
		}
	}
	require.Empty(tb, cmp.Diff(want, got))
}

func TestFirstLoadIsAttachedAsAPartition(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	r := d.discover(t, d.scope, c, whole("alpha", "", accounts("a", "b"), assumes("a", "b")))
	require.Equal(t, run.Succeeded, r.Outcome)
	requireCounts(t, r, map[string]int64{graph.CountEntitiesNew: 2, graph.CountRelationshipsNew: 1})
	for _, name := range []string{
		graph.CountEntitiesChanged, graph.CountEntitiesClosed, graph.CountRelationshipsChanged, graph.CountRelationshipsClosed,
	} {
		require.Contains(t, r.Counts, name, "a count of nothing is said, too")
	}
	d.requireGraph(t, c, "a a alpha/", "b b alpha/", "a>b - alpha/")
	require.Equal(t, 2, d.number(t, `
		select count(*) from pg_inherits i join pg_class p on p.oid = i.inhrelid
		where p.relname in ('entities_' || $1::bigint, 'relationships_' || $1::bigint) and p.relispartition and p.relrowsecurity and p.relforcerowsecurity`, c))
	require.Equal(t, d.number(t, "select count(*) from pg_index where indrelid in ('entities'::regclass, 'relationships'::regclass)")+4, d.number(t, `
		select count(*) from pg_indexes where tablename in ('entities_' || $1::bigint, 'relationships_' || $1::bigint)`, c))
	require.Equal(t, 1, d.number(t, `select count(*) from publications where run_id = $1`, r.ID))
	require.Zero(t, d.number(t, `select count(*) from pg_class where relnamespace = 'staging'::regnamespace`))
	require.Equal(t, []run.Ref{{Scope: d.scope, Run: r.ID}}, d.queue.refs)
}

func TestUnchangedEstateWritesNothing(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	estate := whole("alpha", "", accounts("a", "b", "c"), assumes("a", "b"), assumes("b", "c"))
	d.discover(t, d.scope, c, estate)
	places := func() (all string) {
		require.NoError(t, d.super.QueryRow(t.Context(), `
			select string_agg(place, ' ' order by place) from (
				select concat_ws('/', tableoid::regclass, ctid, xmin, xmax) as place from entities
				union all select concat_ws('/', tableoid::regclass, ctid, xmin, xmax) from relationships) rows`).Scan(&all))
		return all
	}
	before := places()
	r := d.discover(t, d.scope, c, estate)
	requireCounts(t, r, map[string]int64{})
	require.EqualValues(t, 3, r.Counts[graph.CountEntitiesRead])
	require.Equal(t, before, places())
}

func TestChangeClosesAVersionAndOpensAnother(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	edge := assumes("a", "b")
	d.discover(t, d.scope, c, whole("alpha", "", accounts("a", "b"), edge))
	edge.Attributes = []byte(`{"v": 2}`)
	r := d.discover(t, d.scope, c, whole("alpha", "", []connector.Entity{account("a", "renamed"), account("b", "b")}, edge))
	requireCounts(t, r, map[string]int64{graph.CountEntitiesChanged: 1, graph.CountRelationshipsChanged: 1})
	d.requireGraph(t, c, "a renamed alpha/", "b b alpha/", `a>b {"v": 2} alpha/`)
	require.Equal(t, 1, d.number(t, `
		select count(*) from entities o join entities n using (entity_id)
		where o.valid_to = n.valid_from and o.name = 'a' and n.name = 'renamed' and n.valid_to is null and n.first_run_id = $1 and o.first_run_id < n.first_run_id`, r.ID))
	d.requireConsistentHistory(t, c)
}

func TestOnlyACompletePartitionRemoves(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	d.discover(t, d.scope, c, whole("alpha", "1", accounts("a", "b"), assumes("a", "b")), whole("alpha", "2", accounts("c")), whole("beta", "", accounts("e")))

	denied := connector.Error{Category: connector.PermissionDenied, Message: "no"}
	partial := reading{"alpha", "1", connector.Page{Entities: accounts("a"), Gaps: []connector.Error{denied}}, connector.Partial}
	skipped := reading{"alpha", "2", connector.Page{}, connector.Skipped}
	r := d.discover(t, d.scope, c, partial, skipped) // and nothing of beta at all
	require.Equal(t, run.PartiallySucceeded, r.Outcome)
	requireCounts(t, r, map[string]int64{graph.CountEntitiesKept: 3, graph.CountRelationshipsKept: 1})
	d.requireGraph(t, c, "a a alpha/1", "b b alpha/1", "c c alpha/2", "e e beta/", "a>b - alpha/1")

	r = d.discover(t, d.scope, c, whole("alpha", "1", accounts("a")), skipped)
	requireCounts(t, r, map[string]int64{
		graph.CountEntitiesClosed: 1, graph.CountRelationshipsClosed: 1, graph.CountEntitiesKept: 2,
	})
	d.requireGraph(t, c, "a a alpha/1", "c c alpha/2", "e e beta/")
	d.requireConsistentHistory(t, c)
}

func TestOutcomeSaysHowMuchWasRead(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	part := func(end connector.Coverage, entities ...string) reading {
		return reading{"alpha", string(end), connector.Page{Entities: accounts(entities...)}, end}
	}
	for _, c2 := range []struct {
		readings []reading
		outcome  run.Outcome
	}{
		{[]reading{part(connector.Complete)}, run.Succeeded},
		{[]reading{part(connector.Complete), part(connector.Skipped)}, run.PartiallySucceeded},
		{[]reading{part(connector.Partial, "a")}, run.PartiallySucceeded},
		{[]reading{part("", "a")}, run.PartiallySucceeded},
		{[]reading{part(connector.Skipped)}, run.Failed},
		{[]reading{part(connector.Skipped), part(connector.Partial)}, run.Failed},
	} {
		r := d.discover(t, d.scope, c, c2.readings...)
		require.Equal(t, c2.outcome, r.Outcome, "%+v", c2.readings)
		require.Equal(t, c2.outcome == run.Succeeded, r.Reason == "", "%q", r.Reason)
		require.Equal(t, c2.outcome == run.Succeeded, r.Failure == nil)
	}
}

func TestRecordMovesToThePartitionThatShowsIt(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	d.discover(t, d.scope, c, whole("alpha", "1", accounts("a", "b")), whole("alpha", "2", nil))
	both := d.discover(t, d.scope, c, whole("alpha", "1", accounts("a", "b")), whole("alpha", "2", accounts("a")))
	requireCounts(t, both, map[string]int64{graph.CountDuplicates: 1})
	d.requireGraph(t, c, "a a alpha/1", "b b alpha/1")
	r := d.discover(t, d.scope, c, whole("alpha", "1", accounts("b")), whole("alpha", "2", accounts("a")))
	requireCounts(t, r, map[string]int64{})
	d.requireGraph(t, c, "a a alpha/2", "b b alpha/1")
	r = d.discover(t, d.scope, c, whole("alpha", "1", accounts("b")))
	requireCounts(t, r, map[string]int64{graph.CountEntitiesKept: 1})
	require.Equal(t, 2, d.number(t, `select count(*) from entities`), "a move is no new version")
}

func TestContradictionsAreReportedAndResolvedAlikeInAnyOrder(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	read := func(p, name string) reading {
		return whole("alpha", p, []connector.Entity{account("a", name)})
	}
	readings := []reading{read("1", "one"), read("2", "two"), read("3", "one")}
	twice := whole("beta", "", []connector.Entity{account("b", "x"), account("b", "y"), account("b", "x")})
	swapped := whole("beta", "", []connector.Entity{account("b", "y"), account("b", "x"), account("b", "x")})
	var graphs [][]string
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {1, 2, 0}} {
		for _, last := range []reading{twice, swapped} {
			c := d.connect(t, d.scope)
			r := d.discover(t, d.scope, c, readings[order[0]], readings[order[1]], readings[order[2]], last)
			require.Equal(t, run.Succeeded, r.Outcome)
			requireCounts(t, r, map[string]int64{graph.CountEntitiesNew: 2, graph.CountDuplicates: 4, graph.CountContradictions: 2})
			require.Contains(t, r.Failure.Details[0], "different content")
			graphs = append(graphs, d.current(t, c))
		}
	}
	for _, g := range graphs {
		require.Contains(t, g, "a one alpha/1")
		require.Equal(t, graphs[0], g)
	}
}

func TestDanglingRelationshipsAreLeftOutAndNamed(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	for range 2 { // at the first load, and at a later one
		r := d.discover(t, d.scope, c, whole("alpha", "", accounts("a", "b"), assumes("a", "b"), assumes("a", "nobody"), assumes("ghost", "nobody")))
		require.Equal(t, run.Succeeded, r.Outcome)
		require.EqualValues(t, 2, r.Counts[graph.CountDangling])
		require.Equal(t, []string{
			"2 relationships were left out because one of their ends was not seen",
			"left out: account_assumes_account from a to something not seen",
			"left out: account_assumes_account from something not seen to something not seen",
		}, r.Failure.Details)
		d.requireGraph(t, c, "a a alpha/", "b b alpha/", "a>b - alpha/")
	}
	// Its end turns up: it is not left out any more.
	r := d.discover(t, d.scope, c, whole("alpha", "", accounts("a", "b", "nobody"), assumes("a", "b"), assumes("a", "nobody")))
	requireCounts(t, r, map[string]int64{graph.CountEntitiesNew: 1, graph.CountRelationshipsNew: 1})
}

func TestRelationshipEndsWithItsEnds(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	d.discover(t, d.scope, c, whole("alpha", "", accounts("a", "b", "c")), whole("beta", "", nil, assumes("a", "b"), assumes("b", "c")))
	// beta is not read, respectively still shows the edge; its end is gone all the same.
	r := d.discover(t, d.scope, c, whole("alpha", "", accounts("b", "c")))
	requireCounts(t, r, map[string]int64{graph.CountEntitiesClosed: 1, graph.CountRelationshipsClosed: 1, graph.CountRelationshipsKept: 1})
	r = d.discover(t, d.scope, c, whole("alpha", "", accounts("b")), whole("beta", "", nil, assumes("b", "c")))
	require.EqualValues(t, 1, r.Counts[graph.CountRelationshipsClosed])
	d.requireGraph(t, c, "b b alpha/")
	d.requireConsistentHistory(t, c)
}

func TestPublicationTimesIncreaseWhateverTheClockDoes(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	d.discover(t, d.scope, c, whole("alpha", "", accounts("a")))
	d.exec(t, `update publications set published_at = published_at + interval '1 hour', visible_at = visible_at + interval '1 hour'; update entities set valid_from = valid_from + interval '1 hour'`)
	d.discover(t, d.scope, c, whole("alpha", "", []connector.Entity{account("a", "renamed")}))
	d.discover(t, d.scope, c, whole("alpha", "", accounts("a")))
	require.Equal(t, 1, d.number(t, `
		select count(distinct ok) from (select coalesce(published_at > lag(published_at) over (order by run_id), true) as ok from publications) p where ok`))
	require.Zero(t, d.number(t, `
		select count(*) from (select published_at <= lag(published_at) over (order by run_id) as wrong from publications) p where wrong`))
	d.requireConsistentHistory(t, c)
}

// requireConsistentHistory checks what holds of any sequence of versions.
func (d *discovery) requireConsistentHistory(tb testing.TB, c id.Connection) {
	tb.Helper()
	for what, wrong := range map[string]string{
		"an empty interval": `select count(*) from (select valid_from, valid_to from entities where connection_id = $1
			union all select valid_from, valid_to from relationships where connection_id = $1) v where valid_from >= valid_to`,
		"overlapping entity versions": `select count(*) from entities a join entities b using (connection_id, entity_id)
			where connection_id = $1 and a.ctid <> b.ctid and a.valid_from <= b.valid_from and coalesce(a.valid_to, 'infinity') > b.valid_from`,
		"overlapping relationship versions": `select count(*) from relationships a join relationships b using (connection_id, relationship_id)
			where connection_id = $1 and a.ctid <> b.ctid and a.valid_from <= b.valid_from and coalesce(a.valid_to, 'infinity') > b.valid_from`,
		"a relationship outliving its ends": `select count(*) from relationships r where connection_id = $1 and valid_to is null and not (
			exists (select from entities e where e.connection_id = $1 and e.entity_id = r.from_id and e.valid_to is null)
			and exists (select from entities e where e.connection_id = $1 and e.entity_id = r.to_id and e.valid_to is null))`,
		"an interval that is no publication's": `select count(*) from (select valid_from as moment from entities where connection_id = $1
			union all select valid_to from relationships where connection_id = $1) v
			where moment is not null and not exists (select from publications p where p.connection_id = $1 and p.published_at = v.moment)`,
	} {
		require.Zero(tb, d.number(tb, wrong, c), what)
	}
}
