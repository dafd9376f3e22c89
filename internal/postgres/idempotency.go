package postgres

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/idempotency"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
)

// Made returns the connection that an earlier request with the same key has made.
func (s *Connections) Made(ctx context.Context, scope id.Scope, once idempotency.Request) (made id.Connection, ok bool, err error) {
	text, ok, err := findRequest(ctx, s.db.read(scope.Workspace), scope.Workspace, once)
	if err != nil || !ok {
		return 0, false, err
	}
	return made, true, made.UnmarshalText([]byte(text))
}

// claimRequest notes that a request makes something, named by its public id, in
// the transaction that makes it. found says that an earlier request, the same
// one, made what is returned. One that is under way is waited for.
func claimRequest(ctx context.Context, tx pgx.Tx, w id.Workspace, once idempotency.Request, makes string) (made string, found bool, err error) {
	q := dbsqlc.New(tx)
	if err := q.ForgetRequests(ctx, dbsqlc.ForgetRequestsParams{WorkspaceID: int64(w), Lifetime: idempotency.Lifetime}); err != nil {
		return "", false, fmt.Errorf("forget old requests: %w", err)
	}
	inserted, err := q.InsertRequest(ctx, dbsqlc.InsertRequestParams{
		WorkspaceID: int64(w), MemberID: int64(once.Member), Operation: once.Operation, KeyHash: once.Key[:], RequestHash: once.Content[:], Made: makes,
	})
	if err != nil {
		return "", false, fmt.Errorf("note a request: %w", err)
	}
	if inserted == 1 {
		return "", false, nil
	}
	made, found, err = findRequest(ctx, q, w, once)
	if err == nil && !found {
		err = errors.New("a request that stood in the way is gone")
	}
	return made, found, err
}

func findRequest(ctx context.Context, q *dbsqlc.Queries, w id.Workspace, once idempotency.Request) (made string, found bool, err error) {
	row, err := q.FindRequest(ctx, dbsqlc.FindRequestParams{
		WorkspaceID: int64(w), MemberID: int64(once.Member), Operation: once.Operation, KeyHash: once.Key[:], Lifetime: idempotency.Lifetime,
	})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return "", false, nil
	case err != nil:
		return "", false, fmt.Errorf("find an earlier request: %w", err)
	case subtle.ConstantTimeCompare(row.RequestHash, once.Content[:]) != 1:
		return "", false, idempotency.Reused()
	}
	return row.Made, true, nil
}
