package cyberark

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/control"
	"github.com/gatehouse-project/gatehouse/simulator/cyberark/estate"
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

// Simulator answers the requests of clients about one tenant. It is safe for
// concurrent use.
type Simulator struct {
	estate *estate.Estate
	clock  func() time.Time
	tables map[string]*table
	tokens tokens
	faults faults
	calls  control.Counter
	// shuffles numbers the queries without an order.
	shuffles atomic.Uint64
	left     sync.Map // ids of users who left
}

// New makes a simulator.
func New(options Options) (*Simulator, error) {
	made, err := estate.New(estate.Options{People: options.People, Seed: options.Seed})
	if err != nil {
		return nil, err
	}
	s := &Simulator{estate: made, clock: options.Clock}
	if s.clock == nil {
		s.clock = time.Now
	}
	s.tables = s.makeTables()
	for _, fault := range options.Faults {
		if _, err := s.faults.add(fault); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Estate is the truth behind the answers.
func (s *Simulator) Estate() *estate.Estate { return s.estate }

// Leave has a person's user gone from now on, also from lists that somebody is
// reading.
func (s *Simulator) Leave(person int) { s.left.Store(s.estate.UserID(person), true) }

func (s *Simulator) isGone(id string) bool {
	_, gone := s.left.Load(id)
	return gone
}

// Handler serves CyberArk's protocol, and the simulator's own under /_simulator/.
func (s *Simulator) Handler() http.Handler {
	mux := http.NewServeMux()
	s.mountControl(mux)
	mux.HandleFunc("POST /oauth2/platformtoken", s.servePlatformToken)
	mux.HandleFunc("POST /OAuth2/Token/{application}", s.serveToken)
	mux.HandleFunc("/", s.serveAPI)
	return mux
}

// Serve answers on listener until the context ends, then stops and closes the
// listener. It answers nil when stopped by the context.
func (s *Simulator) Serve(ctx context.Context, listener net.Listener) error {
	return control.Serve(ctx, listener, s.Handler(), "CyberArk")
}
