package onboarding

import (
	"context"
	"errors"
	"fmt"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// Keeper advances sessions whose operations start one after the other, and ends
// those that nobody takes up again. Any number may work side by side.
type Keeper struct {
	Store Store
	Gate  Gate
}

// keepMost bounds how much one round looks at.
const keepMost = 200

// RunEnded advances the sessions that wait for a run to end.
func (k *Keeper) RunEnded(ctx context.Context, r run.Ref) error {
	refs, err := k.Store.Following(ctx, r)
	if err != nil {
		return fmt.Errorf("find the onboarding that follows %s: %w", r.Run, err)
	}
	return k.each(refs, func(ref Ref) error {
		_, err := k.Advance(ctx, ref, keeper())
		return err
	})
}

// Round advances the sessions that were left behind, as by a process that died,
// and abandons those that nobody has touched for [Lifetime].
func (k *Keeper) Round(ctx context.Context) error {
	advance, expire, err := k.Store.Overdue(ctx, keepMost)
	if err != nil {
		return fmt.Errorf("find onboarding to go on with: %w", err)
	}
	return errors.Join(
		k.each(advance, func(ref Ref) error {
			_, err := k.Advance(ctx, ref, keeper())
			return err
		}),
		k.each(expire, func(ref Ref) error { return k.expire(ctx, ref) }),
	)
}

// each does not let a session that fails keep it from the others.
func (k *Keeper) each(refs []Ref, do func(Ref) error) (failures error) {
	for _, ref := range refs {
		if err := do(ref); err != nil {
			failures = errors.Join(failures, fmt.Errorf("%s: %w", ref.Session, err))
		}
	}
	return failures
}

func (k *Keeper) expire(ctx context.Context, ref Ref) error {
	_, err := k.Store.Change(ctx, ref, Terms{}, func(s *Session) ([]audit.Event, error) {
		if _, waits := s.ExpiresAt(); !waits {
			return nil, nil
		}
		return s.Abandon(keeper())
	})
	return err
}

// Advance starts what is to be started now, and returns the gate's answer to the
// last start; nil when nothing was to be started, or somebody else has.
func (k *Keeper) Advance(ctx context.Context, ref Ref, actor audit.Actor) (answer *run.StartResult, err error) {
	// Each turn ends an operation or starts one, if it is not the last.
	for range 3 * MaxOperations {
		s, err := k.Store.Change(ctx, ref, Terms{}, func(s *Session) ([]audit.Event, error) { return s.Settle(), nil })
		if err != nil {
			return answer, err
		}
		next, ok := s.Next()
		if !ok {
			return answer, nil
		}
		result, err := k.start(ctx, s, next, actor)
		switch {
		case errors.Is(err, run.ErrNotNext):
			return answer, nil
		case fault.KindOf(err) == fault.NotFound:
			// The connection was deleted.
			_, err = k.Store.Change(ctx, ref, Terms{}, func(s *Session) ([]audit.Event, error) {
				return s.NoteRefused(next.Position, operation.ConnectionMissing), nil
			})
			return answer, err
		case err != nil:
			return answer, fmt.Errorf("start %s: %w", next.Type, err)
		}
		answer = &result
	}
	return answer, nil
}

func (k *Keeper) start(ctx context.Context, s Session, next Operation, actor audit.Actor) (run.StartResult, error) {
	return k.Gate.StartOnboarding(ctx, run.OnboardingStart{
		Scope: s.Scope, Operation: next.Type, Connection: s.Connection, Member: s.Taken[BootstrapStep].By, Actor: actor, Surface: s.Surface,
		Entry: run.OnboardingEntry{Session: s.ID, Position: next.Position},
	})
}
