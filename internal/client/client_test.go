package client_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/internal/client"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// setup returns a client of a server that answers by handle.
func setup(t testing.TB, handle http.HandlerFunc) *client.Client {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	c, err := client.New(server.URL, secret.FromString("gk_1_x"), "1.2.3")
	require.NoError(t, err)
	return c
}

func write(w http.ResponseWriter, status int, body string) {
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}

func TestCallsCarryKeyAndVersion(t *testing.T) {
	t.Parallel()
	c := setup(t, func(w http.ResponseWriter, r *http.Request) {
		write(w, http.StatusOK, fmt.Sprintf(`{"run_id":"run_1","short_reason":null,"outcome":%q}`,
			r.Method+" "+r.URL.RequestURI()+" "+r.Header.Get("Authorization")+" "+r.Header.Get("User-Agent")))
	})
	a, err := c.Run(t.Context(), "run_1", 0)
	require.NoError(t, err)
	require.Equal(t, "GET /v1/runs/run_1 Bearer gk_1_x gatehouse-cli/1.2.3", a.Value.Outcome)
	require.Contains(t, string(a.Raw), `"short_reason":null`, "the answer is kept as it was sent")
}

func TestIDsCannotLeaveTheirPlaceInThePath(t *testing.T) {
	t.Parallel()
	c := setup(t, func(w http.ResponseWriter, r *http.Request) {
		write(w, http.StatusOK, fmt.Sprintf(`{"run_id":%q}`, r.URL.EscapedPath()))
	})
	for id, want := range map[string]string{
		"../audit-events": "/v1/runs/..%2Faudit-events", "a b?x=1#y": "/v1/runs/a%20b%3Fx=1%23y",
	} {
		a, err := c.Run(t.Context(), id, 0)
		require.NoError(t, err)
		require.Equal(t, want, a.Value.RunID)
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"status":422,"title":"Unprocessable Entity","detail":"name is not valid","errors":[{"location":"body.name","message":"is missing"},{"location":"query.limit","message":"must be a number"}]}`: "name: is missing; limit: must be a number",
		`{"status":409,"title":"Conflict","detail":"the name is taken"}`: "the name is taken",
		`{"title":"Conflict"}`:             "the server answered 409 Conflict",
		"<html>\n<b>Bad gateway</b>":       "the server answered 409 Conflict: <html> <b>Bad gateway</b>",
		``:                                 "the server answered 409 Conflict",
		`{"errors":[{"message":"wrong"}]}`: "the server answered 409 Conflict: {\"errors\":[{\"message\":\"wrong\"}]}",
	} {
		c := setup(t, func(w http.ResponseWriter, _ *http.Request) { write(w, http.StatusConflict, body) })
		_, err := c.Run(t.Context(), "run_1", 0)
		var problem *client.Problem
		require.ErrorAs(t, err, &problem, body)
		require.Equal(t, http.StatusConflict, problem.Status)
		require.Equal(t, want, problem.Error())
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	c := setup(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/elsewhere" {
			t.Error("the key went elsewhere")
		}
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	_, err := c.Run(t.Context(), "run_1", 0)
	require.ErrorContains(t, err, "sends elsewhere")
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	address := server.URL
	server.Close()
	c, err := client.New(address+"/", secret.Secret{}, "1")
	require.NoError(t, err)
	_, err = c.Run(t.Context(), "run_1", 0)
	var unreachable *client.Unreachable
	require.ErrorAs(t, err, &unreachable)
	require.Equal(t, address, unreachable.Address)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.Run(ctx, "run_1", 0)
	require.ErrorIs(t, err, context.Canceled)
}

func TestAnswersThatAreNotTheAPIs(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`hello`, `{"run_id":7}`, `[]`} {
		c := setup(t, func(w http.ResponseWriter, _ *http.Request) { write(w, http.StatusOK, body) })
		_, err := c.Run(t.Context(), "run_1", 0)
		require.ErrorContains(t, err, "something else than this version of gatehouse expects", body)
	}
	for _, body := range []string{`{}`, `{"runs":{}}`, `{"runs":[7]}`, `{"runs":[],"next_cursor":7}`} {
		c := setup(t, func(w http.ResponseWriter, _ *http.Request) { write(w, http.StatusOK, body) })
		_, err := c.Runs(t.Context(), client.RunFilter{}, client.Pages{})
		require.Error(t, err, body)
	}
}

func TestNewRefusesWhatIsNoServer(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "localhost:80", "ftp://x", "http://", "http://user:pw@x", "http://x?key=1", "http://x#y", "://"} {
		_, err := client.New(address, secret.Secret{}, "1")
		require.Error(t, err, address)
	}
	for _, address := range []string{"http://x", "https://x:1/below"} {
		_, err := client.New(address, secret.Secret{}, "1")
		require.NoError(t, err, address)
	}
}

// TestListsJoinPages lists from a server with any number of items and pages as
// short as it likes, empty ones included.
func TestListsJoinPages(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		have := rapid.IntRange(0, 500).Draw(rt, "have")
		limit := rapid.IntRange(0, 600).Draw(rt, "limit")
		short := rapid.SliceOfN(rapid.IntRange(0, 200), 1, 8).Draw(rt, "short")
		calls := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			size, _ := strconv.Atoi(r.URL.Query().Get("limit"))
			from, _ := strconv.Atoi(r.URL.Query().Get("cursor"))
			calls++
			to := min(have, from/10+max(0, min(size, short[calls%len(short)])))
			if calls > 50 {
				to = min(have, from/10+size)
			}
			runs := []map[string]string{}
			for n := from / 10; n < to; n++ {
				runs = append(runs, map[string]string{"run_id": fmt.Sprintf("run_%d", n)})
			}
			body := map[string]any{"runs": runs}
			if to < have {
				// The last digit keeps the cursor of an empty page from being the same.
				body["next_cursor"] = strconv.Itoa(to*10 + calls%10)
			}
			_ = json.NewEncoder(w).Encode(body)
		}))
		defer server.Close()
		c, err := client.New(server.URL, secret.Secret{}, "1")
		require.NoError(rt, err)
		l, err := c.Runs(t.Context(), client.RunFilter{}, client.Pages{Limit: limit})
		require.NoError(rt, err)

		want := have
		if limit > 0 {
			want = min(have, limit)
		}
		require.Len(rt, l.Items, want)
		for n, run := range l.Items {
			require.Equal(rt, fmt.Sprintf("run_%d", n), run.RunID)
		}
		require.Equal(rt, want < have, l.More)
		var whole struct{ Runs []map[string]string }
		require.NoError(rt, json.Unmarshal(l.Raw, &whole))
		require.Len(rt, whole.Runs, want)
	})
}

func TestListOfOnePageIsAsItWasSent(t *testing.T) {
	t.Parallel()
	const sent = `{"$schema":"x",  "runs":[{"run_id":"run_1"}]}`
	c := setup(t, func(w http.ResponseWriter, _ *http.Request) { write(w, http.StatusOK, sent) })
	l, err := c.Runs(t.Context(), client.RunFilter{Status: "queued"}, client.Pages{Limit: 10})
	require.NoError(t, err)
	require.Equal(t, sent, string(l.Raw))
}
