package azure

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse-project/gatehouse/simulator/control"
)

// object is a resource in Graph's JSON.
type object = map[string]any

// failure is an error in Graph's and Resource Manager's form.
type failure struct {
	status     int
	code, text string
	retryAfter int
}

func badRequest(format string, args ...any) *failure {
	return &failure{status: http.StatusBadRequest, code: "Request_BadRequest", text: fmt.Sprintf(format, args...)}
}

// list is a collection of which a page is asked for.
type list struct {
	// operation names it in counts and faults.
	operation string
	// permissions are those of which one is needed.
	permissions []string
	count       int
	at          func(i int) object
	// cost is in resource units.
	cost int
	// defaults are the properties that come without $select; nil means all.
	defaults []string
	// unpaged lists have all in one page.
	unpaged bool
	// expands may be asked for with $expand.
	expands string
}

// maxPageSize is the largest $top of directory objects, defaultPageSize what comes
// without it.
const (
	maxPageSize     = 999
	defaultPageSize = 100
)

// answer is what a request or a part of a batch is answered with.
type answer struct {
	status  int
	headers map[string]string
	body    any
}

func (s *Simulator) serveGraph(w http.ResponseWriter, r *http.Request) {
	s.requests.Add(1)
	version, path, _ := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	token, ok := s.bearer(r)
	if !ok || !isGraph(token.Audience) {
		s.writeAnswer(w, s.failed(&failure{status: http.StatusUnauthorized, code: "InvalidAuthenticationToken", text: "Access token validation failure. Invalid audience or lifetime."}), false)
		return
	}
	g := graphCaller{s: s, version: version, origin: control.Origin(r), token: token}
	if path == "$batch" || path == "%24batch" {
		g.serveBatch(w, r)
		return
	}
	a, effect := g.get(r.Method, path, r.URL.RawQuery)
	s.calls.Add(serviceGraph + ":" + g.operation)
	if effect.delay > 0 && !wait(r, effect.delay) {
		return
	}
	s.writeAnswer(w, a, effect.broken)
}

func (s *Simulator) writeAnswer(w http.ResponseWriter, a answer, broken bool) {
	for k, v := range a.headers {
		w.Header().Set(k, v)
	}
	if !broken {
		writeJSON(w, a.status, a.body)
		return
	}
	text, err := json.Marshal(a.body)
	if err != nil {
		text = nil
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.status)
	_, _ = w.Write(append(text[:len(text)/2:len(text)/2], "\x00<<"...)) // the client may be gone
}

// failed is an error as an answer.
func (s *Simulator) failed(f *failure) answer {
	now := s.clock().UTC().Format("2006-01-02T15:04:05")
	a := answer{status: f.status, body: object{"error": object{
		"code": f.code, "message": f.text,
		"innerError": object{"date": now, "request-id": "0", "client-request-id": "0"},
	}}, headers: map[string]string{}}
	if f.retryAfter > 0 {
		a.headers["Retry-After"] = strconv.Itoa(f.retryAfter)
		a.headers["x-ms-throttle-scope"] = "Tenant_Application/ReadWrite/" + s.estate.Auditor.ClientID + "/" + s.estate.TenantID
		a.headers["x-ms-throttle-information"] = "CPULimitExceeded"
	}
	return a
}

// graphCaller is one request of Graph, or one part of a batch.
type graphCaller struct {
	s               *Simulator
	version, origin string
	token           claims
	// operation is what was asked, once it is known.
	operation string
}

func (g *graphCaller) may(permissions ...string) bool {
	return slices.ContainsFunc(permissions, func(p string) bool { return slices.Contains(g.token.Roles, p) })
}

// get answers GET of a path below the version.
func (g *graphCaller) get(method, path, query string) (answer, faultEffect) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return g.s.failed(badRequest("The query cannot be read.")), faultEffect{}
	}
	l, f := g.route(path, values)
	if l != nil {
		g.operation = l.operation
	}
	effect := g.s.faults.on(call{service: serviceGraph, operation: g.operation, token: g.token.ID, paged: values.Has("$skiptoken")})
	switch {
	case effect.kind == FaultThrottle:
		f = &failure{status: http.StatusTooManyRequests, code: "TooManyRequests", text: "Too many requests.", retryAfter: effect.retryAfter}
	case effect.kind == FaultUnavailable:
		f = &failure{status: http.StatusServiceUnavailable, code: "UnknownError", text: "The service is unavailable."}
	case effect.kind == FaultExpire:
		f = &failure{status: http.StatusUnauthorized, code: "InvalidAuthenticationToken", text: "Lifetime validation failed, the token is expired."}
	case effect.kind == FaultStale:
		f = &failure{status: http.StatusBadRequest, code: "Directory_ExpiredPageToken", text: "The specified page token value has expired and can no longer be included in your request."}
	case f != nil:
	case method != http.MethodGet:
		f = &failure{status: http.StatusMethodNotAllowed, code: "Request_BadRequest", text: "Specified HTTP method is not allowed for the request target."}
	case !g.may(l.permissions...):
		f = &failure{status: http.StatusForbidden, code: "Authorization_RequestDenied", text: "Insufficient privileges to complete the operation."}
	}
	if f != nil {
		return g.s.failed(f), effect
	}
	a, f := g.page(l, path, values)
	if f != nil {
		return g.s.failed(f), effect
	}
	return a, effect
}

