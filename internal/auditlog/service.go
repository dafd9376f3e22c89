package auditlog

import (
	"context"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Service is what callers may ask of their workspace's audit record.
type Service struct {
	Events   audit.Reader
	Log      Reader
	Recorder audit.Recorder
	// PublicKey is what checkpoints can be checked with.
	PublicKey string
}

// List returns events, the newest first; before 0 begins with the newest.
func (s *Service) List(ctx context.Context, c workspace.Caller, f audit.Filter, before id.AuditEvent, limit int) ([]audit.Record, error) {
	if err := c.Require(workspace.ReadAudit); err != nil {
		return nil, err
	}
	if err := f.Check(); err != nil {
		return nil, err
	}
	return s.Events.ListEvents(ctx, c.Scope, f, before, limit)
}

// Count counts the events that the filter lets pass, up to [audit.CountLimit].
func (s *Service) Count(ctx context.Context, c workspace.Caller, f audit.Filter) (int, error) {
	if err := c.Require(workspace.ReadAudit); err != nil {
		return 0, err
	}
	if err := f.Check(); err != nil {
		return 0, err
	}
	return s.Events.CountEvents(ctx, c.Scope, f, audit.CountLimit)
}

// Latest returns the log's last checkpoint, or NotFound.
func (s *Service) Latest(ctx context.Context, c workspace.Caller) (StoredCheckpoint, error) {
	if err := c.Require(workspace.ReadAudit); err != nil {
		return StoredCheckpoint{}, err
	}
	return s.Log.LatestCheckpoint(ctx, c.Scope)
}

// Checkpoints returns checkpoints in order of their numbers.
func (s *Service) Checkpoints(ctx context.Context, c workspace.Caller, after int64, limit int) ([]StoredCheckpoint, error) {
	if err := c.Require(workspace.ReadAudit); err != nil {
		return nil, err
	}
	return s.Log.CheckpointsAfter(ctx, c.Scope, after, limit)
}

// Entries returns the log's entries in order, each with its event.
func (s *Service) Entries(ctx context.Context, c workspace.Caller, from int64, limit int) ([]StoredEntry, error) {
	if err := c.Require(workspace.ReadAudit); err != nil {
		return nil, err
	}
	return s.Log.EntriesFrom(ctx, c.Scope, from, limit)
}
