package client_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/client"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// read reads one connection of a stream and returns what it told.
func read(t *testing.T, s *client.RunStream) (statuses []string, err error) {
	t.Helper()
	err = s.Read(t.Context(), func(a client.Answer[client.Run]) { statuses = append(statuses, a.Value.Status) })
	return statuses, err
}

func TestAStreamIsTakenApart(t *testing.T) {
	t.Parallel()
	var asked []string
	c := setup(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path+" "+r.Header.Get("Last-Event-ID"))
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, ":\n\nretry: 5\n\nid: 1\r\nevent: run\r\ndata: {\"status\":\r\ndata: \"queued\"}\r\n\r\nunknown: x\nid: 2\ndata:{\"status\":\"running\"}\n\n")
		// An event that was cut off is none.
		_, _ = io.WriteString(w, "id: 3\ndata: {\"status\":\"completed\"}\n")
	})
	s := c.FollowRun("run_1")
	for range 2 {
		statuses, err := read(t, s)
		require.NoError(t, err)
		require.Equal(t, []string{"queued", "running"}, statuses)
	}
	require.Equal(t, []string{"/v1/runs/run_1/events ", "/v1/runs/run_1/events 2"}, asked)
}

func TestWhatDoesNotStreamIsTold(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"another version": func(w http.ResponseWriter, _ *http.Request) { write(w, http.StatusNotFound, `{}`) },
		"a proxy's page":  func(w http.ResponseWriter, _ *http.Request) { write(w, http.StatusOK, `<html>`) },
		"too many":        func(w http.ResponseWriter, _ *http.Request) { write(w, http.StatusTooManyRequests, `{}`) },
		"a redirect":      func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) },
	} {
		_, err := read(t, setup(t, answer).FollowRun("run_1"))
		require.ErrorIs(t, err, client.ErrNoStream, name)
	}
	_, err := read(t, setup(t, func(w http.ResponseWriter, _ *http.Request) {
		write(w, http.StatusServiceUnavailable, `{"detail":"later"}`)
	}).FollowRun("run_1"))
	var refused *client.Problem
	require.ErrorAs(t, err, &refused)
	_, err = read(t, setup(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: {}\n\n")
		panic(http.ErrAbortHandler)
	}).FollowRun("run_1"))
	var gone *client.Unreachable
	require.ErrorAs(t, err, &gone)
}

func TestAStreamGoesOnWithARenewedToken(t *testing.T) {
	t.Parallel()
	var keys []string
	c := setup(t, func(w http.ResponseWriter, r *http.Request) {
		keys = append(keys, r.Header.Get("Authorization"))
		if len(keys) == 1 {
			write(w, http.StatusUnauthorized, `{"detail":"ended"}`)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "data: {\"status\":\"running\"}\n\n")
	}).Renewing(func(context.Context) (secret.Secret, error) { return secret.FromString("renewed"), nil })
	s := c.FollowRun("run_1")
	for range 2 {
		statuses, err := read(t, s)
		require.NoError(t, err)
		require.Equal(t, []string{"running"}, statuses)
	}
	require.Equal(t, []string{"Bearer gk_1_x", "Bearer renewed", "Bearer renewed"}, keys)
}
