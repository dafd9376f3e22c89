package api

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// bodyRefusal is why a body was not read to its end, as the answer says it.
type bodyRefusal struct {
	status int
	detail string
}

// guardBody watches the body of operations that decode one: it ends the reading
// where the nesting gets too deep, and has a body that breaks off answered as the
// client's mistake. huma would call every failure to read one its own.
func guardBody(ctx huma.Context, next func(huma.Context)) {
	if op := ctx.Operation(); op == nil || op.RequestBody == nil {
		next(ctx)
		return
	}
	next(&guardedContext{requestContext: ctx, call: callFrom(ctx.Context())})
}

// requestContext is huma's, by a name that its method Context does not have.
type requestContext = huma.Context

// guardedContext is a request whose body is watched.
type guardedContext struct {
	requestContext
	call *call
}

// Unwrap gives the adapter its own context.
func (c *guardedContext) Unwrap() huma.Context { return c.requestContext }

// BodyReader returns the watched body.
func (c *guardedContext) BodyReader() io.Reader {
	return &guardedBody{source: c.requestContext.BodyReader(), call: c.call}
}

// SetStatus answers with the refusal's status when there is one.
func (c *guardedContext) SetStatus(status int) {
	if r := c.call.refusal; r != nil && status >= http.StatusBadRequest {
		status = r.status
	}
	c.requestContext.SetStatus(status)
}

// guardedBody passes a body on while it may be.
type guardedBody struct {
	source io.Reader
	call   *call
	meter  depthMeter
}

var errTooDeep = errors.New("the body is nested too deeply")

// Read passes on what the source has, and notes why the body is refused.
func (b *guardedBody) Read(p []byte) (int, error) {
	n, err := b.source.Read(p)
	if !b.meter.passes(p[:n]) {
		b.refuse(http.StatusBadRequest, fmt.Sprintf("is nested more than %d levels deep; send objects and arrays less deep", maxDepth))
		return 0, errTooDeep
	}
	var large *http.MaxBytesError
	var network net.Error
	switch {
	case err == nil, errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
	case errors.As(err, &large):
		b.refuse(http.StatusRequestEntityTooLarge, fmt.Sprintf("is larger than %d bytes, the most that is taken; send less at a time", large.Limit))
	case errors.As(err, &network) && network.Timeout():
		b.refuse(http.StatusRequestTimeout, "did not arrive in time; send it again")
	default:
		b.refuse(http.StatusBadRequest, "broke off before its end; send it again, whole")
	}
	return n, err
}

func (b *guardedBody) refuse(status int, detail string) {
	if b.call.refusal == nil {
		b.call.refusal = &bodyRefusal{status: status, detail: detail}
	}
}

// Close closes the body.
func (b *guardedBody) Close() error {
	if closer, ok := b.source.(io.Closer); ok {
		return closer.Close()
	}
	return nil
}

// explainRefusal puts why the body was refused into huma's problem.
func explainRefusal(p *huma.ErrorModel, r *bodyRefusal) {
	p.Status, p.Title, p.Detail = r.status, http.StatusText(r.status), "the body "+r.detail
	p.Errors = []*huma.ErrorDetail{{Location: "body", Message: r.detail}}
}
