package aws

import (
	"encoding/json"
	"maps"
	"net/http"
	"sync"

	"github.com/gatehouse-project/gatehouse/simulator/aws/estate"
)

// counter counts calls by service:operation.
type counter struct {
	mu     sync.Mutex
	counts map[string]int
}

func (c *counter) add(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = map[string]int{}
	}
	c.counts[name]++
}

func (c *counter) snapshot() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		return map[string]int{}
	}
	return maps.Clone(c.counts)
}

func (c *counter) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts = nil
}

// Requests answers how many calls were made, by service:operation, faulty
// ones included.
func (s *Simulator) Requests() map[string]int { return s.calls.snapshot() }

// AddFault puts a fault in force and answers it with its identifier.
func (s *Simulator) AddFault(f Fault) (Fault, error) { return s.faults.add(f) }

// Faults lists those in force and how often each struck.
func (s *Simulator) Faults() []Fault { return s.faults.list() }

// ClearFaults ends all faults.
func (s *Simulator) ClearFaults() { s.faults.remove("") }

// EstateReport is the answer of /_simulator/estate: what exists and how to
// reach it.
type EstateReport struct {
	Endpoint string         `json:"endpoint"`
	People   int            `json:"people"`
	Summary  estate.Summary `json:"estate"`
}

// mountControl adds the simulator's own interface. No bucket can have a name
// that begins with an underscore, so that the path is free.
//
//	GET    /_simulator/estate       what exists, and credentials
//	GET    /_simulator/day          which day it is
//	PUT    /_simulator/day          make it another: {"day": 30}
//	GET    /_simulator/truth        who reaches ?bucket=, or what ?identity= reaches, with ?action=
//	GET    /_simulator/requests     calls so far, by service:operation
//	DELETE /_simulator/requests     count from zero
//	GET    /_simulator/faults       faults in force
//	POST   /_simulator/faults       add one (see Fault)
//	DELETE /_simulator/faults       end all
//	DELETE /_simulator/faults/{id}  end one
func (s *Simulator) mountControl(mux *http.ServeMux) {
	mux.HandleFunc("GET /_simulator/estate", func(w http.ResponseWriter, r *http.Request) {
		scheme := "http"
		if r.TLS != nil {
			scheme = "https"
		}
		writeControl(w, http.StatusOK, EstateReport{Endpoint: scheme + "://" + r.Host, People: s.Estate().Company.People(), Summary: s.Summary()})
	})
	mux.HandleFunc("GET /_simulator/day", s.showDay)
	mux.HandleFunc("PUT /_simulator/day", s.turnDay)
	mux.HandleFunc("GET /_simulator/truth", s.showTruth)
	mux.HandleFunc("GET /_simulator/requests", func(w http.ResponseWriter, _ *http.Request) {
		writeControl(w, http.StatusOK, s.Requests())
	})
	mux.HandleFunc("DELETE /_simulator/requests", func(w http.ResponseWriter, _ *http.Request) {
		s.calls.reset()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /_simulator/faults", func(w http.ResponseWriter, _ *http.Request) {
		writeControl(w, http.StatusOK, s.Faults())
	})
	mux.HandleFunc("POST /_simulator/faults", s.addFault)
	mux.HandleFunc("DELETE /_simulator/faults", func(w http.ResponseWriter, _ *http.Request) {
		s.ClearFaults()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("DELETE /_simulator/faults/{id}", func(w http.ResponseWriter, r *http.Request) {
		if !s.faults.remove(r.PathValue("id")) {
			http.Error(w, "no such fault", http.StatusNotFound)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("/_simulator/", http.NotFound)
}

func (s *Simulator) addFault(w http.ResponseWriter, r *http.Request) {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	decoder.DisallowUnknownFields()
	var wanted Fault
	if err := decoder.Decode(&wanted); err != nil {
		http.Error(w, "read the fault: "+err.Error(), http.StatusBadRequest)
		return
	}
	added, err := s.faults.add(wanted)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	writeControl(w, http.StatusCreated, added)
}

func writeControl(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	// The client may be gone; nobody is left to tell.
	_ = encoder.Encode(body)
}
