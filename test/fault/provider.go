package fault

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"

	simulator "github.com/gatehouse-project/gatehouse/simulator/aws"
)

// provider is one AWS organisation in two states, with fewer and with more people.
type provider struct {
	states  [2]*simulator.Simulator
	current atomic.Int32
	// ahead is how far its clock is ahead of the others, in nanoseconds.
	ahead  atomic.Int64
	server *httptest.Server
}

func newProvider(seed int64, people int, latency time.Duration) (*provider, error) {
	p := &provider{}
	handlers := [2]http.Handler{}
	for i := range p.states {
		s, err := simulator.New(simulator.Options{People: people + i*(people/2), Seed: seed, Clock: func() time.Time { return time.Now().Add(time.Duration(p.ahead.Load())) }})
		if err != nil {
			return nil, err
		}
		p.states[i], handlers[i] = s, s.Handler()
	}
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(latency):
		case <-r.Context().Done():
		}
		handlers[p.current.Load()].ServeHTTP(w, r)
	}))
	return p, nil
}

// configuration reaches the whole organisation, in either state.
func (p *provider) configuration() map[string]any {
	s := p.states[0].Summary()
	return map[string]any{
		"access_key_id": s.Auditor.AccessKeyID, "secret_access_key": s.Auditor.SecretAccessKey, "region": s.Region, "endpoint_url": p.server.URL,
		"organizations_enabled": true, "identity_center_enabled": true, "member_role_name": s.AuditRole, "external_id": s.ExternalID,
	}
}

// fail lets the provider's calls fail until repair.
func (p *provider) fail(f simulator.Fault) error {
	for _, s := range p.states {
		if _, err := s.AddFault(f); err != nil {
			return err
		}
	}
	return nil
}

func (p *provider) repair() {
	p.ahead.Store(0)
	for _, s := range p.states {
		s.ClearFaults()
	}
}
