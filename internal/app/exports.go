package app

import (
	"time"

	"github.com/gatehouse-project/gatehouse/internal/export"
	"github.com/gatehouse-project/gatehouse/internal/export/csvfile"
	"github.com/gatehouse-project/gatehouse/internal/export/jsonlines"
	"github.com/gatehouse-project/gatehouse/internal/export/opengraph"
	"github.com/gatehouse-project/gatehouse/internal/export/parquetfile"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/job"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
)

// ExportLimits bounds exports; what is zero is as package export has it.
type ExportLimits struct {
	// Keep is how long an export is kept once it has ended.
	Keep time.Duration
	// MaxBytes is the most that a file may have.
	MaxBytes int64
}

// newExports makes what takes requests of exports, and what makes their files.
func newExports(db *postgres.DB, tenant id.Tenant, queue *job.Queue, limits ExportLimits) (*export.Service, *export.Maker, error) {
	store, err := postgres.NewExports(db, tenant, queue.ExportTx)
	if err != nil {
		return nil, nil, err
	}
	source := postgres.NewExportSource(db)
	return &export.Service{Store: store, Recorder: db, Source: source, MaxBytes: limits.MaxBytes, Keep: limits.Keep}, &export.Maker{
		Store: store, Source: source, Queue: queue.Export, MaxBytes: limits.MaxBytes, Keep: limits.Keep,
		Encodings: export.Encodings{
			Tables: map[export.Format]export.TableEncoding{
				export.CSV:       csvfile.Encoding{},
				export.JSONLines: jsonlines.Encoding{},
				export.Parquet:   parquetfile.Encoding{},
			},
			Graph: opengraph.Encoding{},
		},
	}, nil
}
