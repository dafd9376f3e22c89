package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// WrapConfig says how requests are guarded and observed.
type WrapConfig struct {
	// Log receives one line for each request. Required.
	Log *slog.Logger
	// Metrics counts requests. Nil counts none.
	Metrics *Metrics
	// MaxBodyBytes bounds any request body; 64 MiB when zero. Operations have
	// their own, lower limits.
	MaxBodyBytes int64
	// Limiter bounds how often requests may come; nil sets no bound.
	Limiter *Limiter
}

const defaultMaxBodyBytes = 64 << 20

// requestIDForm is what a request id from outside must look like to be kept.
var requestIDForm = regexp.MustCompile(`^[A-Za-z0-9._-]{8,64}$`)

// Wrap returns the handler of a listener: the mux, guarded and observed.
func Wrap(mux *http.ServeMux, c WrapConfig) http.Handler {
	if c.MaxBodyBytes == 0 {
		c.MaxBodyBytes = defaultMaxBodyBytes
	}
	routed := problemsOfMux(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := time.Now()
		id := r.Header.Get("X-Request-Id")
		if !requestIDForm.MatchString(id) {
			id = newRequestID()
		}
		r = r.WithContext(withAcceptance(withRequestID(r.Context(), id)))
		observed := &responseWriter{ResponseWriter: w}
		setSecurityHeaders(w.Header(), r.TLS != nil)
		w.Header().Set("X-Request-Id", id)
		r.Body = http.MaxBytesReader(observed, r.Body, c.MaxBodyBytes)
		defer func() {
			// The mux notes the pattern in the request that it was given.
			c.Metrics.observe(r, observed.code(), time.Since(begun))
			logRequest(r, c.Log, id, observed, time.Since(begun))
		}()
		defer answerPanic(observed, r, c.Log, id)
		if len(r.RequestURI) > maxURLBytes {
			writeProblem(observed, problem(r.Context(), http.StatusRequestURITooLong,
				fmt.Sprintf("path and query are longer than %d bytes; send less", maxURLBytes)))
			return
		}
		c.Limiter.serve(observed, r, routed)
	})
}

// logRequest writes what is safe to write: neither query nor header nor body.
func logRequest(r *http.Request, log *slog.Logger, id string, w *responseWriter, took time.Duration) {
	level := slog.LevelInfo
	if w.code() >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	log.LogAttrs(r.Context(), level, "request", slog.String("request_id", id), slog.String("method", r.Method),
		slog.String("route", r.Pattern), slog.String("path", r.URL.Path), slog.Int("status", w.code()),
		slog.Int64("bytes", w.written), slog.Duration("took", took))
}

// answerPanic turns a panic into a 500, unless the answer has begun already:
// then the connection is cut, so that the client cannot take it for whole.
func answerPanic(w *responseWriter, r *http.Request, log *slog.Logger, id string) {
	cause := recover()
	if cause == nil {
		return
	}
	if aborted, ok := cause.(error); ok && errors.Is(aborted, http.ErrAbortHandler) {
		panic(cause)
	}
	log.LogAttrs(r.Context(), slog.LevelError, "panic while answering", slog.String("request_id", id),
		slog.String("route", r.Pattern), slog.Any("panic", cause), slog.String("stack", string(debug.Stack())))
	if w.status != 0 {
		panic(http.ErrAbortHandler)
	}
	writeProblem(w, problem(r.Context(), http.StatusInternalServerError,
		"something went wrong inside Gatehouse; the log has the details under request id "+id))
}

// problemsOfMux answers what no route matches with problems instead of plain text.
func problemsOfMux(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		unmatched, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		probe := &headerProbe{header: http.Header{}}
		unmatched.ServeHTTP(probe, r)
		if probe.status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", probe.header.Get("Allow"))
			writeProblem(w, problem(r.Context(), probe.status, "this path does not take "+r.Method+"; it takes "+probe.header.Get("Allow")))
			return
		}
		writeProblem(w, problem(r.Context(), http.StatusNotFound, "there is nothing at this path; see /docs"))
	})
}

// WriteProblem answers with a problem where an operation makes its answer itself.
func WriteProblem(ctx context.Context, w http.ResponseWriter, status int, detail string) {
	writeProblem(w, problem(ctx, status, detail))
}

func writeProblem(w http.ResponseWriter, p *huma.ErrorModel) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	// The status is out; a client that went away gets no more.
	_ = json.NewEncoder(w).Encode(p)
}
