package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// oneKey knows the key of one viewer.
type oneKey struct {
	hash workspace.KeyHash
	mu   sync.Mutex
	seen []audit.Event
}

func (k *oneKey) FindKey(_ context.Context, w id.Workspace, hash workspace.KeyHash) (workspace.Caller, error) {
	if hash != k.hash {
		return workspace.Caller{}, fault.New(fault.NotFound, "no such key")
	}
	return workspace.Caller{Scope: id.Scope{Tenant: 1, Workspace: w}, Member: 7, Role: workspace.Viewer}, nil
}

func (*oneKey) FindSession(context.Context, workspace.SessionHash, workspace.SessionWorkspace) (workspace.Caller, error) {
	return workspace.Caller{}, fault.New(fault.NotFound, "no such session")
}

func (k *oneKey) RecordEvent(_ context.Context, _ id.Scope, e audit.Event) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.seen = append(k.seen, e)
	return nil
}

type thingInput struct {
	api.Page
	Thing api.PathID[id.Connection] `path:"thing"`
	Other api.QueryID[id.Target]    `query:"target_id"`
	Match string                    `header:"If-Match"`
	Body  struct {
		Secret string `json:"secret" maxLength:"5"`
		Number int    `json:"number,omitempty"`
	}
}

type thingOutput struct {
	Body struct {
		Caller string `json:"caller"`
		Thing  int64  `json:"thing"`
	}
}

type bench struct {
	url     string
	key     string
	keys    *oneKey
	log     *lockedBuffer
	metrics *prometheus.Registry
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func setup(t *testing.T, answer func() error) *bench {
	t.Helper()
	key, hash, _ := workspace.NewKey(3)
	b := &bench{key: key.RevealString(), keys: &oneKey{hash: hash}, log: &lockedBuffer{}, metrics: prometheus.NewRegistry()}
	log := slog.New(slog.NewTextHandler(b.log, nil))
	mux := http.NewServeMux()
	denials, err := api.NewDenials(b.keys, b.metrics)
	require.NoError(t, err)
	a := api.New(mux, api.Config{Version: "0.0.1", Callers: b.keys, Denials: denials, Log: log})
	api.Register(a, huma.Operation{OperationID: "change-thing", Method: http.MethodPost, Path: "/things/{thing}"},
		func(ctx context.Context, in *thingInput) (*thingOutput, error) {
			if _, err := api.After[id.Connection](in.Page); err != nil {
				return nil, err
			}
			if err := answer(); err != nil {
				return nil, err
			}
			out := &thingOutput{}
			out.Body.Caller, out.Body.Thing = api.CallerFrom(ctx).Member.String(), int64(in.Thing.ID)
			return out, nil
		})
	m, err := api.NewMetrics(b.metrics)
	require.NoError(t, err)
	server := httptest.NewServer(api.Wrap(mux, api.WrapConfig{Log: log, Metrics: m}))
	t.Cleanup(server.Close)
	b.url = server.URL
	return b
}

func (b *bench) do(t *testing.T, method, path, body string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, b.url+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+b.key)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res, string(text)
}

func fine() error { return nil }

func TestCallerAndIDReachTheOperation(t *testing.T) {
	t.Parallel()
	res, body := setup(t, fine).do(t, "POST", "/things/conn_12", `{"secret":"a"}`)
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	require.JSONEq(t, `{"caller":"mem_7","thing":12}`, body)
	require.Equal(t, "nosniff", res.Header.Get("X-Content-Type-Options"))
	require.NotEmpty(t, res.Header.Get("X-Request-Id"))
}

func TestMalformedPathIDNamesNothing(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"tgt_12", "conn_0", "x", "conn_99999999999999999999"} {
		res, body := setup(t, fine).do(t, "POST", "/things/"+path, `{"secret":"a"}`)
		require.Equal(t, http.StatusOK, res.StatusCode, body)
		require.JSONEq(t, `{"caller":"mem_7","thing":0}`, body, "the zero id, which no row has")
	}
}

func TestWhatIsNotFoundIsNamedAsItWasAskedFor(t *testing.T) {
	t.Parallel()
	b := setup(t, func() error { return fault.New(fault.NotFound, "there is no connection conn_12") })
	for name, says := range map[string]string{
		"conn_12": "there is no connection conn_12", "12": `there is no thing "12"`, "%22x%22": `there is no thing "\"x\""`,
		strings.Repeat("y", 200): `there is no thing "` + strings.Repeat("y", 100) + `…"`,
	} {
		res, body := b.do(t, "POST", "/things/"+name, `{"secret":"a"}`)
		require.Equal(t, http.StatusNotFound, res.StatusCode, body)
		var problem struct {
			Detail string `json:"detail"`
		}
		require.NoError(t, json.Unmarshal([]byte(body), &problem))
		require.Equal(t, says, problem.Detail)
	}
}

