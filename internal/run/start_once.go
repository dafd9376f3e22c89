package run

import (
	"context"
	"errors"
	"fmt"

	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/idempotency"
	"github.com/gatehouse-project/gatehouse/internal/operation"
)

// StartOperation names starts among the requests that may be sent again.
const StartOperation = "start-operation"

// ErrAnswered is the error of a start that the same request has asked for before.
var ErrAnswered = errors.New("the same request was answered before")

// startOnce is start, unless the same request was answered before.
func (g *Gate) startOnce(ctx context.Context, by starter, op operation.Operation, req StartRequest) (StartResult, error) {
	if by.once == nil {
		return g.start(ctx, by, op, req)
	}
	// Looked for again when it is stored. What was answered is not asked again: the
	// prerequisites may have gone since.
	if result, ok, err := g.AnsweredStart(ctx, by.scope, op, *by.once); ok || err != nil {
		return result, err
	}
	result, err := g.start(ctx, by, op, req)
	if errors.Is(err, ErrAnswered) {
		result, _, err = g.AnsweredStart(ctx, by.scope, op, *by.once)
	}
	return result, err
}

// AnsweredStart is the answer that a request got before, about that run as it is now;
// ok is false when there was none.
func (g *Gate) AnsweredStart(ctx context.Context, scope id.Scope, op operation.Operation, once idempotency.Request) (result StartResult, ok bool, err error) {
	was, ok, err := g.Store.Answered(ctx, scope, once)
	if err != nil || !ok {
		return StartResult{}, false, err
	}
	var conn *connection.Connection
	if was.Run.Connection != 0 {
		found, err := g.Connections.Get(ctx, scope, was.Run.Connection)
		switch {
		case err == nil:
			conn = &found
		case fault.KindOf(err) != fault.NotFound:
			return StartResult{}, false, err
		}
	}
	var b blocker
	if was.Status == StartBlocked {
		b.why, b.detail = was.Run.Reason, recordedDetail(was.Run.Context)
	}
	result = newStartResult(was.Status, op, conn, was.Run, b)
	result.Replayed = true
	if was.Status == Accepted && was.Run.Status != Queued {
		result.Message = fmt.Sprintf("%s %s: accepted before as %s, which is %s now.", result.Verb, result.Object, was.Run.ID, was.Run.Status)
	}
	return result, true, nil
}
