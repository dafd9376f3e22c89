package auditlog

import (
	"context"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// exportPage is how many entries of the log are in memory at once.
const exportPage = 500

// Export is a part of a workspace's log, to be read once.
type Export struct {
	service *Service
	caller  workspace.Caller
	filter  audit.Filter
	next    int64
	size    int64
}

// Export begins to export the sealed events that the filter lets pass, behind the
// entry after, up to what is sealed now. That somebody exports is recorded first.
func (s *Service) Export(ctx context.Context, c workspace.Caller, f audit.Filter, after int64) (*Export, error) {
	for _, needed := range []workspace.Capability{workspace.Export, workspace.ReadAudit} {
		if err := c.Require(needed); err != nil {
			return nil, err
		}
	}
	if err := f.Check(); err != nil {
		return nil, err
	}
	e := &Export{service: s, caller: c, filter: f, next: after + 1}
	latest, err := s.Log.LatestCheckpoint(ctx, c.Scope)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return nil, err
	}
	e.size = latest.Size
	return e, s.Recorder.RecordEvent(ctx, c.Scope, audit.Event{
		Actor: c.Actor(), Action: audit.AuditExported, Outcome: audit.Succeeded, TargetType: "audit_log", TargetID: c.Scope.Workspace.String(),
		Payload: describe(f, after, e.size),
	})
}

// Next returns the next events, none of which need pass the filter; nil is the
// end. Its cost does not depend on how long the log is.
func (e *Export) Next(ctx context.Context) ([]StoredEntry, error) {
	if e.next >= e.size {
		return nil, nil
	}
	page, err := e.service.Log.EntriesFrom(ctx, e.caller.Scope, e.next, int(min(exportPage, e.size-e.next)))
	if err != nil {
		return nil, err
	}
	if len(page) == 0 {
		return nil, fault.New(fault.Internal, "the log ends before its last checkpoint; see gatehouse audit verify")
	}
	e.next = page[len(page)-1].Number + 1
	passed := page[:0]
	for _, entry := range page {
		if entry.Record != nil && e.filter.Matches(*entry.Record) {
			passed = append(passed, entry)
		}
	}
	return passed, nil
}

// describe is what the record of an export tells of it.
func describe(f audit.Filter, after, size int64) map[string]any {
	told := map[string]any{"after_entry": after, "log_size": size}
	for name, value := range map[string]string{
		"action": string(f.Action), "outcome": string(f.Outcome), "target_type": f.TargetType, "target_id": f.TargetID, "actor_id": f.ActorID,
	} {
		if value != "" {
			told[name] = value
		}
	}
	for name, at := range map[string]time.Time{"since": f.Since, "until": f.Until} {
		if !at.IsZero() {
			told[name] = at.UTC().Format(time.RFC3339Nano)
		}
	}
	return told
}
