package conformance

import (
	"context"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// What belongs to another workspace is answered exactly like what never was: the
// same status, the same headers, the same words.
func TestWhatIsAnothersDoesNotExist(t *testing.T) {
	t.Parallel()
	d := readDocument(t)
	s := startServer(t)
	actors := newActors(t, s, d)
	compared := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		for _, op := range rapid.Permutation(d.operations).Draw(rt, "operations") {
			a := rapid.SampledFrom(actors[:]).Draw(rt, "actor")
			if op.method == http.MethodPost && op.body != nil { // something to be after
				_, err := a.other.send(rt.Context(), a.other.draw(rt, op))
				require.NoError(rt, err)
			}
			foreign := a.draw(rt, op)
			names := foreign.swapIDs(func(kind string) (string, bool) { return draw(rt, a.other.pool.byKind[kind]) })
			if len(names) == 0 {
				continue
			}
			unknown := foreign.clone()
			unknown.swapIDs(func(kind string) (string, bool) {
				return unknownID(rt, kind), len(a.other.pool.byKind[kind]) > 0 // what is its own stays so
			})
			got, err := a.exchange(rt.Context(), foreign)
			require.NoError(rt, err)
			want, err := a.exchange(rt.Context(), unknown)
			require.NoError(rt, err)
			if wrong := a.judge(foreign, got); wrong != "" {
				rt.Fatalf("%s\n%s\n%d %s", wrong, foreign.shown(), got.status, got.text)
			}
			require.Equal(rt, want.without(unknown), got.without(foreign), "%s\n%s", foreign.shown(), unknown.shown())
			compared[op.id]++
		}
	})
	t.Logf("compared: %v", compared)
	for _, op := range d.operations {
		if strings.Contains(op.path, "_id}") && !strings.HasPrefix(op.path, "/v1/integrations/") && seldomCompared()[op.id] == "" {
			require.Positive(t, compared[op.id], op.id)
		}
	}
	s.requireWell(t)
}

// seldomCompared are operations on what hardly anybody here hears of, each with
// the reason.
func seldomCompared() map[string]string {
	const few = "few identities are heard of: there is one where principals are joined"
	return map[string]string{
		"read-notification":     "a notification is made when a run ends",
		"prove-audit-event":     "an event is heard of by who lists them with nothing else asked for",
		"get-identity":          few,
		"list-identity-changes": few,
		"join-identities":       few,
		"split-identity":        few,
		"cancel-export":         "an export is heard of by who has made one that fits",
	}
}

// Pooled connections serve one workspace after the other. Whatever requests do
// side by side, also those that their callers abandon, nobody is answered with
// what is another's.
func TestRequestsSideBySideStayInTheirWorkspace(t *testing.T) {
	t.Parallel()
	const sides, rounds = 12, 40
	d := readDocument(t)
	s := startServer(t)
	actors := newActors(t, s, d)
	var reads []*operation
	for _, op := range d.operations {
		if op.method == http.MethodGet {
			reads = append(reads, op)
		}
	}
	// Drawn beforehand: what is remembered does not change from here on.
	drawn := rapid.Custom(func(rt *rapid.T) []*request {
		var requests []*request
		for _, op := range rapid.Permutation(reads).Draw(rt, "operations") {
			requests = append(requests, actors[0].draw(rt, op), actors[1].draw(rt, op))
		}
		return requests
	})
	var all sync.WaitGroup
	for side := range sides {
		requests := drawn.Example(side)
		all.Go(func() {
			for i := range rounds {
				r := requests[i%len(requests)]
				a := actors[i%2]
				ctx, abandon := context.WithCancel(t.Context())
				if side%3 == 0 && i%4 < 2 {
					go abandon()
				}
				got, err := a.exchange(ctx, r)
				abandon()
				if err == nil {
					if wrong := a.judgeOthers(r, got); wrong != "" || got.status >= http.StatusInternalServerError {
						t.Errorf("%s\n%s\n%d %.2000s", wrong, r.shown(), got.status, got.text)
					}
				}
			}
		})
	}
	all.Wait()
	s.requireWell(t)
}

// swapIDs replaces the ids that a request names and returns the names of the
// parameters and properties that held them.
func (r *request) swapIDs(by func(kind string) (string, bool)) []string {
	var swapped []string
	swap := func(name string, value any, set func(string)) {
		text, _ := value.(string)
		if parts := idForm.FindStringSubmatch(text); parts != nil {
			if id, ok := by(parts[1]); ok {
				set(id)
				swapped = append(swapped, name)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.path)) {
		swap(name, r.path[name], func(id string) { r.path[name] = id })
	}
	for i := range r.query {
		swap(r.query[i].name, r.query[i].value, func(id string) { r.query[i].value = id })
	}
	body := object(r.body)
	for _, name := range slices.Sorted(maps.Keys(body)) {
		swap(name, body[name], func(id string) { body[name] = id })
	}
	return swapped
}

func (r *request) clone() *request {
	c := *r
	c.path, c.query = maps.Clone(r.path), slices.Clone(r.query)
	if body := object(r.body); body != nil {
		c.body = maps.Clone(body)
	}
	return &c
}

// answered is the moment that an answer shows, which is its own.
var answered = regexp.MustCompile(`"as_of":"[^"]*"`)

// without is an answer without what tells two requests apart: their ids, and when
// each was answered.
func (got *answer) without(r *request) map[string]any {
	header := got.header.Clone()
	request := header.Get("X-Request-Id")
	for _, name := range []string{"X-Request-Id", "Date", "Content-Length"} {
		header.Del(name)
	}
	asked := anyID.FindAllString(r.shown(), -1)
	text := anyID.ReplaceAllStringFunc(strings.ReplaceAll(string(got.text), request, "{request}"), func(id string) string {
		if slices.Contains(asked, id) {
			return "{id}"
		}
		return id
	})
	text = answered.ReplaceAllString(text, `"as_of":"{now}"`)
	return map[string]any{"status": got.status, "header": header, "text": text}
}
