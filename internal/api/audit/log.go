package audit

import (
	"context"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/auditlog"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

type logOutput struct {
	Body Log
}

type checkpointsInput struct {
	api.Page
	After int64 `query:"after" minimum:"0" default:"0" doc:"Begin behind the checkpoint of this number."`
}

type entriesInput struct {
	api.Page
	After int64 `query:"after" minimum:"-1" default:"-1" doc:"Begin behind the entry of this number."`
}

type checkpointsOutput struct {
	Body CheckpointList
}

type entriesOutput struct {
	Body EntryList
}

// mountLog adds the operations on the sealed log.
func mountLog(a huma.API, events *auditlog.Service) {
	api.Register(a, huma.Operation{
		OperationID: "get-audit-log", Method: http.MethodGet, Path: "/v1/audit-log", Tags: []string{"Audit"},
		Extensions:  api.Needs(workspace.ReadAudit),
		Summary:     "Get the sealed log",
		Description: "The name of the workspace's log, the public key of its checkpoints, and the last of these. Needs audit.read.",
	}, func(ctx context.Context, _ *struct{}) (*logOutput, error) {
		caller := api.CallerFrom(ctx)
		out := &logOutput{Body: Log{Origin: auditlog.Origin(caller.Scope), PublicKey: events.PublicKey}}
		latest, err := events.Latest(ctx, caller)
		if fault.KindOf(err) == fault.NotFound {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		c := fromCheckpoint(latest)
		out.Body.Latest = &c
		return out, nil
	})
	api.Register(a, huma.Operation{
		OperationID: "list-audit-checkpoints", Method: http.MethodGet, Path: "/v1/audit-log/checkpoints", Tags: []string{"Audit"},
		Extensions: api.Needs(workspace.ReadAudit),
		Summary:    "List checkpoints", Description: "The signed checkpoints of the workspace's log, the oldest first. Needs audit.read.",
	}, func(ctx context.Context, in *checkpointsInput) (*checkpointsOutput, error) {
		after, err := counted(in.Page, in.After)
		if err != nil {
			return nil, err
		}
		found, err := events.Checkpoints(ctx, api.CallerFrom(ctx), after, in.Fetch())
		if err != nil {
			return nil, err
		}
		items, next := api.CutAt(in.Page, found, func(c auditlog.StoredCheckpoint) string { return strconv.FormatInt(c.Number, 10) })
		out := &checkpointsOutput{Body: CheckpointList{Checkpoints: make([]Checkpoint, len(items)), NextCursor: next}}
		for i, c := range items {
			out.Body.Checkpoints[i] = fromCheckpoint(c)
		}
		return out, nil
	})
	api.Register(a, huma.Operation{
		OperationID: "list-audit-log-entries", Method: http.MethodGet, Path: "/v1/audit-log/entries", Tags: []string{"Audit"},
		Extensions:  api.Needs(workspace.ReadAudit),
		Summary:     "List the log's entries",
		Description: "Every sealed event in the order of the log, the oldest first, with the hash that it was sealed with. Nothing is ever inserted before an entry that was listed. Needs audit.read.",
	}, func(ctx context.Context, in *entriesInput) (*entriesOutput, error) {
		last, err := counted(in.Page, in.After)
		if err != nil {
			return nil, err
		}
		found, err := events.Entries(ctx, api.CallerFrom(ctx), last+1, in.Fetch())
		if err != nil {
			return nil, err
		}
		items, next := api.CutAt(in.Page, found, func(e auditlog.StoredEntry) string { return strconv.FormatInt(e.Number, 10) })
		out := &entriesOutput{Body: EntryList{Entries: make([]Entry, len(items)), NextCursor: next}}
		for i, e := range items {
			out.Body.Entries[i] = fromEntry(e)
		}
		return out, nil
	})
}

// counted reads a cursor that stands for a number; first for the first page.
func counted(p api.Page, first int64) (int64, error) {
	text, err := p.Last()
	if err != nil || text == "" {
		return first, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, fault.InvalidField("query.cursor", "is not a cursor of this list; use next_cursor as it was answered")
	}
	return n, nil
}
