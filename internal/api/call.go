package api

import (
	"context"
	"crypto/rand"
	"log/slog"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// call is what is known of the request being answered.
type call struct {
	operation   string
	conditional bool // the request carried If-Match
	// misnamed is what the path names by something that is no id, such as
	// run "abc"; empty when all its ids are ids.
	misnamed string
	// refusal is why the body was not read to its end; nil when it was.
	refusal *bodyRefusal
	caller  workspace.Caller
	// again authenticates the request once more; nil where there was nothing to
	// authenticate.
	again   func(context.Context) (workspace.Caller, error)
	denials *Denials
	log     *slog.Logger
}

type (
	callKey      struct{}
	requestIDKey struct{}
)

// begin notes the operation, so that errors know what they are about.
func begin(c Config) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		next(huma.WithValue(ctx, callKey{}, &call{
			operation:   ctx.Operation().OperationID,
			conditional: ctx.Header("If-Match") != "",
			denials:     c.Denials,
			log:         c.Log,
		}))
	}
}

// callFrom returns the call in ctx. Outside a request it is an empty one.
func callFrom(ctx context.Context) *call {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c
	}
	return &call{log: slog.Default()}
}

// CallerFrom returns whoever the request acts for. In an operation that takes
// no API key it is the zero Caller, which has no capability.
func CallerFrom(ctx context.Context) workspace.Caller { return callFrom(ctx).caller }

// LoggerFrom returns the log for what happens after an answer has begun.
func LoggerFrom(ctx context.Context) *slog.Logger { return callFrom(ctx).log }

// RequestID returns the id of the request that ctx belongs to, or "".
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

func newRequestID() string { return rand.Text() }
