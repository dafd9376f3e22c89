package worker

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

// report tells the platform how the work ended, if it may still be told, and
// returns the outcome for the metrics.
func (e *execution) report(check *connector.CheckResult, err error) (outcome string) {
	var failure *connector.Error
	isResult := err == nil || errors.As(err, &failure)
	stopped := context.Cause(e.work)
	switch {
	case e.hold.Err() != nil:
		return e.lost(context.Cause(e.hold))
	case errors.Is(stopped, errCancelled):
		return e.finish("cancelled", workerapi.Finish{Cancelled: true})
	case err == nil:
		if last := e.progress.now(); last != (run.Progress{}) {
			// Whether this is taken shows when the run is finished.
			_, _ = e.call.heartbeat(e.hold, last)
		}
		return e.finish("finished", workerapi.Finish{Check: check, PlanComplete: e.planComplete})
	case errors.Is(stopped, errDraining):
		if err := e.call.handBack(e.hold); err != nil {
			return e.lost(err)
		}
		return "handed_back"
	case stopped != nil:
		// The platform ends a run at its deadline by itself.
		return e.lost(stopped)
	case errors.Is(err, errStale):
		return e.refused(err)
	case !isResult:
		return e.lost(err)
	}
	e.log.WarnContext(e.hold, "the run failed", slog.String("category", string(failure.Category)),
		slog.String("message", failure.Message), slog.Any("cause", failure.Cause))
	return e.finish("failed", workerapi.Finish{Error: workerapi.NewFailure(e.safe(failure)), NoCredential: errors.Is(failure, errNoCredential)})
}

// refused finds out why the platform did not take a call of this run any more.
// No batch is taken once a run is cancelled, which only a heartbeat explains.
func (e *execution) refused(err error) (outcome string) {
	if cancel, beat := e.call.heartbeat(e.hold, e.progress.now()); beat == nil && cancel {
		return e.finish("cancelled", workerapi.Finish{Cancelled: true})
	}
	return e.lost(err)
}

// lost leaves the run to the end of its lease.
func (e *execution) lost(err error) (outcome string) {
	e.log.WarnContext(context.WithoutCancel(e.hold), "the run is left to the platform", slog.Any("error", err))
	switch {
	case errors.Is(err, errDeadline):
		return "deadline_exceeded"
	case errors.Is(err, errStale):
		return "stale"
	case errors.Is(err, errNotItsTarget):
		return "failed"
	}
	return "lost"
}

func (e *execution) finish(outcome string, f workerapi.Finish) string {
	err := e.call.finish(e.hold, f)
	var refused *callError
	if f.Check != nil && errors.As(err, &refused) && !refused.notOurs() && !refused.temporary() {
		e.log.ErrorContext(e.hold, "the result of the check was refused", slog.Any("error", err))
		outcome, err = "failed", e.call.finish(e.hold, workerapi.Finish{Error: &workerapi.Failure{
			Category: connector.ContractViolation, Message: "the platform refused the result of the connector's check",
		}})
	}
	if err != nil {
		// After an answer that was lost this is how a finished run looks, too.
		return e.lost(err)
	}
	return outcome
}

// maxDetailBytes bounds the parts of a failure beside its message.
const maxDetailBytes = 1024

// safe returns a failure that may leave the worker: without a cause, without
// secrets, of a category that the platform knows, and valid as UTF-8.
func (e *execution) safe(failure *connector.Error) *connector.Error {
	s := &connector.Error{Category: connector.Internal, RetryAfter: failure.RetryAfter}
	for _, known := range connector.Categories() {
		if failure.Category == known {
			s.Category = known
		}
	}
	s.Message = run.Sanitise(e.redact.text(failure.Message))
	s.Permission, s.On = e.safeDetail(failure.Permission), e.safeDetail(failure.On)
	return s
}

func (e *execution) safeDetail(s string) string {
	s = strings.ToValidUTF8(e.redact.text(s), "�")
	if len(s) > maxDetailBytes {
		s = strings.ToValidUTF8(s[:maxDetailBytes], "")
	}
	return s
}

// safeCheck takes secrets out of everything that a check says in the connector's
// words. Names and ids are not sanitised further, which might mutilate them.
func (e *execution) safeCheck(found connector.CheckResult) *connector.CheckResult {
	for i := range found.Remediation {
		r := &found.Remediation[i]
		r.Message, r.Action = run.Sanitise(e.redact.text(r.Message)), run.Sanitise(e.redact.text(r.Action))
	}
	for i := range found.Streams {
		for j, permission := range found.Streams[i].Missing {
			found.Streams[i].Missing[j] = e.safeDetail(permission)
		}
	}
	for i, permission := range found.Granted {
		found.Granted[i] = e.safeDetail(permission)
	}
	found.Target, found.ActsAs = e.safeTarget(found.Target), e.safeDetail(found.ActsAs)
	return &found
}

func (e *execution) safeTarget(t connector.Target) connector.Target {
	return connector.Target{ID: e.safeDetail(t.ID), Name: e.safeDetail(t.Name), Type: e.safeDetail(t.Type)}
}
