package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/id"
)

// RetentionStore removes what is kept of runs that ended long ago.
type RetentionStore interface {
	// WithOldRuns returns the workspaces that have runs which ended longer ago than
	// the given time.
	WithOldRuns(ctx context.Context, olderThan time.Duration) ([]id.Scope, error)
	// ForgetRuns removes such runs of a workspace, at most that many, with their
	// audit event: removed ones are gone, thinned ones have lost the details of
	// what they read, because the graph refers to them. The newest run of each
	// operation on a connection stays as it is.
	ForgetRuns(ctx context.Context, scope id.Scope, olderThan time.Duration, most int) (Forgotten, error)
	// DropAbandonedStaging drops what was staged for runs that are no longer
	// under way, at most for that many.
	DropAbandonedStaging(ctx context.Context, most int) (dropped int, err error)
}

// Forgotten counts runs by what became of them.
type Forgotten struct {
	Removed, Thinned int
}

// Retention removes runs that ended long ago. Audit events stay.
type Retention struct {
	Store RetentionStore
	// Keep is how long runs are kept once they have ended; zero for ever. Nothing
	// of the last day is removed, whatever it says.
	Keep time.Duration
}

const (
	// forgetMost bounds one transaction, and forgetRounds how many of a workspace
	// there are in one round; the next round goes on.
	forgetMost   = 200
	forgetRounds = 50
)

// Round removes what is old by now, a bounded number at a time. A workspace in
// which that fails does not keep it from the others.
func (k *Retention) Round(ctx context.Context) error {
	if _, err := k.Store.DropAbandonedStaging(ctx, forgetMost); err != nil {
		return err
	}
	if k.Keep <= 0 {
		return nil
	}
	scopes, err := k.Store.WithOldRuns(ctx, k.Keep)
	if err != nil {
		return err
	}
	var failures error
	for _, scope := range scopes {
		if err := k.forget(ctx, scope); err != nil {
			failures = errors.Join(failures, fmt.Errorf("forget runs of %s: %w", scope.Workspace, err))
		}
	}
	return failures
}

func (k *Retention) forget(ctx context.Context, scope id.Scope) error {
	for range forgetRounds {
		f, err := k.Store.ForgetRuns(ctx, scope, k.Keep, forgetMost)
		if err != nil || f.Removed+f.Thinned < forgetMost {
			return err
		}
	}
	return nil
}
