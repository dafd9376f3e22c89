package access_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/api/access"
	"github.com/gatehouse-project/gatehouse/internal/api/entity"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// lonely is a graph of one bucket and one user without an edge, in a connection
// of which nothing was read completely.
type lonely struct{ graph.View }

func (l lonely) Snapshot(_ context.Context, _ id.Workspace, fn func(graph.View) error) error {
	return fn(l)
}

func (lonely) FindKey(context.Context, id.Workspace, workspace.KeyHash) (workspace.Caller, error) {
	return workspace.Caller{Scope: id.Scope{Tenant: 1, Workspace: 1}, Member: 1, Role: workspace.Viewer}, nil
}

func (lonely) FindSession(context.Context, workspace.SessionHash, workspace.SessionWorkspace) (workspace.Caller, error) {
	return workspace.Caller{}, fault.New(fault.NotFound, "there is no such session")
}

func bucket() graph.EntityID { return graph.EntityID{1} }
func user() graph.EntityID   { return graph.EntityID{2} }

func (lonely) Moment() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }

// At knows one earlier moment, at which there was nothing yet.
func (l lonely) At(_ context.Context, m graph.Moment) (graph.View, error) {
	if m.At.After(l.Moment()) {
		return nil, m.Refuse("is in the future")
	}
	return empty{l}, nil
}

// empty is the graph before anything was in it.
type empty struct{ lonely }

func (empty) Entity(context.Context, graph.EntityID) (graph.Entity, error) {
	return graph.Entity{}, fault.New(fault.NotFound, "not found")
}

func (lonely) Entity(_ context.Context, e graph.EntityID) (graph.Entity, error) {
	switch e {
	case bucket():
		return graph.Entity{ID: e, Kind: connector.Resource, Name: "payroll", Connection: 3}, nil
	case user():
		return graph.Entity{ID: e, Kind: connector.Account, Name: "ann", Connection: 3}, nil
	}
	return graph.Entity{}, fault.New(fault.NotFound, "not found")
}

func (lonely) Entities(context.Context, id.Connection, []graph.EntityID) (map[graph.EntityID]graph.Entity, error) {
	return nil, nil
}

func (lonely) Walk(_ context.Context, _ id.Connection, _ []graph.EntityID, hops []graph.Hop) ([]graph.Walked, error) {
	return make([]graph.Walked, len(hops)+1), nil
}

func (lonely) Links(context.Context, id.Connection, []connector.RelationshipKind, graph.Side, []graph.EntityID, int) ([]graph.Link, error) {
	return nil, nil
}

func (lonely) Partitions(context.Context, []int64) (map[int64]graph.PartitionName, error) {
	return nil, nil
}

func (lonely) Coverage(_ context.Context, c id.Connection) (graph.Coverage, error) {
	return graph.Coverage{Connection: c, Streams: []graph.StreamCoverage{{Stream: "iam", Skipped: 1}}}, nil
}

func (l lonely) Coverages(ctx context.Context, c id.Connection, _ []id.Connection) ([]graph.Coverage, bool, error) {
	one, err := l.Coverage(ctx, max(c, 3))
	return []graph.Coverage{one}, false, err
}

func (l lonely) Describe(ctx context.Context, c id.Connection, _, _ []graph.EntityID) (graph.Description, error) {
	coverage, err := l.Coverage(ctx, c)
	return graph.Description{Coverage: coverage}, err
}

func (lonely) HistoryBegins() *time.Time { return nil }

// Identity knows one, whose only principal has nothing.
func (lonely) Identity(_ context.Context, i graph.IdentityID) (graph.Identity, []graph.Entity, error) {
	if i != somebody() {
		return graph.Identity{}, nil, fault.New(fault.NotFound, "not found")
	}
	return graph.Identity{ID: i, Name: "Ann", Principals: 1}, []graph.Entity{{ID: graph.EntityID{7}, Kind: connector.Principal, Name: "Ann", Connection: 3}}, nil
}

func somebody() graph.IdentityID { return graph.IdentityID{8} }

