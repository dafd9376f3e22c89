package postgres

import (
	"cmp"
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
	v := &graphView{tx: p.tx, workspace: id.Workspace(p.row.WorkspaceID)}
	known, err := v.Coverage(ctx, p.conn)
	if err != nil {
		return nil, err
	}
	kept := keptCoverage{MoreGaps: known.MoreGaps}
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

// pastCoverage is the coverage that was known at the view's moment: what the
// last publication left, and the parts that have become known since.
func (v *graphView) pastCoverage(ctx context.Context, c id.Connection) (graph.Coverage, error) {
	coverage := graph.Coverage{Connection: c, Integration: v.integrations[c]}
	known := v.past.coverage[c]
	if known.raw != nil {
		var kept keptCoverage
		if err := json.Unmarshal(known.raw, &kept); err != nil {
			return graph.Coverage{}, fmt.Errorf("decode coverage: %w", err)
		}
		coverage.MoreGaps = kept.MoreGaps
		for _, s := range kept.Streams {
			coverage.Streams = append(coverage.Streams, graph.StreamCoverage(s))
		}
		for _, g := range kept.Gaps {
			coverage.Gaps = append(coverage.Gaps, graph.CoverageGap(g))
		}
	}
	rows, err := v.tx.Query(ctx, `
		select stream, partition_key
		from stream_partitions
		where workspace_id = $1 and connection_id = $2 and known_at > $3 and known_at <= $4`, v.workspace, c, known.at, v.moment)
	if err != nil {
		return graph.Coverage{}, fmt.Errorf("read coverage: %w", err)
	}
	unread, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (g graph.CoverageGap, err error) {
		g.Coverage = string(connector.Skipped)
		return g, row.Scan(&g.Stream, &g.Partition)
	})
	if err != nil {
		return graph.Coverage{}, fmt.Errorf("read coverage: %w", err)
	}
	addUnread(&coverage, unread)
	return coverage, nil
}

// addUnread adds parts that were known and not read yet.
func addUnread(coverage *graph.Coverage, unread []graph.CoverageGap) {
	if len(unread) == 0 {
		return
	}
	for _, g := range unread {
		i := slices.IndexFunc(coverage.Streams, func(s graph.StreamCoverage) bool { return s.Stream == g.Stream })
		if i < 0 {
			i = len(coverage.Streams)
			coverage.Streams = append(coverage.Streams, graph.StreamCoverage{Stream: g.Stream})
		}
		coverage.Streams[i].Skipped++
	}
	coverage.Gaps = append(coverage.Gaps, unread...)
	slices.SortFunc(coverage.Streams, func(a, b graph.StreamCoverage) int { return strings.Compare(a.Stream, b.Stream) })
	slices.SortFunc(coverage.Gaps, func(a, b graph.CoverageGap) int {
		return cmp.Or(strings.Compare(a.Stream, b.Stream), strings.Compare(a.Partition, b.Partition))
	})
	coverage.MoreGaps = coverage.MoreGaps || len(coverage.Gaps) > graph.MaxGaps
	coverage.Gaps = coverage.Gaps[:min(len(coverage.Gaps), graph.MaxGaps)]
}
