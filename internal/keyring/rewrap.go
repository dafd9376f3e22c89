package keyring

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// What one step of a rewrap takes: how many credentials are read and committed
// together, and how many calls of a key service are under way at once.
const (
	batch    = 500
	atOnce   = 16
	examples = 20
	// passes bounds how often everything is looked through, for the case that
	// someone goes on writing under another key.
	passes = 10
)

// Rewrapper moves all credentials of a data plane under one key.
type Rewrapper struct {
	Store  Store
	Cipher Cipher
	// Current is the key that Cipher wraps with.
	Current Key
	// By is who does it, for the audit record.
	By audit.Actor
}

// Progress is how far a rewrap is.
type Progress struct {
	// Moved counts credentials moved by this rewrap, All what it found to do
	// when it began.
	Moved, All int64
}

// Failure is a credential that could not be moved. It is as it was.
type Failure struct {
	Ref
	// Reason has no secret.
	Reason error
}

// Result is what a rewrap did.
type Result struct {
	// Moved counts credentials that are under the current key now and were not.
	Moved int64
	// Unreadable counts those that do not open, which stay as they are;
	// Examples are the first of them.
	Unreadable int64
	Examples   []Failure
	// Left counts credentials that are not under the current key after all:
	// those that do not open, and those that someone wrote under another key in
	// the meantime.
	Left int64
	// New says that nothing had been started with the key before. What runs cannot
	// open what was moved, until it is.
	New bool

	// changed counts those that the last pass found changed by someone else
	// when it came to store them.
	changed int64
}

// Run moves all credentials that are not under the current key. progress is
// called after each step. It may be ended at any moment, by ctx or by a kill,
// and run again: what is committed is moved, everything else is as it was. Two
// at once do no harm.
//
// A credential that someone changes meanwhile is left alone, and looked at
// again. The error is that of the database or of the key service; a credential
// that does not open is none and is counted.
func (r *Rewrapper) Run(ctx context.Context, progress func(Progress)) (Result, error) {
	var result Result
	all, err := r.left(ctx)
	if err != nil {
		return result, err
	}
	progress(Progress{All: all})
	for n := 1; ; n++ {
		before := result.Moved
		result.Unreadable, result.Examples, result.changed = 0, nil, 0
		if err := r.pass(ctx, &result, func() { progress(Progress{Moved: result.Moved, All: max(all, result.Moved)}) }); err != nil {
			return result, err
		}
		if result.Left, err = r.left(ctx); err != nil {
			return result, err
		}
		// What is left does not open, was changed before it could be stored, or was
		// written under another key behind the pass. Another one helps with the
		// latter two, unless there was nothing to do in this one.
		idle := result.Moved == before && result.changed == 0
		if result.Left <= result.Unreadable || idle || n == passes {
			result.changed = 0
			return result, nil
		}
	}
}

// left counts credentials that are not under the current key.
func (r *Rewrapper) left(ctx context.Context) (n int64, err error) {
	counts, err := r.Store.Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("count credentials: %w", err)
	}
	for key, count := range counts {
		if key != r.Current {
			n += count
		}
	}
	return n, nil
}

// pass goes once through all credentials.
func (r *Rewrapper) pass(ctx context.Context, result *Result, progress func()) error {
	var after Ref
	for {
		refs, err := r.Store.NotUnder(ctx, r.Current, after, batch)
		if err != nil {
			return fmt.Errorf("find credentials to rewrap: %w", err)
		}
		if len(refs) == 0 {
			return nil
		}
		for first := 0; first < len(refs); {
			end := first
			var connections []id.Connection
			for end < len(refs) && refs[end].Workspace == refs[first].Workspace {
				connections = append(connections, refs[end].Connection)
				end++
			}
			if err := r.move(ctx, refs[first].Workspace, connections, result); err != nil {
				return fmt.Errorf("rewrap credentials of %s: %w", refs[first].Workspace, err)
			}
			progress()
			first = end
		}
		after = refs[len(refs)-1]
	}
}

// move moves some credentials of one workspace in one transaction.
func (r *Rewrapper) move(ctx context.Context, w id.Workspace, connections []id.Connection, result *Result) error {
	found, err := r.Store.Read(ctx, w, connections, r.Current)
	if err != nil || len(found) == 0 {
		return err
	}
	rewrapped, failed, err := r.rewrap(ctx, found)
	if err != nil {
		return err
	}
	result.Unreadable += int64(len(failed))
	result.Examples = append(result.Examples, failed[:min(len(failed), examples-len(result.Examples))]...)
	if len(rewrapped) == 0 {
		return nil
	}
	moved, err := r.Store.Move(ctx, found[0].Scope, r.Current, rewrapped, audit.Event{
		Actor: r.By, Action: audit.CredentialsRewrapped, Outcome: audit.Succeeded, TargetType: "encryption_key", TargetID: r.Current.ID,
		Payload: map[string]any{"wrapper": r.Current.Wrapper},
	})
	if err != nil {
		return err
	}
	result.Moved += int64(moved)
	result.changed += int64(len(rewrapped) - moved)
	return nil
}

// rewrap has data keys wrapped anew, several at once because each waits for a
// key service. The first error that concerns all of them ends it.
func (r *Rewrapper) rewrap(ctx context.Context, found []Credential) (rewrapped []Rewrapped, failed []Failure, err error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	sealed, errs := make([]connection.Sealed, len(found)), make([]error, len(found))
	var next sync.Mutex
	position := 0
	take := func() int {
		next.Lock()
		defer next.Unlock()
		position++
		return position - 1
	}
	var group sync.WaitGroup
	for range min(atOnce, len(found)) {
		group.Go(func() {
			for i := take(); i < len(found) && ctx.Err() == nil; i = take() {
				sealed[i], errs[i] = r.Cipher.Rewrap(ctx, found[i])
				if errs[i] != nil && !errors.Is(errs[i], ErrUnreadable) {
					stop(errs[i])
				}
			}
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	for i, c := range found {
		if errs[i] != nil {
			failed = append(failed, Failure{Ref: Ref{Workspace: c.Scope.Workspace, Connection: c.Connection}, Reason: errs[i]})
			continue
		}
		rewrapped = append(rewrapped, Rewrapped{Connection: c.Connection, Was: c.Sealed.WrappedKey, Wrapped: sealed[i].WrappedKey})
	}
	return rewrapped, failed, nil
}
