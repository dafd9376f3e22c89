package graph

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/id"
)

// HistoryStore removes versions that ended long ago.
type HistoryStore interface {
	// WithHistory returns the workspaces with publications that are older than
	// the given time.
	WithHistory(ctx context.Context, olderThan time.Duration) ([]id.Scope, error)
	// ForgetHistory removes versions of a workspace that no moment shows which is
	// younger, at most that many, with their audit event. When it has removed
	// any, the workspace's history begins there: a question about an earlier
	// moment is Invalid from the same transaction on.
	ForgetHistory(ctx context.Context, scope id.Scope, olderThan time.Duration, most int) (removed int64, err error)
}

// History removes versions that ended long ago. What is in the graph now stays,
// however old it is, and so do the publications.
type History struct {
	Store HistoryStore
	// Keep is how far back questions can go; zero for ever. Nothing of the last
	// day is removed, whatever it says.
	Keep time.Duration
}

const (
	// forgetVersions bounds one transaction, forgetSteps how many of a workspace
	// there are in one round; the next round goes on.
	forgetVersions = 10_000
	forgetSteps    = 200
)

// Round removes what is old by now, a bounded number at a time. A workspace in
// which that fails does not keep it from the others.
func (h *History) Round(ctx context.Context) error {
	if h.Keep <= 0 {
		return nil
	}
	scopes, err := h.Store.WithHistory(ctx, h.Keep)
	if err != nil {
		return err
	}
	var failures error
	for _, scope := range scopes {
		if err := h.forget(ctx, scope); err != nil {
			failures = errors.Join(failures, fmt.Errorf("forget history of %s: %w", scope.Workspace, err))
		}
	}
	return failures
}

func (h *History) forget(ctx context.Context, scope id.Scope) error {
	for range forgetSteps {
		removed, err := h.Store.ForgetHistory(ctx, scope, h.Keep, forgetVersions)
		if err != nil || removed < forgetVersions {
			return err
		}
	}
	return nil
}
