package aws

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/aws/estate"
)

// Options say what to simulate.
type Options struct {
	People int   // 2 to enterprise.MaxPeople
	Seed   int64 // any number
	// Region is where Identity Center and most resources are; empty means
	// us-east-1.
	Region string
	// Faults are in force from the start. More can be added while it runs.
	Faults []Fault
	// Clock tells the time for signatures and sessions; nil means time.Now.
	Clock func() time.Time
}

// Simulator answers the requests of AWS clients about one estate. It is safe
// for concurrent use.
type Simulator struct {
	estate   *estate.Estate
	services map[string]*service
	handlers map[string]operations // by service
	clock    func() time.Time
	requests atomic.Uint64 // numbers the requests
	sessions sessions
	faults   faults
	calls    counter
	grants   grants
	summary  func() estate.Summary

	reportsMu sync.Mutex
	reports   map[string]bool // accounts whose credential report was asked for
}

// New makes a simulator.
func New(options Options) (*Simulator, error) {
	made, err := estate.New(estate.Options{People: options.People, Seed: options.Seed, Region: options.Region})
	if err != nil {
		return nil, err
	}
	s := &Simulator{
		estate: made, services: services(), clock: options.Clock,
		summary: sync.OnceValue(made.Summary), reports: map[string]bool{},
	}
	if s.clock == nil {
		s.clock = time.Now
	}
	s.handlers = map[string]operations{
		"sts": s.stsOperations(), "iam": s.iamOperations(), "organizations": s.organizationsOperations(), "sso": s.ssoOperations(),
		"identitystore": s.identityStoreOperations(), "s3": s.s3Operations(), "lambda": s.lambdaOperations(),
	}
	for _, fault := range options.Faults {
		if _, err := s.faults.add(fault); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Estate is the truth behind the answers.
func (s *Simulator) Estate() *estate.Estate { return s.estate }

// Summary says what the estate holds and which credentials open it. The
// first call looks at every account.
func (s *Simulator) Summary() estate.Summary { return s.summary() }

// Handler serves AWS's protocols, and the simulator's own under /_simulator/.
func (s *Simulator) Handler() http.Handler {
	mux := http.NewServeMux()
	s.mountControl(mux)
	mux.HandleFunc("/", s.serveAWS)
	return mux
}

// shutdownGrace is how long requests may take to end after Serve was told to
// stop.
const shutdownGrace = 5 * time.Second

// Serve answers on listener until the context ends, then stops and closes
// the listener. It answers nil when stopped by the context.
func (s *Simulator) Serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve the AWS simulator: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		// Somebody holds a request open; cut it off.
		if err := server.Close(); err != nil {
			return fmt.Errorf("stop the AWS simulator: %w", err)
		}
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the AWS simulator: %w", err)
	}
	return nil
}
