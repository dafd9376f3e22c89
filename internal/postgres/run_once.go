package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/idempotency"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// Answered returns how the same request was answered before.
func (s *Runs) Answered(ctx context.Context, scope id.Scope, once idempotency.Request) (was run.Admitted, ok bool, err error) {
	text, ok, err := findRequest(ctx, s.db.read(scope.Workspace), scope.Workspace, once)
	if err != nil || !ok {
		return run.Admitted{}, false, err
	}
	status, about, _ := strings.Cut(text, " ")
	var r id.Run
	if err := r.UnmarshalText([]byte(about)); err != nil {
		return run.Admitted{}, false, fmt.Errorf("read an earlier answer: %w", err)
	}
	was.Status = run.StartStatus(status)
	was.Run, err = s.Get(ctx, scope, r)
	if fault.KindOf(err) == fault.NotFound {
		err = fault.New(fault.Conflict, "the same request was answered with %s before, which is no longer kept; send a new %s to start another", r, idempotency.Header)
	}
	return was, err == nil, err
}

// noteAnswer notes how a request was answered, in the transaction of the answer,
// which comes to nothing if the same request was answered at the same time.
func noteAnswer(ctx context.Context, tx pgx.Tx, a run.Admission, status run.StartStatus, r id.Run) error {
	if a.Once == nil {
		return nil
	}
	_, found, err := claimRequest(ctx, tx, a.Scope.Workspace, *a.Once, fmt.Sprintf("%s %s", status, r))
	if err == nil && found {
		err = run.ErrAnswered
	}
	return err
}
