package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/nearest"
)

// statusClientGone is nginx's status for a client that went away; nobody sees
// it but the log.
const statusClientGone = 499

// statusOf is the one table of which kind of error has which HTTP status.
func statusOf(k fault.Kind, conditional bool) int {
	switch k {
	case fault.Invalid:
		return http.StatusUnprocessableEntity
	case fault.Unauthenticated:
		return http.StatusUnauthorized
	case fault.Forbidden:
		return http.StatusForbidden
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Conflict:
		return http.StatusConflict
	case fault.Stale:
		if conditional {
			return http.StatusPreconditionFailed
		}
		return http.StatusConflict
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// Problem returns the RFC 9457 answer for a domain error. Internal errors are
// logged with their cause and answered with nothing but the request's id; a
// refusal of a member is recorded as an audit event. An error that is an answer
// already stays as it is.
func Problem(ctx context.Context, err error) huma.StatusError {
	var ready huma.StatusError
	if errors.As(err, &ready) {
		return ready
	}
	c := callFrom(ctx)
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return problem(ctx, statusClientGone, "the request was abandoned")
	}
	f, known := fault.As(err)
	if !known || f.Kind == fault.Internal {
		c.log.LogAttrs(ctx, slog.LevelError, "request failed", slog.String("operation", c.operation),
			slog.String("request_id", RequestID(ctx)), slog.Any("error", err))
		return problem(ctx, http.StatusInternalServerError,
			"something went wrong inside Gatehouse; the log has the details under request id "+RequestID(ctx))
	}
	if f.Kind == fault.Unavailable {
		c.log.LogAttrs(ctx, slog.LevelWarn, "request failed for now", slog.String("operation", c.operation),
			slog.String("request_id", RequestID(ctx)), slog.Any("error", err))
	}
	switch f.Kind {
	case fault.Forbidden:
		c.denials.record(ctx, c, c.caller, f.Message)
	case fault.Unauthenticated:
		who, why := endedCaller(err)
		c.denials.record(ctx, c, who, why)
	}
	detail := f.Message
	if f.Kind == fault.NotFound && c.misnamed != "" {
		detail = "there is no " + c.misnamed
	}
	p := problem(ctx, statusOf(f.Kind, c.conditional), detail)
	for _, field := range f.Fields {
		detail := &huma.ErrorDetail{Location: location(field.Path), Message: field.Message}
		if field.Pointer != "" {
			// The transformer takes it out again.
			detail.Value = jsonPointer(field.Pointer)
		}
		p.Errors = append(p.Errors, detail)
	}
	return p
}

func problem(ctx context.Context, status int, detail string) *huma.ErrorModel {
	p := &huma.ErrorModel{Status: status, Title: http.StatusText(status), Detail: detail}
	if id := RequestID(ctx); id != "" {
		p.Instance = "urn:gatehouse:request:" + id
	}
	return p
}

// location says where in the request a field is. Domain code names fields of
// the body; operations name parameters as query.<name>.
func location(path string) string {
	for _, place := range []string{"body", "query", "path", "header"} {
		if path == place || strings.HasPrefix(path, place+".") {
			return path
		}
	}
	return "body." + path
}

// redactProblem takes out of huma's own problems whatever came from the request:
// the refused values, and the decoder's words about a body it could not read.
func redactProblem(ctx huma.Context, _ string, v any) (any, error) {
	p, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	if r := callFrom(ctx.Context()).refusal; r != nil {
		explainRefusal(p, r)
	}
	for _, detail := range p.Errors {
		suggest(detail)
		if detail.Location == "body" && detail.Value != nil {
			if _, whole := detail.Value.(string); whole {
				detail.Message = aboutBody(ctx.Operation(), p.Status)
			}
		}
	}
	if p.Instance == "" {
		if id := RequestID(ctx.Context()); id != "" {
			p.Instance = "urn:gatehouse:request:" + id
		}
	}
	return shownProblem(p), nil
}

// suggest adds to a refusal of a value that is none of a list the one that was
// probably meant, so that nobody has to compare them letter by letter.
func suggest(d *huma.ErrorDetail) {
	given, text := d.Value.(string)
	list, enumerated := strings.CutPrefix(d.Message, `expected value to be one of "`)
	if !text || !enumerated {
		return
	}
	if near := nearest.Name(given, strings.Split(strings.TrimSuffix(list, `"`), ", ")); near != "" {
		d.Message += fmt.Sprintf("; did you mean %q?", near)
	}
}

// aboutBody says what is wrong with a body that was not even decoded.
func aboutBody(op *huma.Operation, status int) string {
	if status == http.StatusUnsupportedMediaType && op != nil && op.RequestBody != nil {
		types := slices.Sorted(maps.Keys(op.RequestBody.Content))
		return "must come with the header Content-Type: " + strings.Join(types, " or ")
	}
	return "must be valid JSON of the documented form"
}
