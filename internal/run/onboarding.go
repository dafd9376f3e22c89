package run

import (
	"context"
	"errors"
	"fmt"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/idempotency"
	"github.com/gatehouse-project/gatehouse/internal/operation"
)

// OnboardingStart asks for a start on behalf of an onboarding session.
type OnboardingStart struct {
	Scope      id.Scope
	Operation  operation.Type
	Connection id.Connection
	// Member is who asked for it, and is told how it ends.
	Member id.Member
	// Actor is who starts it now: the member, or the session's keeper.
	Actor audit.Actor
	// Surface says where the request came from, for the run's context.
	Surface string
	Entry   OnboardingEntry
	// Once is set when the caller may send the same request again.
	Once *idempotency.Request
}

// OnboardingEntry is the place of a start in an onboarding session. The session
// notes the answer in the transaction of the decision, so that no start is lost
// and none comes twice.
type OnboardingEntry struct {
	Session id.Onboarding
	// Position is that of the operation in the bootstrap, from 1; 0 is the
	// verification of the connection.
	Position int
}

// ErrNotNext is the error of a start that its onboarding session does not want:
// somebody else has made it, or the session has gone another way.
var ErrNotNext = errors.New("the onboarding session does not start this operation now")

// StartOnboarding asks the gate on behalf of an onboarding session, whose use
// case has asked whether the member may. [ErrNotNext] means that nothing was
// started or recorded. A run that is under way already is not asked to be
// followed by another: the session starts its own when it has ended.
func (g *Gate) StartOnboarding(ctx context.Context, s OnboardingStart) (StartResult, error) {
	op, err := operation.Get(s.Operation)
	if err != nil {
		return StartResult{}, err
	}
	by := starter{scope: s.Scope, initiator: ByUser, member: s.Member, actor: s.Actor, entry: &s.Entry, once: s.Once}
	result, err := g.startOnce(ctx, by, op, StartRequest{Operation: s.Operation, Connection: s.Connection, Surface: s.Surface})
	if err == nil && !result.Replayed && result.waits() {
		result.Message = fmt.Sprintf("%s %s: starts by itself when %s (%s) has ended.", result.Verb, result.Object, result.Run.ID, result.Run.Operation)
		result.NextSteps = []operation.NextStep{{Label: "Wait for it to end", Href: runHref(result.Run), ActionType: operation.ActWait}}
	}
	return result, err
}

// waits reports whether an onboarding session has to wait for the run that the
// answer names. One that has not begun yet does what the session's own would.
func (r StartResult) waits() bool {
	return r.Status == ScopeBusy || r.Status == Deduped && r.Run.Status != Queued
}
