package control_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/simulator/control"
)

func TestCallsAreCounted(t *testing.T) {
	t.Parallel()
	var c control.Counter
	require.Equal(t, map[string]int{}, c.Snapshot())
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { c.Add("a") })
	}
	all.Wait()
	require.Equal(t, 51, c.Add("a"))
	require.Equal(t, 1, c.Add("b"))
	seen := c.Snapshot()
	require.Equal(t, map[string]int{"a": 51, "b": 1}, seen)
	seen["a"] = 0
	require.Equal(t, 52, c.Add("a"), "a snapshot is the caller's own")
	c.Reset()
	require.Equal(t, map[string]int{}, c.Snapshot())
}

// Which calls are hit, said in another way: those after the first, each n-th of
// them, until enough were.
func TestScheduleHitsWhatItSays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := control.Schedule{
			After: rapid.IntRange(0, 5).Draw(t, "after"), Every: rapid.IntRange(0, 4).Draw(t, "every"), Times: rapid.IntRange(0, 3).Draw(t, "times"),
		}
		var want, got []int
		for n := s.After + max(s.Every, 1); n <= 30 && (s.Times == 0 || len(want) < s.Times); n += max(s.Every, 1) {
			want = append(want, n)
		}
		for n := 1; n <= 30; n++ {
			if s.Hits(n, len(got)) {
				got = append(got, n)
			}
		}
		require.Equal(t, want, got)
	})
}

func TestSchedulesThatAreNone(t *testing.T) {
	t.Parallel()
	require.NoError(t, control.Schedule{Delay: control.MaxDelay}.Validate())
	for _, s := range []control.Schedule{{After: -1}, {Every: -1}, {Times: -1}, {Delay: -1}, {Delay: control.MaxDelay + 1}} {
		require.Error(t, s.Validate(), s)
	}
}

// fault is a simulator's own.
type fault struct {
	ID   string `json:"id"`
	Kind string `json:"kind"`
}

// simulator is a small one: it has one kind of fault.
type simulator struct {
	calls  control.Counter
	faults control.Faults[fault]
}

func (s *simulator) Requests() map[string]int { return s.calls.Snapshot() }
func (s *simulator) ResetRequests()           { s.calls.Reset() }
func (s *simulator) ClearFaults()             { s.faults.Remove("") }
func (s *simulator) EndFault(id string) bool  { return s.faults.Remove(id) }

func (s *simulator) AddFault(f fault) (fault, error) {
	if f.Kind != "slow" {
		return fault{}, errors.New("there is no such kind")
	}
	s.faults.Add(func(id string) *fault { f.ID = id; return &f })
	return f, nil
}

func (s *simulator) Faults() []fault {
	all := []fault{}
	s.faults.Each(func(f *fault) { all = append(all, *f) })
	return all
}

func TestASimulatorIsAskedAndChangedWhileItRuns(t *testing.T) {
	t.Parallel()
	s := &simulator{}
	mux := http.NewServeMux()
	control.Mount(mux, s, func(origin string) any { return map[string]string{"endpoint": origin} })
	ask := func(method, path, body string) (int, string) {
		r := httptest.NewRequestWithContext(t.Context(), method, "http://sim.example"+path, strings.NewReader(body))
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		var compact bytes.Buffer
		if json.Compact(&compact, w.Body.Bytes()) == nil {
			return w.Code, compact.String()
		}
		return w.Code, w.Body.String()
	}
	requireAnswer := func(method, path, body string, status int, answer string) {
		t.Helper()
		code, text := ask(method, path, body)
		require.Equal(t, status, code, text)
		require.Contains(t, text, answer)
	}
	requireAnswer("GET", "/_simulator/estate", "", 200, `{"endpoint":"http://sim.example"}`)
	s.calls.Add("users:list")
	requireAnswer("GET", "/_simulator/requests", "", 200, `{"users:list":1}`)
	requireAnswer("DELETE", "/_simulator/requests", "", 204, "")
	requireAnswer("GET", "/_simulator/requests", "", 200, `{}`)

	requireAnswer("GET", "/_simulator/faults", "", 200, `[]`)
	requireAnswer("POST", "/_simulator/faults", `{"kind":"slow"}`, 201, `{"id":"fault-1","kind":"slow"}`)
	requireAnswer("POST", "/_simulator/faults", `{"kind":"slow"}`, 201, `fault-2`)
	requireAnswer("POST", "/_simulator/faults", `{"kind":"other"}`, 400, "there is no such kind")
	requireAnswer("POST", "/_simulator/faults", `{"kind":"slow","more":1}`, 400, "read the fault")
	requireAnswer("POST", "/_simulator/faults", `{`, 400, "read the fault")
	requireAnswer("DELETE", "/_simulator/faults/fault-1", "", 204, "")
	requireAnswer("DELETE", "/_simulator/faults/fault-1", "", 404, "no such fault")
	requireAnswer("GET", "/_simulator/faults", "", 200, `[{"id":"fault-2","kind":"slow"}]`)
	requireAnswer("DELETE", "/_simulator/faults", "", 204, "")
	requireAnswer("POST", "/_simulator/faults", `{"kind":"slow"}`, 201, "fault-3")
	requireAnswer("GET", "/_simulator/other", "", 404, "")
}

func TestServeEndsWithItsContext(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- control.Serve(ctx, listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, control.Origin(r)) }), "Doors")
	}()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+listener.Addr().String(), nil)
	require.NoError(t, err)
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(r)
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, "http://"+listener.Addr().String(), string(body))
	stop()
	require.NoError(t, <-ended)
}

func TestServeNamesTheSimulatorThatCannot(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	require.ErrorContains(t, control.Serve(t.Context(), listener, http.NotFoundHandler(), "Doors"), "serve the Doors simulator")
}
