package azure

import (
	"context"
	"crypto/x509"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/azure/estate"
	"github.com/gatehouse-project/gatehouse/simulator/control"
)

// Options say what to simulate.
type Options struct {
	People int   // 2 to enterprise.MaxPeople
	Seed   int64 // any number
	// Certificates are those with which the auditor may sign in beside its secret.
	Certificates []*x509.Certificate
	// Unlicensed tenants have no Entra ID P2: nothing is eligible there.
	Unlicensed bool
	// Faults are in force from the start. More can be added while it runs.
	Faults []Fault
	// Clock tells the time for tokens; nil means time.Now.
	Clock func() time.Time
}

// Simulator answers the requests of Microsoft's clients about one estate. It is
// safe for concurrent use.
type Simulator struct {
	estate   *estate.Estate
	options  Options
	clock    func() time.Time
	requests atomic.Uint64
	tokens   atomic.Uint64
	faults   faults
	calls    control.Counter
	groups   map[string]*estate.Group
	units    map[string]*estate.AdministrativeUnit
	apps     map[string]*estate.Application
	sps      map[string]*estate.ServicePrincipal
	roles    map[string][]estate.AppRoleAssignment // by resource
	left     sync.Map                              // ids of those who left
}

// New makes a simulator.
func New(options Options) (*Simulator, error) {
	made, err := estate.New(estate.Options{People: options.People, Seed: options.Seed})
	if err != nil {
		return nil, err
	}
	s := &Simulator{
		estate: made, options: options, clock: options.Clock,
		groups: map[string]*estate.Group{}, units: map[string]*estate.AdministrativeUnit{}, apps: map[string]*estate.Application{},
		sps: map[string]*estate.ServicePrincipal{}, roles: map[string][]estate.AppRoleAssignment{},
	}
	if s.clock == nil {
		s.clock = time.Now
	}
	for i := range made.Groups {
		s.groups[made.Groups[i].ID] = &made.Groups[i]
	}
	for i := range made.Units {
		s.units[made.Units[i].ID] = &made.Units[i]
	}
	for i := range made.Applications {
		s.apps[made.Applications[i].ID] = &made.Applications[i]
	}
	for i := range made.ServicePrincipals {
		s.sps[made.ServicePrincipals[i].ID] = &made.ServicePrincipals[i]
	}
	for _, a := range made.AppRoles {
		s.roles[a.Resource] = append(s.roles[a.Resource], a)
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

// Handler serves Microsoft's protocols, and the simulator's own under
// /_simulator/.
func (s *Simulator) Handler() http.Handler {
	mux := http.NewServeMux()
	s.mountControl(mux)
	mux.HandleFunc("/v1.0/", s.serveGraph)
	mux.HandleFunc("/beta/", s.serveGraph)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		tenant, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		switch {
		case rest == "oauth2/v2.0/token" && r.Method == http.MethodPost:
			s.serveToken(w, r, tenant)
		case rest == "v2.0/.well-known/openid-configuration" && r.Method == http.MethodGet:
			s.serveDiscovery(w, r, tenant)
		default:
			s.serveARM(w, r)
		}
	})
	return mux
}

// Serve answers on listener until the context ends, then stops and closes the
// listener. It answers nil when stopped by the context.
func (s *Simulator) Serve(ctx context.Context, listener net.Listener) error {
	return control.Serve(ctx, listener, s.Handler(), "Azure")
}
