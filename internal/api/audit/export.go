package audit

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/auditlog"
	"github.com/gatehouse-project/gatehouse/internal/ocsf"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// exportStall is how long a client may take to receive a page of the export.
const exportStall = time.Minute

type exportInput struct {
	Filter
	After int64 `query:"after" minimum:"-1" default:"-1" doc:"Begin behind the event of this sequence, to go on with an export that ended early."`
}

// mountExport adds the export.
func mountExport(a huma.API, events *auditlog.Service) {
	api.Register(a, huma.Operation{
		OperationID: "export-audit-events", Method: http.MethodGet, Path: "/v1/audit-events/export", Tags: []string{"Audit"},
		Extensions: api.Needs(workspace.Export),
		Summary:    "Export audit events",
		Description: "Every sealed event that passes the filter, in the order of the log, as lines of JSON: OCSF " + ocsf.Version +
			" inside CloudEvents 1.0 (structured mode). The attribute sequence is the event's place in the log. An export that cannot be completed ends without the end of the answer. The export is recorded. Needs exports.create, and audit.read, which whoever has it has as well.",
		Responses: map[string]*huma.Response{"200": {
			Description: "The events, one a line.",
			Content:     map[string]*huma.MediaType{"application/x-ndjson": {Schema: &huma.Schema{Type: huma.TypeString}}},
		}},
	}, func(ctx context.Context, in *exportInput) (*huma.StreamResponse, error) {
		export, err := events.Export(ctx, api.CallerFrom(ctx), in.domain(), in.After)
		if err != nil {
			return nil, err
		}
		return &huma.StreamResponse{Body: func(ctx huma.Context) {
			ctx.SetHeader("Content-Type", "application/x-ndjson")
			if err := stream(ctx, export); err != nil {
				api.LoggerFrom(ctx.Context()).LogAttrs(ctx.Context(), slog.LevelWarn, "an export of audit events ended early",
					slog.String("request_id", api.RequestID(ctx.Context())), slog.Any("error", err))
				// The answer must not look complete; this is net/http's way to say so.
				panic(http.ErrAbortHandler)
			}
		}}, nil
	})
}

// stream writes page by page; what was read of the log is never more than one.
func stream(ctx huma.Context, export *auditlog.Export) error {
	w := ctx.BodyWriter()
	rw, streams := w.(http.ResponseWriter)
	for {
		page, err := export.Next(ctx.Context())
		if err != nil || page == nil {
			return err
		}
		if streams {
			// The listener's own time-out is for answers of known length.
			if err := http.NewResponseController(rw).SetWriteDeadline(time.Now().Add(exportStall)); err != nil {
				return err
			}
		}
		for _, e := range page {
			line, err := ocsf.Marshal(e.Number, *e.Record)
			if err != nil {
				return err
			}
			if _, err := w.Write(append(line, '\n')); err != nil {
				return err
			}
		}
	}
}
