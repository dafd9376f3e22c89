package aws

import (
	"net/http"

	"github.com/gatehouse-project/gatehouse/simulator/aws/estate"
	"github.com/gatehouse-project/gatehouse/simulator/control"
)

// Requests answers how many calls were made, by service:operation, faulty
// ones included.
func (s *Simulator) Requests() map[string]int { return s.calls.Snapshot() }

// ResetRequests counts calls from zero.
func (s *Simulator) ResetRequests() { s.calls.Reset() }

// AddFault puts a fault in force and answers it with its identifier.
func (s *Simulator) AddFault(f Fault) (Fault, error) { return s.faults.add(f) }

// Faults lists those in force and how often each struck.
func (s *Simulator) Faults() []Fault { return s.faults.list() }

// ClearFaults ends all faults.
func (s *Simulator) ClearFaults() { s.faults.Remove("") }

// EndFault ends one fault; it says whether there was one.
func (s *Simulator) EndFault(id string) bool { return s.faults.Remove(id) }

// EstateReport is the answer of /_simulator/estate: what exists and how to
// reach it.
type EstateReport struct {
	Endpoint string         `json:"endpoint"`
	People   int            `json:"people"`
	Summary  estate.Summary `json:"estate"`
}

// mountControl adds the simulator's own interface: that of [control.Mount], and
//
//	GET    /_simulator/day          which day it is
//	PUT    /_simulator/day          make it another: {"day": 30}
//	GET    /_simulator/truth        who reaches ?bucket=, or what ?identity= reaches, with ?action=
//
// No bucket can have a name that begins with an underscore, so that the path is free.
func (s *Simulator) mountControl(mux *http.ServeMux) {
	control.Mount(mux, s, func(origin string) any {
		return EstateReport{Endpoint: origin, People: s.Estate().Company.People(), Summary: s.Summary()}
	})
	mux.HandleFunc("GET /_simulator/day", s.showDay)
	mux.HandleFunc("PUT /_simulator/day", s.turnDay)
	mux.HandleFunc("GET /_simulator/truth", s.showTruth)
}
