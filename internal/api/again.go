package api

import (
	"context"

	"github.com/gatehouse-project/gatehouse/internal/idempotency"
)

// Again is the header of an operation whose request may be sent again. Embed it in
// the operation's input.
type Again struct {
	IdempotencyKey string `header:"Idempotency-Key" doc:"16 to 255 visible ASCII characters, best a random UUID. For 24 hours the same request with the same key is answered about what the first one was answered with, and does nothing more; another request with it is refused."`
}

// Request describes the caller's request to an operation; nil without a key.
// Content is everything that it asks for. A malformed key is Invalid.
func (a Again) Request(ctx context.Context, operation string, content any) (*idempotency.Request, error) {
	if a.IdempotencyKey == "" {
		return nil, nil
	}
	return idempotency.NewRequest(CallerFrom(ctx).Member, operation, a.IdempotencyKey, content)
}

// Replayed is the header of the answer to a request that may be sent again. Embed
// it in the operation's output.
type Replayed struct {
	Replayed string `header:"Idempotency-Replayed" doc:"true when an earlier request, the same as this one, was answered so."`
}

// Replay says whether the answer is that to an earlier request.
func Replay(earlier bool) Replayed {
	if earlier {
		return Replayed{Replayed: "true"}
	}
	return Replayed{}
}
