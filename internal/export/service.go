package export

import (
	"context"
	"encoding/hex"
	"io"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/idempotency"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// targetType is what audit events call an export.
const targetType = "export"

// Service is what callers may do with exports. All of it needs the capability
// [workspace.Export].
type Service struct {
	Store    Store
	Recorder audit.Recorder
	Source   Source
	// MaxBytes bounds a file; [MaxBytes] when zero.
	MaxBytes int64
	// Keep is how long an export is kept once it has ended; [Keep] when zero.
	Keep time.Duration
}

func (s *Service) maxKept() int64 {
	if s.MaxBytes == 0 {
		return MaxKept * MaxBytes
	}
	return MaxKept * s.MaxBytes
}

// Create asks for an export; its file is made in the background. It also needs
// [workspace.ReadWorkspace], which whoever sees the graph has. replayed says that
// an earlier request with the same key asked for it.
func (s *Service) Create(ctx context.Context, c workspace.Caller, q Query, once *idempotency.Request) (x Export, replayed bool, err error) {
	for _, needed := range []workspace.Capability{workspace.Export, workspace.ReadWorkspace} {
		if err := c.Require(needed); err != nil {
			return Export{}, false, err
		}
	}
	if err := q.Check(); err != nil {
		return Export{}, false, err
	}
	if err := s.checkNames(ctx, c, &q); err != nil {
		return Export{}, false, err
	}
	return s.Store.Create(ctx, Draft{Scope: c.Scope, RequestedBy: c.Member, Query: q, Once: once}, s.maxKept(), audit.Event{
		Actor: c.Actor(), Action: audit.ExportRequested, Outcome: audit.Succeeded, TargetType: targetType,
		Payload: map[string]any{"query": q},
	})
}

// checkNames finds out whether there was such a moment, and what the query names at
// it: an export that would fail is refused.
func (s *Service) checkNames(ctx context.Context, c workspace.Caller, q *Query) error {
	named := []struct {
		field string
		id    graph.EntityID
	}{
		{"resource_id", q.Resource},
		{"principal_id", q.Principal},
		{"from", q.From},
		{"to", q.To},
	}
	return s.Source.Read(ctx, c.Scope.Workspace, q.moment(), func(r Reading) error {
		questions := &graph.Questions{Store: r.Questions()}
		for _, n := range named {
			if n.id == (graph.EntityID{}) {
				continue
			}
			_, err := questions.GetEntity(ctx, c, n.id, graph.Moment{})
			if told, ok := fault.As(err); ok && told.Kind == fault.NotFound {
				return fault.InvalidField(n.field, "names nothing: %s", told.Message)
			}
			if err != nil {
				return err
			}
		}
		if q.Subject == Changes {
			if err := s.checkChanges(ctx, c, questions, q); err != nil {
				return err
			}
		}
		if q.Connection == 0 {
			return nil
		}
		known, err := r.Coverage(ctx, q.Connection)
		if err == nil && len(known) == 0 {
			return fault.InvalidField("connection_id", "names nothing: there is no connection %s", q.Connection)
		}
		return err
	})
}

// checkChanges finds out whether changes can be told as they are asked for. The
// subject may have left the graph.
func (s *Service) checkChanges(ctx context.Context, c workspace.Caller, questions *graph.Questions, q *Query) error {
	if q.Run != 0 {
		then := graph.Moment{Run: q.Run, Parameter: "run_id"}
		if err := s.Source.Read(ctx, c.Scope.Workspace, then, func(Reading) error { return nil }); err != nil {
			return err
		}
	}
	f := q.changes()
	// The connection is looked at below.
	f.Connection, f.Limit = 0, 1
	_, err := questions.Changes(ctx, c, f)
	if told, ok := fault.As(err); ok && told.Kind == fault.NotFound {
		return fault.InvalidField("subject_id", "names nothing: %s", told.Message)
	}
	return err
}

// Get returns an export, or NotFound.
func (s *Service) Get(ctx context.Context, c workspace.Caller, x id.Export) (Export, error) {
	if err := c.Require(workspace.Export); err != nil {
		return Export{}, err
	}
	return s.Store.Get(ctx, c.Scope, x)
}

// List returns the newest exports first.
func (s *Service) List(ctx context.Context, c workspace.Caller, f Filter) ([]Export, error) {
	if err := c.Require(workspace.Export); err != nil {
		return nil, err
	}
	return s.Store.List(ctx, c.Scope, f)
}

// Cancel ends an export that has not ended.
func (s *Service) Cancel(ctx context.Context, c workspace.Caller, x id.Export) (Export, error) {
	if err := c.Require(workspace.Export); err != nil {
		return Export{}, err
	}
	keep := s.Keep
	if keep == 0 {
		keep = Keep
	}
	return s.Store.Cancel(ctx, Ref{Scope: c.Scope, Export: x}, time.Now().Add(keep), audit.Event{
		Actor: c.Actor(), Action: audit.ExportCancelled, Outcome: audit.Succeeded, TargetType: targetType, TargetID: x.String(),
	})
}

// Delete removes an export and its file, also one that is being made.
func (s *Service) Delete(ctx context.Context, c workspace.Caller, x id.Export) error {
	if err := c.Require(workspace.Export); err != nil {
		return err
	}
	return s.Store.Delete(ctx, Ref{Scope: c.Scope, Export: x}, audit.Event{
		Actor: c.Actor(), Action: audit.ExportDeleted, Outcome: audit.Succeeded, TargetType: targetType, TargetID: x.String(),
		Payload: map[string]any{"reason": "requested"},
	})
}

// Download opens the file of a completed export. That somebody downloads is
// recorded first, with the range that they asked for, if any. The file is for one
// goroutine, and reads with ctx.
func (s *Service) Download(ctx context.Context, c workspace.Caller, x id.Export, ranges string) (Export, io.ReadSeeker, error) {
	found, err := s.Finished(ctx, c, x)
	if err != nil {
		return Export{}, nil, err
	}
	payload := map[string]any{"what": string(found.Query.Subject), "format": string(found.Query.Format), "sha256": hex.EncodeToString(found.SHA256), "bytes": found.Bytes}
	if ranges != "" {
		payload["range"] = ranges[:min(len(ranges), maxRange)]
	}
	err = s.Recorder.RecordEvent(ctx, c.Scope, audit.Event{
		Actor: c.Actor(), Action: audit.ExportDownloaded, Outcome: audit.Succeeded, TargetType: targetType, TargetID: x.String(), Payload: payload,
	})
	if err != nil {
		return Export{}, nil, err
	}
	return found, newFile(ctx, s.Store, found), nil
}

// maxRange bounds what is recorded of the range of a download.
const maxRange = 100

// Finished returns an export that is completed, or a Conflict that says what it is
// instead.
func (s *Service) Finished(ctx context.Context, c workspace.Caller, x id.Export) (Export, error) {
	found, err := s.Get(ctx, c, x)
	switch {
	case err != nil:
		return Export{}, err
	case found.Status == Completed:
		return found, nil
	case found.Status.Ended():
		return Export{}, fault.New(fault.Conflict, "%s has no file: it is %s; request another one", x, found.Status)
	}
	return Export{}, fault.New(fault.Conflict, "%s has no file yet: it is %s; ask again once it is completed", x, found.Status)
}
