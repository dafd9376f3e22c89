package fault

import (
	"context"
	"time"
)

type arrivalKey struct{}

// withArrival notes when a request came.
func withArrival(ctx context.Context, at time.Time) context.Context {
	return context.WithValue(ctx, arrivalKey{}, at)
}

func arrivalOf(ctx context.Context) time.Time {
	at, ok := ctx.Value(arrivalKey{}).(time.Time)
	if !ok {
		return time.Time{} // before everything: nothing is held against it
	}
	return at
}