// page answers one page of a list. The second page of a list with several is
// empty and has a next link.
func (g *graphCaller) page(l *list, path string, q url.Values) (answer, *failure) {
	for name := range q {
		if !slices.Contains([]string{"$select", "$top", "$skiptoken", "$expand", "$filter"}, name) {
			return answer{}, badRequest("The query option '%s' is not supported here.", name)
		}
	}
	if q.Get("$expand") != "" && !strings.HasPrefix(q.Get("$expand"), l.expands) || q.Has("$expand") && l.expands == "" {
		return answer{}, badRequest("Could not find a property to expand.")
	}
	size := defaultPageSize
	if text := q.Get("$top"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxPageSize {
			return answer{}, badRequest("Invalid page size specified: '%s'. Must be between 1 and %d inclusive.", text, maxPageSize)
		}
		size = n
	}
	if l.unpaged {
		size = max(1, l.count)
	}
	identity := fnv.New32a()
	_, _ = identity.Write([]byte(path + "|" + q.Get("$select") + "|" + q.Get("$top") + "|" + q.Get("$filter") + "|" + q.Get("$expand"))) // never fails
	from, empty := 0, false
	if token := q.Get("$skiptoken"); token != "" {
		var of uint32
		raw, err := base64.RawURLEncoding.DecodeString(token)
		if _, scanned := fmt.Sscanf(string(raw), "%d/%t/%d", &from, &empty, &of); err != nil || scanned != nil || of != identity.Sum32() || from > l.count {
			return answer{}, badRequest("The skip token does not belong to this request.")
		}
	}
	to := min(l.count, from+size)
	if empty {
		to = from
	}
	value := make([]object, 0, to-from)
	for i := from; i < to; i++ {
		if o := l.at(i); !g.s.isGone(o) {
			value = append(value, selected(o, q.Get("$select"), l.defaults))
		}
	}
	body := object{"@odata.context": g.origin + "/" + g.version + "/$metadata#" + l.operation, "value": value}
	if to < l.count || empty {
		next := q
		next.Set("$skiptoken", base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d/%t/%d", to, from == 0 && !empty, identity.Sum32())))
		body["@odata.nextLink"] = g.origin + "/" + g.version + "/" + path + "?" + next.Encode()
	}
	cost := l.cost
	if q.Has("$select") {
		cost--
	}
	if q.Has("$expand") {
		cost++
	}
	return answer{status: http.StatusOK, body: body, headers: map[string]string{"x-ms-resource-unit": strconv.Itoa(max(cost, 1))}}, nil
}

// selected keeps what $select names, and always type and id.
func selected(o object, names string, defaults []string) object {
	wanted := strings.Split(names, ",")
	if names == "" {
		if defaults == nil {
			return o
		}
		wanted = defaults
	}
	kept := object{}
	for name, v := range o {
		if name == "id" || name == "@odata.type" || slices.Contains(wanted, name) {
			kept[name] = v
		}
	}
	return kept
}

// batch of requests; "Combine multiple HTTP requests using JSON batching".
type batchRequest struct {
	Requests []struct {
		ID     string `json:"id"`
		Method string `json:"method"`
		URL    string `json:"url"`
	} `json:"requests"`
}

// maxBatch is how many requests a batch may have.
const maxBatch = 20

func (g *graphCaller) serveBatch(w http.ResponseWriter, r *http.Request) {
	g.s.calls.Add(serviceGraph + ":$batch")
	var all batchRequest
	raw := new(bytes.Buffer)
	if _, err := raw.ReadFrom(http.MaxBytesReader(w, r.Body, maxBody)); err != nil || r.Method != http.MethodPost || json.Unmarshal(raw.Bytes(), &all) != nil {
		g.s.writeAnswer(w, g.s.failed(badRequest("The batch cannot be read.")), false)
		return
	}
	if len(all.Requests) > maxBatch {
		g.s.writeAnswer(w, g.s.failed(badRequest("Number of batch request steps exceeds the maximum value of %d.", maxBatch)), false)
		return
	}
	seen := map[string]bool{}
	responses := make([]object, 0, len(all.Requests))
	var broken bool
	for _, part := range all.Requests {
		if part.ID == "" || seen[strings.ToLower(part.ID)] {
			g.s.writeAnswer(w, g.s.failed(badRequest("The request id is missing or repeated.")), false)
			return
		}
		seen[strings.ToLower(part.ID)] = true
		path, query, _ := strings.Cut(strings.TrimPrefix(part.URL, "/"), "?")
		one := *g
		a, effect := one.get(part.Method, path, query)
		g.s.calls.Add("graph-batched:" + one.operation)
		if effect.delay > 0 && !wait(r, effect.delay) {
			return
		}
		broken = broken || effect.broken
		responses = append(responses, object{"id": part.ID, "status": a.status, "headers": a.headers, "body": a.body})
	}
	slices.Reverse(responses)
	g.s.writeAnswer(w, answer{status: http.StatusOK, body: object{"responses": responses}}, broken)
}
