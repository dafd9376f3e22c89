package export

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// ManifestVersion names the form of [Manifest].
const ManifestVersion = "gatehouse.export.v1"

// Manifest says what a file holds, as of when, and how completely was looked.
type Manifest struct {
	Version   string       `json:"version"`
	Export    id.Export    `json:"export_id"`
	Tenant    id.Tenant    `json:"tenant_id"`
	Workspace id.Workspace `json:"workspace_id"`
	// RequestedBy is who asked for it.
	RequestedBy id.Member `json:"requested_by"`
	Query       Query     `json:"query"`
	AsOf        time.Time `json:"as_of"`
	Rows        int64     `json:"rows"`
	Bytes       int64     `json:"bytes"`
	// SHA256 of the file, in hexadecimal.
	SHA256 string `json:"sha256"`
	// Truncated says that an answer met its bounds, so that rows may be missing.
	Truncated bool `json:"truncated"`
	// Columns are those of a table, in order; none of a graph.
	Columns  []string           `json:"columns,omitempty"`
	Coverage []ManifestCoverage `json:"coverage"`
}

// ManifestCoverage is how completely a connection was read.
type ManifestCoverage struct {
	Connection  id.Connection    `json:"connection_id"`
	Integration string           `json:"integration_id"`
	Observation string           `json:"observation"`
	Streams     []ManifestStream `json:"streams"`
	Gaps        []ManifestGap    `json:"gaps"`
	MoreGaps    bool             `json:"more_gaps,omitzero"`
}

// ManifestStream counts the partitions of a stream by how they were read last.
type ManifestStream struct {
	Stream         string     `json:"stream"`
	Complete       int64      `json:"complete"`
	Partial        int64      `json:"partial"`
	Skipped        int64      `json:"skipped"`
	OldestComplete *time.Time `json:"oldest_complete_at"`
	LastObserved   *time.Time `json:"last_observed_at"`
}

// ManifestGap is a part of a stream that was not read completely.
type ManifestGap struct {
	Stream     string `json:"stream"`
	Partition  string `json:"partition"`
	Coverage   string `json:"coverage"`
	ReasonCode string `json:"reason_code,omitzero"`
	Message    string `json:"message,omitzero"`
}

func coverageOf(all []graph.Coverage) []ManifestCoverage {
	shown := make([]ManifestCoverage, len(all))
	for i, c := range all {
		shown[i] = ManifestCoverage{
			Connection: c.Connection, Integration: string(c.Integration), Observation: string(c.Observation()),
			Streams: make([]ManifestStream, len(c.Streams)), Gaps: make([]ManifestGap, len(c.Gaps)), MoreGaps: c.MoreGaps,
		}
		for j, s := range c.Streams {
			shown[i].Streams[j] = ManifestStream{
				Stream: s.Stream, Complete: s.Complete, Partial: s.Partial, Skipped: s.Skipped, OldestComplete: inUTC(s.OldestComplete), LastObserved: inUTC(s.LastObserved),
			}
		}
		for j, g := range c.Gaps {
			shown[i].Gaps[j] = ManifestGap{Stream: g.Stream, Partition: g.Partition, Coverage: g.Coverage, ReasonCode: g.ReasonCode, Message: g.Message}
		}
	}
	return shown
}

// manifestOf describes a file that has been written.
func manifestOf(x Export, w *work, c *chunker) ([]byte, error) {
	sum := c.sum()
	m := Manifest{
		Version: ManifestVersion, Export: x.ID, Tenant: x.Scope.Tenant, Workspace: x.Scope.Workspace, RequestedBy: x.RequestedBy, Query: x.Query,
		AsOf: w.reading.Moment().UTC(), Rows: c.rows, Bytes: c.size, SHA256: hex.EncodeToString(sum[:]), Truncated: w.truncated,
		Coverage: coverageOf(w.coverage),
	}
	for _, column := range w.table.Columns {
		m.Columns = append(m.Columns, column.Name)
	}
	var encoded bytes.Buffer
	e := json.NewEncoder(&encoded)
	e.SetEscapeHTML(false)
	if err := e.Encode(m); err != nil {
		return nil, fmt.Errorf("encode the manifest of %s: %w", x.ID, err)
	}
	return bytes.TrimSuffix(encoded.Bytes(), []byte("\n")), nil
}

func inUTC(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}
