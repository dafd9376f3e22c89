package run

import (
	"context"
	"errors"
	"fmt"
)

// Keeper does what no caller asks for: it ends runs that nobody else will end
// and starts those whose time has come. Any number may work side by side.
type Keeper struct {
	Store SweepStore
	Gate  *Gate
	// Swept is told how many runs a sweep has ended; nil for nobody.
	Swept func(n int)
	// Publish has a run that was left unpublished published.
	Publish func(ctx context.Context, r Ref) error
}

// keepMost bounds how much one round looks at.
const keepMost = 200

// Sweep ends overdue runs and takes up those left unpublished.
func (k *Keeper) Sweep(ctx context.Context) error {
	swept, publishable, failures := k.Store.Sweep(ctx, keepMost)
	if k.Swept != nil {
		k.Swept(swept)
	}
	for _, r := range publishable {
		if err := k.Publish(ctx, r); err != nil {
			failures = errors.Join(failures, fmt.Errorf("publish %s: %w", r.Run, err))
		}
	}
	return failures
}