func TestWrongContentTypeIsToldTheRightOne(t *testing.T) {
	t.Parallel()
	res, body := setup(t, fine).do(t, "POST", "/things/conn_1", `{"secret":"a"}`, "Content-Type", "text/plain")
	require.Equal(t, http.StatusUnsupportedMediaType, res.StatusCode, body)
	require.Contains(t, body, "must come with the header Content-Type: application/json")
	require.NotContains(t, body, "valid JSON")
}

func TestUnknownQueryParameterIsRefused(t *testing.T) {
	t.Parallel()
	res, body := setup(t, fine).do(t, "POST", "/things/conn_1?limt=5", `{"secret":"a"}`)
	require.Equal(t, http.StatusUnprocessableEntity, res.StatusCode, body)
	require.Contains(t, body, "query.limt")
	require.Contains(t, body, "unknown query parameter")
}

func TestWithoutAValidKeyTheAnswerIs401(t *testing.T) {
	t.Parallel()
	b := setup(t, fine)
	foreign, _, _ := workspace.NewKey(3)
	for _, header := range []string{"", "Bearer", "Bearer ", "Basic eDp5", "Bearer gk_x", b.key, "Bearer " + foreign.RevealString()} {
		res, body := b.do(t, "POST", "/things/conn_1", `{"secret":"a"}`, "Authorization", header)
		require.Equal(t, http.StatusUnauthorized, res.StatusCode, header)
		require.Equal(t, "application/problem+json", res.Header.Get("Content-Type"))
		require.Contains(t, res.Header.Get("WWW-Authenticate"), "Bearer")
		require.NotContains(t, body, b.key)
	}
	res, _ := b.do(t, "POST", "/things/conn_1", `{"secret":"a"}`, "Authorization", "bearer "+b.key)
	require.Equal(t, http.StatusOK, res.StatusCode, "the scheme's case does not matter")
}

func TestKindsOfErrors(t *testing.T) {
	t.Parallel()
	cause := errors.New("canary-cause")
	for _, c := range []struct {
		err    error
		match  string
		status int
		says   string
	}{
		{fault.InvalidField("name", "is odd"), "", 422, "body.name"},
		{fault.Wrap(fault.NotFound, cause, "no thing"), "", 404, "no thing"},
		{fault.Wrap(fault.Conflict, cause, "taken"), "", 409, "taken"},
		{fault.Wrap(fault.Stale, cause, "changed"), "", 409, "changed"},
		{fault.Wrap(fault.Stale, cause, "changed"), `"4"`, 412, "changed"},
		{fault.Wrap(fault.TooLarge, cause, "too big"), "", 413, "too big"},
		{fault.Wrap(fault.Unavailable, cause, "later"), "", 503, "later"},
		{cause, "", 500, "request id"},
		{fault.Wrap(fault.Internal, cause, "hidden"), "", 500, "request id"},
	} {
		b := setup(t, func() error { return c.err })
		res, body := b.do(t, "POST", "/things/conn_1", `{"secret":"a"}`, "If-Match", c.match)
		require.Equal(t, c.status, res.StatusCode)
		require.Contains(t, body, c.says)
		require.NotContains(t, body, "canary-cause")
		require.Equal(t, "application/problem+json", res.Header.Get("Content-Type"))
		if c.status >= 500 {
			require.Contains(t, b.log.String(), "canary-cause")
			require.Contains(t, b.log.String(), res.Header.Get("X-Request-Id"))
		}
	}
}

func TestDeniedAttemptIsRecorded(t *testing.T) {
	t.Parallel()
	viewer := workspace.Caller{Role: workspace.Viewer}
	b := setup(t, func() error { return viewer.Require(workspace.ManageMembers) })
	res, body := b.do(t, "POST", "/things/conn_1", `{"secret":"a"}`)
	require.Equal(t, http.StatusForbidden, res.StatusCode)
	require.Contains(t, body, "members.manage")
	require.Len(t, b.keys.seen, 1)
	require.Equal(t, audit.AccessDenied, b.keys.seen[0].Action)
	require.Equal(t, "change-thing", b.keys.seen[0].TargetID)
	require.Equal(t, "mem_7", b.keys.seen[0].Actor.ID)
}

func TestRefusedInputIsNeverEchoed(t *testing.T) {
	t.Parallel()
	b := setup(t, fine)
	for _, c := range []struct {
		body   string
		status int
		says   string
	}{
		{`{"secret":"canary-longer-than-five"}`, 422, "body.secret"},
		{`{"secret":"canary`, 400, "valid JSON"},
		{`canary`, 400, "valid JSON"},
		{`{"secret":["canary-secret"]}`, 422, "body.secret"},
		{`{"secret":"a","number":"canary"}`, 422, "body.number"},
		{`{"secret":"a","nubmer":"canary"}`, 422, "body.nubmer"},
		{`["canary"]`, 422, "body"},
	} {
		res, body := b.do(t, "POST", "/things/conn_1", c.body)
		require.Equal(t, c.status, res.StatusCode, body)
		require.Contains(t, body, c.says)
		require.NotContains(t, body, "canary")
	}
	require.NotContains(t, b.log.String(), "canary")
	require.NotContains(t, b.log.String(), b.key)
}

