package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// keptCoverage is what a publication keeps of a connection's coverage, for
// questions about the time after it.
type keptCoverage struct {
	Streams  []keptStream `json:"streams"`
	Gaps     []keptGap    `json:"gaps,omitempty"`
	MoreGaps bool         `json:"more_gaps,omitempty"`
	Narrowed bool         `json:"narrowed,omitempty"`
}

type keptStream struct {
	Stream         string     `json:"stream"`
	Complete       int64      `json:"complete,omitempty"`
	Partial        int64      `json:"partial,omitempty"`
	Skipped        int64      `json:"skipped,omitempty"`
	OldestComplete *time.Time `json:"oldest_complete,omitempty"`
	LastObserved   *time.Time `json:"last_observed,omitempty"`
}

type keptGap struct {
	Stream         string     `json:"stream"`
	Partition      string     `json:"partition,omitempty"`
	Coverage       string     `json:"coverage"`
	ReasonCode     string     `json:"reason_code,omitempty"`
	Message        string     `json:"message,omitempty"`
	LastObserved   *time.Time `json:"last_observed,omitempty"`
	LastCompleteAt *time.Time `json:"last_complete,omitempty"`
}

// keepCoverage is the coverage that this publication leaves, as it is kept.
func (p *publication) keepCoverage(ctx context.Context) ([]byte, error) {
	v := &graphView{tx: p.tx, workspace: id.Workspace(p.row.WorkspaceID), wholePlan: &p.wholePlan}
	known, err := v.Coverage(ctx, p.conn)
	if err != nil {
		return nil, err
	}
	kept := keptCoverage{MoreGaps: known.MoreGaps, Narrowed: known.Narrowed}
	for _, s := range known.Streams {
		kept.Streams = append(kept.Streams, keptStream(s))
	}
	for _, g := range known.Gaps {
		kept.Gaps = append(kept.Gaps, keptGap(g))
	}
	raw, err := json.Marshal(kept)
	if err != nil {
		return nil, fmt.Errorf("encode coverage: %w", err)
	}
	return raw, nil
}

// unreadQuery asks for the parts that have become known since the last publication
// of each connection, and until the view's moment.
func (v *graphView) unreadQuery(of []id.Connection) (string, []any) {
	known := make([]time.Time, len(of))
	for i, c := range of {
		known[i] = v.past.coverage[c].at
	}
	return `
		select p.connection_id, p.stream, p.partition_key
		from unnest($2::bigint[], $3::timestamptz[]) c (id, known)
		join stream_partitions p on p.connection_id = c.id
		where p.workspace_id = $1 and p.connection_id = any ($2) and p.known_at > c.known and p.known_at <= $4`,
		[]any{v.workspace, numbers(of), known, v.moment}
}

// collectPast is the coverage that was known at the view's moment: what the last
// publications left, and the parts that had become known since.
func (v *graphView) collectPast(rows pgx.Rows, err error, of []id.Connection) ([]graph.Coverage, error) {
	if err != nil {
		return nil, fmt.Errorf("read coverage: %w", err)
	}
	unread := map[id.Connection][]graph.CoverageGap{}
	var c id.Connection
	g := graph.CoverageGap{Coverage: string(connector.Skipped)}
	_, err = pgx.ForEachRow(rows, []any{&c, &g.Stream, &g.Partition}, func() error {
		unread[c] = append(unread[c], g)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read coverage: %w", err)
	}
	all := make([]graph.Coverage, len(of))
	for i, c := range of {
		if all[i], err = v.keptCoverage(c); err != nil {
			return nil, err
		}
		addUnread(&all[i], unread[c])
	}
	return all, nil
}

// keptCoverage is what the last publication of a connection left.
func (v *graphView) keptCoverage(c id.Connection) (graph.Coverage, error) {
	coverage := graph.Coverage{Connection: c, Integration: v.integrations[c]}
	known := v.past.coverage[c]
	if known.raw == nil {
		return coverage, nil
	}
	var kept keptCoverage
	if err := json.Unmarshal(known.raw, &kept); err != nil {
		return graph.Coverage{}, fmt.Errorf("decode coverage: %w", err)
	}
	coverage.MoreGaps, coverage.Narrowed = kept.MoreGaps, kept.Narrowed
	for _, s := range kept.Streams {
		coverage.Streams = append(coverage.Streams, graph.StreamCoverage(s))
	}
	for _, g := range kept.Gaps {
		coverage.Gaps = append(coverage.Gaps, graph.CoverageGap(g))
	}
	return coverage, nil
}

// addUnread adds parts that were known and not read yet.
func addUnread(coverage *graph.Coverage, unread []graph.CoverageGap) {
	if len(unread) == 0 {
		return
	}
	for _, g := range unread {
		// What no run had planned is now known.
		unplanned := slices.IndexFunc(coverage.Gaps, func(o graph.CoverageGap) bool { return o.Stream == g.Stream && o.ReasonCode == notPlanned })
		if unplanned >= 0 {
			coverage.Gaps = slices.Delete(coverage.Gaps, unplanned, unplanned+1)
			coverage.Streams = slices.DeleteFunc(coverage.Streams, func(s graph.StreamCoverage) bool { return s.Stream == g.Stream })
		}
		i := slices.IndexFunc(coverage.Streams, func(s graph.StreamCoverage) bool { return s.Stream == g.Stream })
		if i < 0 {
			i = len(coverage.Streams)
			coverage.Streams = append(coverage.Streams, graph.StreamCoverage{Stream: g.Stream})
		}
		coverage.Streams[i].Skipped++
	}
	coverage.Gaps = append(coverage.Gaps, unread...)
	slices.SortFunc(coverage.Streams, func(a, b graph.StreamCoverage) int { return strings.Compare(a.Stream, b.Stream) })
	sortGaps(coverage)
}
