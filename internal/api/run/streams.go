package run

import (
	"sync"

	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// mostStreams is how many runs a member may follow at a time on one process; each
// is a connection that stays open.
const mostStreams = 32

// openStreams counts the streams of members.
type openStreams struct {
	most int
	mu   sync.Mutex
	of   map[follower]int
}

// follower is a member of a workspace.
type follower struct {
	scope  id.Scope
	member id.Member
}

func newOpenStreams(most int) *openStreams {
	return &openStreams{most: most, of: map[follower]int{}}
}

// open counts one more stream of a caller; closed counts it no longer. ok is
// false when the caller has as many as may be.
func (s *openStreams) open(c workspace.Caller) (closed func(), ok bool) {
	who := follower{c.Scope, c.Member}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of[who] >= s.most {
		return nil, false
	}
	s.of[who]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.of[who]--; s.of[who] == 0 {
			delete(s.of, who)
		}
	}, true
}
