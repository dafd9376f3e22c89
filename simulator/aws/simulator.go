package aws

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/aws/estate"
	"github.com/gatehouse-project/gatehouse/simulator/control"
)

// Options say what to simulate.
type Options struct {
	People int   // 2 to enterprise.MaxPeople
	Seed   int64 // any number
	// Region is where Identity Center and most resources are; empty means
	// us-east-1.
	Region string
	// Day is how many days have passed since the estate was made.
	Day int
	// Faults are in force from the start. More can be added while it runs.
	Faults []Fault
	// Clock tells the time for signatures and sessions; nil means time.Now.
	Clock func() time.Time
}

// Simulator answers the requests of AWS clients about one estate. It is safe
// for concurrent use.
type Simulator struct {
	today    atomic.Pointer[today]
	options  Options
	services map[string]*service
	handlers map[string]operations // by service
	clock    func() time.Time
	requests atomic.Uint64 // numbers the requests
	sessions sessions
	faults   faults
	calls    control.Counter
	grants   grants

	reportsMu sync.Mutex
	reports   map[string]bool // accounts whose credential report was asked for
}

// New makes a simulator.
func New(options Options) (*Simulator, error) {
	s := &Simulator{options: options, services: services(), clock: options.Clock, reports: map[string]bool{}}
	if err := s.Turn(options.Day); err != nil {
		return nil, err
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
func (s *Simulator) Estate() *estate.Estate { return s.today.Load().estate }

// today is the estate on the day that it is.
type today struct {
	estate  *estate.Estate
	summary func() estate.Summary
}

// Turn makes it another day, earlier or later. Requests that are being answered
// may still see the day before.
func (s *Simulator) Turn(day int) error {
	if day < 0 || day > MaxDay {
		return fmt.Errorf("there are days 0 to %d, and no day %d", MaxDay, day)
	}
	made, err := estate.New(estate.Options{People: s.options.People, Seed: s.options.Seed, Region: s.options.Region, Day: day})
	if err != nil {
		return err
	}
	s.today.Store(&today{estate: made, summary: sync.OnceValue(made.Summary)})
	return nil
}

// MaxDay is the last day there is: ten years.
const MaxDay = 3650

// Summary says what the estate holds and which credentials open it. The
// first call looks at every account.
func (s *Simulator) Summary() estate.Summary { return s.today.Load().summary() }

// Handler serves AWS's protocols, and the simulator's own under /_simulator/.
func (s *Simulator) Handler() http.Handler {
	mux := http.NewServeMux()
	s.mountControl(mux)
	mux.HandleFunc("/", s.serveAWS)
	return mux
}

// Serve answers on listener until the context ends, then stops and closes the
// listener. It answers nil when stopped by the context.
func (s *Simulator) Serve(ctx context.Context, listener net.Listener) error {
	return control.Serve(ctx, listener, s.Handler(), "AWS")
}
