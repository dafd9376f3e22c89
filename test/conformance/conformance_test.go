package conformance

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// neverSucceed are operations that no request here can have succeed, each with
// the reason.
func neverSucceed() map[string]string {
	const person = "asks for a person who signed in, and no provider of identities is set up"
	return map[string]string{
		"create-session": person,
		"delete-session": person,
		"get-sign-in":    person,
		"remove-member":  person,
	}
}

// seldomSucceed are operations that requests drawn one by one hardly ever have
// succeed, each with who does.
func seldomSucceed() map[string]string {
	return map[string]string{
		"cancel-export":   "an export here is made before anybody cancels it; the tests of internal/postgres hold one up",
		"join-identities": "needs two identities of principals that are told by id; the property tests of internal/postgres join and split",
		"split-identity":  "needs an identity of several principals; likewise",
	}
}

// Whatever is sent, the answer is one that the document describes. Each of
// rapid's checks, of which there are 100 unless -rapid.checks says otherwise,
// sends one request to each operation.
func TestAnswersFitTheDocument(t *testing.T) {
	t.Parallel()
	d := readDocument(t)
	s := startServer(t)
	actors := newActors(t, s, d)
	ways := spoilings()
	c := newCount()
	for _, a := range actors {
		a.onboard(t, c)
	}
	send := func(rt *rapid.T, op *operation, ways []spoiling) {
		a := rapid.SampledFrom(actors[:]).Draw(rt, "actor")
		r := a.draw(rt, op)
		if ways != nil {
			spoil(rt, a, r, ways)
		}
		got, err := a.send(rt.Context(), r)
		if err != nil {
			rt.Fatalf("%v\n%s", err, r.shown())
		}
		if wrong := a.judge(r, got); wrong != "" {
			rt.Fatalf("%s\n\n%s\n\n%d %v\n%.2000s", wrong, r.shown(), got.status, got.header, got.text)
		}
		c.add(r, got)
	}
	rapid.Check(t, func(rt *rapid.T) {
		for _, op := range rapid.Permutation(d.operations).Draw(rt, "operations") {
			send(rt, op, ways)
		}
	})
	requireTenantLevel(t, d, newTenant(t, s, d, actors[:]), ways, c)
	// What succeeds only at the right moment, such as ending a run that is under
	// way, is tried right after what makes it possible.
	rapid.Check(t, func(rt *rapid.T) {
		for _, op := range c.missing(d) {
			for _, first := range d.operations {
				if first.body != nil && first.method == http.MethodPost {
					send(rt, first, nil)
					send(rt, op, nil)
				}
			}
		}
	})
	if testing.Verbose() {
		t.Log(c.report(d))
	}
	s.requireWell(t)
	for _, op := range d.operations {
		if neverSucceed()[op.id] != "" {
			require.Zero(t, c.succeeded[op.id], "%s can succeed after all", op.id)
		}
	}
	for _, op := range c.missing(d) {
		require.Fail(t, "an operation never succeeded", "%s: %v", op.id, c.statuses[op.id])
	}
	for _, way := range ways {
		require.Positive(t, c.spoilt[way.name], "%s was never sent", way.name)
	}
}

// spoil makes half of the requests worse, some of them in two ways.
func spoil(t *rapid.T, a *actor, r *request, ways []spoiling) {
	for range rapid.SampledFrom([]int{0, 1, 0, 1, 2}).Draw(t, "spoilings") {
		way := rapid.SampledFrom(ways).Draw(t, "spoiling")
		if !way.can(r) || r.target != "" {
			continue
		}
		r.spoilt = append(r.spoilt, way.name)
		way.do(t, a, r)
	}
}

// count is what was tried, for the report.
type count struct {
	requests  int
	statuses  map[string]map[int]int
	succeeded map[string]int
	spoilt    map[string]int
}

func newCount() *count {
	return &count{statuses: map[string]map[int]int{}, succeeded: map[string]int{}, spoilt: map[string]int{}}
}

func (c *count) add(r *request, got *answer) {
	c.requests++
	for _, way := range r.spoilt {
		c.spoilt[way]++
	}
	if r.method != r.op.method || r.target != "" {
		return
	}
	if c.statuses[r.op.id] == nil {
		c.statuses[r.op.id] = map[int]int{}
	}
	c.statuses[r.op.id][got.status]++
	if got.status < 300 {
		c.succeeded[r.op.id]++
	}
}

// missing are the operations that have not succeeded yet and could.
func (c *count) missing(d *document) []*operation {
	return slices.DeleteFunc(slices.Clone(d.operations), func(op *operation) bool {
		return c.succeeded[op.id] > 0 || neverSucceed()[op.id] != "" || seldomSucceed()[op.id] != ""
	})
}

func (c *count) report(d *document) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%d requests to %d of %d operations\n", c.requests, len(c.statuses), len(d.operations))
	for _, id := range slices.Sorted(maps.Keys(c.statuses)) {
		fmt.Fprintf(&text, "  %-24s", id)
		for _, status := range slices.Sorted(maps.Keys(c.statuses[id])) {
			fmt.Fprintf(&text, "  %d: %d", status, c.statuses[id][status])
		}
		text.WriteByte('\n')
	}
	return text.String()
}
