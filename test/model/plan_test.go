package model

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// plan is what a run's provider shows: one batch after the other. It follows from
// the run alone, so that whoever continues a run reads the same.
func plan(r id.Run) []graph.Batch {
	chance := rand.New(rand.NewPCG(uint64(r), 1))
	var batches []graph.Batch
	for _, at := range [][2]string{{"users", "a"}, {"users", "b"}, {"roles", ""}} {
		pages := 1 + chance.IntN(2)
		for n := range pages {
			b := graph.Batch{Number: int64(len(batches)), Stream: at[0], Partition: at[1]}
			for i := range 2 {
				if chance.IntN(10) < 6 {
					key := fmt.Sprintf("%s/%s/%d", at[0], at[1], 2*n+i)
					b.Page.Entities = append(b.Page.Entities, connector.Entity{Ref: connector.Ref{Kind: connector.Account, ID: key}, Name: r.String(), Type: "user"})
				}
			}
			switch {
			case n < pages-1:
				b.Page.Next = "next"
			case chance.IntN(10) < 7:
				b.End = connector.Complete
			default:
				b.End = connector.Partial
			}
			b.Digest = digest(b)
			batches = append(batches, b)
		}
	}
	return batches
}

func digest(b graph.Batch) [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%d %s %s %+v %s", b.Number, b.Stream, b.Partition, b.Page, b.End))
}

// published is what a graph becomes by the first n batches of a run, said in the
// plainest way, and the event of the run's end. kept are the nodes that only
// incomplete reading keeps.
func published(before map[string]string, r id.Run, n int) (after map[string]string, event audit.Action, kept []string) {
	type part struct {
		shown    map[string]string
		complete bool
	}
	parts := map[string]*part{}
	records := 0
	for _, b := range plan(r)[:n] {
		name := b.Stream + "/" + b.Partition + "/"
		if parts[name] == nil {
			parts[name] = &part{shown: map[string]string{}}
		}
		for _, e := range b.Page.Entities {
			parts[name].shown[e.ID] = e.Name
			records++
		}
		parts[name].complete = b.End == connector.Complete
	}
	after = maps.Clone(before)
	complete := 0
	for name, p := range parts {
		for key := range before {
			if _, shown := p.shown[key]; shown || !strings.HasPrefix(key, name) {
				continue
			}
			if p.complete {
				delete(after, key)
			} else {
				kept = append(kept, key)
			}
		}
		maps.Copy(after, p.shown)
		if p.complete {
			complete++
		}
	}
	switch {
	case complete == len(parts):
		return after, audit.RunSucceeded, kept
	case complete == 0 && records == 0:
		return after, audit.RunFailed, kept
	}
	return after, audit.RunPartiallySucceeded, kept
}
