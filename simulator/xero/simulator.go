package xero

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/control"
	"github.com/gatehouse-project/gatehouse/simulator/enterprise"
)

// Options say what to simulate.
type Options struct {
	People int   // 2 to enterprise.MaxPeople
	Seed   int64 // any number
	// Faults are in force from the start. More can be added while it runs.
	Faults []Fault
	// Clock tells the time for tokens; nil means time.Now.
	Clock func() time.Time
}

// Simulator answers the requests of Xero's clients about one company. It is safe for
// concurrent use.
type Simulator struct {
	company *enterprise.Company
	orgs    []Organisation
	clock   func() time.Time
	faults  faults
	calls   control.Counter
	// left are the people whose access was taken away since.
	left   sync.Map
	issuer issuer
	limits limits
}

// New makes a simulator.
func New(options Options) (*Simulator, error) {
	company, err := enterprise.New(options.People, options.Seed)
	if err != nil {
		return nil, err
	}
	s := &Simulator{company: company, orgs: organisations(company), clock: options.Clock}
	if s.clock == nil {
		s.clock = time.Now
	}
	s.issuer.begin(company)
	for _, f := range options.Faults {
		if _, err := s.faults.add(f); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Company is the company and its people.
func (s *Simulator) Company() *enterprise.Company { return s.company }

// Organisations are those that the app is connected to.
func (s *Simulator) Organisations() []Organisation { return append([]Organisation(nil), s.orgs...) }

// Leave takes a person's access to every organisation away.
func (s *Simulator) Leave(person int) { s.left.Store(person, true) }

// Handler serves Xero's protocols, and the simulator's own under /_simulator/.
func (s *Simulator) Handler() http.Handler {
	mux := http.NewServeMux()
	control.Mount(mux, s, func(origin string) any { return s.report(origin) })
	mux.HandleFunc("POST /connect/token", s.serveToken)
	mux.HandleFunc("GET /connections", s.serveConnections)
	mux.HandleFunc("GET /api.xro/2.0/Organisation", s.serveOrganisation)
	mux.HandleFunc("GET /api.xro/2.0/Users", s.serveUsers)
	return mux
}

// Serve answers on listener until the context ends, then stops and closes the
// listener. It answers nil when stopped by the context.
func (s *Simulator) Serve(ctx context.Context, listener net.Listener) error {
	return control.Serve(ctx, listener, s.Handler(), "Xero")
}
