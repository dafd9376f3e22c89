package aws

import (
	"sync"
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/aws/estate"
	"github.com/gatehouse-project/gatehouse/simulator/enterprise/chance"
)

// session is what AssumeRole handed out.
type session struct {
	keyID   string
	secret  string
	token   string
	name    string
	account int
	role    *estate.Role
	expires time.Time
	calls   int // made with it so far
}

// sessions are those that have not long expired, by access key id.
type sessions struct {
	mu      sync.Mutex
	byKeyID map[string]*session
}

// keepExpired is how long an expired session is remembered, so that it can be
// told from one that never was.
const keepExpired = time.Hour

func (all *sessions) add(made *session, now time.Time) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.byKeyID == nil {
		all.byKeyID = map[string]*session{}
	}
	for id, old := range all.byKeyID {
		if now.After(old.expires.Add(keepExpired)) {
			delete(all.byKeyID, id)
		}
	}
	all.byKeyID[made.keyID] = made
}

// use finds a session and counts the call made with it.
func (all *sessions) use(keyID string) (found session, ok bool) {
	all.mu.Lock()
	defer all.mu.Unlock()
	s, ok := all.byKeyID[keyID]
	if !ok {
		return session{}, false
	}
	s.calls++
	return *s, true
}

// newSession invents credentials. They follow from the number of the request,
// so that two simulators that are asked the same answer the same.
func (s *Simulator) newSession(number uint64, account int, role *estate.Role, name string, lifetime time.Duration) *session {
	draw, n := s.Estate().Company.Draw(), int(number)
	const tokenAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	made := &session{
		keyID:  "ASIA" + draw.Letters(16, chance.Base32, "session key", n),
		secret: draw.Letters(40, tokenAlphabet, "session secret", n),
		token:  "IQoJb3JpZ2luX2Vj" + draw.Letters(240, tokenAlphabet, "session token", n),
		name:   name, account: account, role: role, expires: s.clock().Add(lifetime).UTC().Truncate(time.Second),
	}
	s.sessions.add(made, s.clock())
	return made
}