func TestPagesAndQueryIDs(t *testing.T) {
	t.Parallel()
	b := setup(t, fine)
	for query, says := range map[string]string{
		"limit=0": "query.limit", "limit=201": "query.limit", "limit=x": "query.limit",
		"cursor=x": "query.cursor", "cursor=Y29ubl8x!": "query.cursor", "cursor=dGd0XzE": "query.cursor",
		"target_id=conn_1": "query.target_id",
	} {
		res, body := b.do(t, "POST", "/things/conn_1?"+query, `{"secret":"a"}`)
		require.Equal(t, http.StatusUnprocessableEntity, res.StatusCode, query)
		require.Contains(t, body, says)
	}
}

func TestCutAndAfterContinueEachOther(t *testing.T) {
	t.Parallel()
	self := func(c id.Connection) id.Connection { return c }
	page := api.Page{Limit: 2}
	require.Equal(t, 3, page.Fetch())
	items, next := api.Cut(page, []id.Connection{1, 2, 3}, self)
	require.Equal(t, []id.Connection{1, 2}, items)
	after, err := api.After[id.Connection](api.Page{Cursor: next})
	require.NoError(t, err)
	require.Equal(t, id.Connection(2), after)
	items, next = api.Cut(page, []id.Connection{4, 5}, self)
	require.Equal(t, []id.Connection{4, 5}, items)
	require.Empty(t, next)
}

func TestPanicBecomesAProblem(t *testing.T) {
	t.Parallel()
	b := setup(t, func() error { panic("canary-panic") })
	res, body := b.do(t, "POST", "/things/conn_1", `{"secret":"a"}`)
	require.Equal(t, http.StatusInternalServerError, res.StatusCode)
	require.NotContains(t, body, "canary")
	require.Contains(t, b.log.String(), "canary-panic")
	var p huma.ErrorModel
	require.NoError(t, json.Unmarshal([]byte(body), &p))
	require.Equal(t, http.StatusInternalServerError, p.Status)
}

func TestUnknownPathsAndMethodsAreProblems(t *testing.T) {
	t.Parallel()
	b := setup(t, fine)
	res, _ := b.do(t, "GET", "/nothing", "")
	require.Equal(t, http.StatusNotFound, res.StatusCode)
	require.Equal(t, "application/problem+json", res.Header.Get("Content-Type"))
	res, _ = b.do(t, "DELETE", "/things/conn_1", "")
	require.Equal(t, http.StatusMethodNotAllowed, res.StatusCode)
	require.Equal(t, "POST", res.Header.Get("Allow"))
}

func TestDocumentAndDocsNeedNoNetwork(t *testing.T) {
	t.Parallel()
	b := setup(t, fine)
	res, document := b.do(t, "GET", "/openapi.json", "", "Authorization", "")
	require.Equal(t, http.StatusOK, res.StatusCode)
	var parsed struct {
		OpenAPI    string `json:"openapi"`
		Components struct {
			Schemas map[string]struct {
				Properties map[string]any `json:"properties"`
			} `json:"schemas"`
		} `json:"components"`
		Paths map[string]map[string]struct {
			Security []map[string][]string `json:"security"`
		} `json:"paths"`
	}
	require.NoError(t, json.Unmarshal([]byte(document), &parsed))
	require.Equal(t, "3.1.0", parsed.OpenAPI)
	require.NotContains(t, parsed.Components.Schemas["ErrorDetail"].Properties, "value")
	require.Contains(t, parsed.Components.Schemas["ErrorDetail"].Properties, "message")
	require.Contains(t, document, `"pattern":"^conn_[1-9][0-9]{0,18}$"`)
	require.Equal(t, []map[string][]string{{"apiKey": {}}, {"session": {}}}, parsed.Paths["/things/{thing}"]["post"].Security)

	for _, path := range []string{"/docs", "/docs/"} {
		res, page := b.do(t, "GET", path, "", "Authorization", "")
		require.Equal(t, http.StatusOK, res.StatusCode)
		require.Contains(t, page, "/docs/swagger-ui-bundle.js")
		require.NotRegexp(t, `(src|href)="(https?:)?//`, page, "everything comes from this host")
	}
	res, _ = b.do(t, "GET", "/docs/swagger-ui-bundle.js", "", "Authorization", "")
	require.Equal(t, http.StatusOK, res.StatusCode)
}

func TestRequestsAreCountedByRoute(t *testing.T) {
	t.Parallel()
	b := setup(t, fine)
	b.do(t, "POST", "/things/conn_1", `{"secret":"a"}`)
	b.do(t, "POST", "/things/conn_2", `{"secret":"a"}`)
	b.do(t, "GET", "/made-up", "")
	families, err := b.metrics.Gather()
	require.NoError(t, err)
	require.Len(t, families, 1)
	require.Equal(t, "gatehouse_http_request_duration_seconds", families[0].GetName())
	require.Len(t, families[0].GetMetric(), 2, "one series for the route, one for everything unknown")
}