func ask(t *testing.T, path string) (int, map[string]any) {
	t.Helper()
	mux := http.NewServeMux()
	a := api.New(mux, api.Config{Version: "test", Callers: lonely{}, Log: slog.New(slog.DiscardHandler)})
	questions := &graph.Questions{Store: lonely{}}
	access.Mount(a, questions)
	entity.Mount(a, questions)
	key, _, _ := workspace.NewKey(1)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	r.Header.Set("Authorization", "Bearer "+key.RevealString())
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	var body map[string]any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body), w.Body.String())
	return w.Code, body
}

// An answer without rows says that nobody looked.
func TestEmptyAnswersSayWhatWasObserved(t *testing.T) {
	t.Parallel()
	for path, list := range map[string]string{
		"/v1/access/resources/" + bucket().String() + "/principals":                 "principals",
		"/v1/access/principals/" + user().String() + "/resources":                   "resources",
		"/v1/access/paths?from=" + user().String() + "&to=" + bucket().String():     "paths",
		"/v1/access/resources/" + bucket().String() + "/identities":                 "identities",
		"/v1/access/identities/" + somebody().String() + "/resources":               "resources",
		"/v1/access/paths?from=" + somebody().String() + "&to=" + bucket().String(): "paths",
	} {
		status, body := ask(t, path)
		require.Equal(t, http.StatusOK, status, body)
		require.Equal(t, []any{}, body[list])
		require.Equal(t, false, body["observed"])
		require.Equal(t, "2026-01-02T03:04:05Z", body["as_of"])
		require.NotContains(t, body, "next_cursor")
		coverage, ok := body["coverage"].([]any)
		require.True(t, ok)
		require.Len(t, coverage, 1)
	}
}

func TestRefusedQuestions(t *testing.T) {
	t.Parallel()
	who := "/v1/access/resources/" + bucket().String() + "/principals"
	for want, paths := range map[int][]string{
		http.StatusOK: {
			"/v1/entities/" + bucket().String(),
		},
		http.StatusNotFound: {
			"/v1/access/resources/nonsense/principals",
			"/v1/access/resources/" + (graph.EntityID{9}).String() + "/principals",
			who + "?as_of=2025-01-01T00:00:00Z",
			who + "?as_of=run_7",
			"/v1/entities/" + bucket().String() + "?as_of=2025-01-01T00:00:00Z",
			"/v1/access/identities/" + user().String() + "/resources",
			"/v1/entities/" + strings.ToUpper(bucket().String()),
		},
		http.StatusUnprocessableEntity: {
			"/v1/access/resources/" + user().String() + "/principals",
			who + "?cursor=nonsense",
			who + "?limit=201",
			who + "?action=s3:*",
			who + "?as_of=2027-01-01T00:00:00Z",
			who + "?as_of=yesterday",
			who + "?as_of=2025-01-01",
			who + "?as_of=run_",
			who + "/compare",
			who + "/compare?from=2027-01-01T00:00:00Z",
			who + "/compare?from=2025-01-01T00:00:00Z&cursor=x",
			who + "/compare?from=2025-01-01T00:00:00Z&change=more",
			"/v1/access/paths?from=" + user().String(),
			"/v1/access/paths?from=x&to=" + user().String(),
			"/v1/access/paths?from=identity_x&to=" + user().String(),
			"/v1/access/resources/" + bucket().String() + "/identities?action=s3:Get&effective=true",
			"/v1/entities?name=%00",
			"/v1/entities?cursor=AAAA",
		},
	} {
		for _, path := range paths {
			status, body := ask(t, path)
			require.Equal(t, want, status, "%s: %v", path, body)
		}
	}
}

// The bounds are written twice, since a struct tag takes a literal only.
func TestPathBoundsAreThoseOfTheDomain(t *testing.T) {
	t.Parallel()
	a := api.New(http.NewServeMux(), api.Config{Callers: lonely{}, Log: slog.New(slog.DiscardHandler)})
	access.Mount(a, &graph.Questions{Store: lonely{}})
	want := map[string]float64{"limit": graph.MaxPaths, "depth": graph.MaxPathDepth}
	got := map[string]float64{}
	for _, path := range a.OpenAPI().Paths {
		if path.Get == nil || path.Get.OperationID != "access-paths" {
			continue
		}
		for _, p := range path.Get.Parameters {
			if p.Schema.Maximum != nil {
				got[p.Name] = *p.Schema.Maximum
			}
		}
	}
	require.Equal(t, want, got)
}
