package control

import (
	"encoding/json"
	"net/http"
)

// maxBody bounds what a client may send.
const maxBody = 1 << 20

// Switchboard is what can be asked and changed of a simulator while it runs. F is
// its fault, as JSON shows it.
type Switchboard[F any] interface {
	// Requests are the calls so far, by name; ResetRequests counts from zero.
	Requests() map[string]int
	ResetRequests()
	// AddFault puts a fault in force and returns it with its identifier.
	AddFault(fault F) (F, error)
	// Faults lists those in force, with how often each has hit.
	Faults() []F
	// ClearFaults ends all, EndFault one; it says whether there was one.
	ClearFaults()
	EndFault(id string) bool
}

// Mount adds a simulator's own interface. estate is what /_simulator/estate answers,
// given the address by which the client reached the simulator.
//
//	GET    /_simulator/estate       what exists, and credentials
//	GET    /_simulator/requests     calls so far, by service:operation
//	DELETE /_simulator/requests     count from zero
//	GET    /_simulator/faults       faults in force
//	POST   /_simulator/faults       add one
//	DELETE /_simulator/faults       end all
//	DELETE /_simulator/faults/{id}  end one
func Mount[F any](mux *http.ServeMux, s Switchboard[F], estate func(origin string) any) {
	mux.HandleFunc("GET /_simulator/estate", func(w http.ResponseWriter, r *http.Request) {
		Write(w, http.StatusOK, estate(Origin(r)))
	})
	mux.HandleFunc("GET /_simulator/requests", func(w http.ResponseWriter, _ *http.Request) {
		Write(w, http.StatusOK, s.Requests())
	})
	mux.HandleFunc("DELETE /_simulator/requests", func(w http.ResponseWriter, _ *http.Request) {
		s.ResetRequests()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /_simulator/faults", func(w http.ResponseWriter, _ *http.Request) {
		Write(w, http.StatusOK, s.Faults())
	})
	mux.HandleFunc("POST /_simulator/faults", func(w http.ResponseWriter, r *http.Request) {
		var wanted F
		if !Read(w, r, "fault", &wanted) {
			return
		}
		added, err := s.AddFault(wanted)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		Write(w, http.StatusCreated, added)
	})
	mux.HandleFunc("DELETE /_simulator/faults", func(w http.ResponseWriter, _ *http.Request) {
		s.ClearFaults()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("DELETE /_simulator/faults/{id}", func(w http.ResponseWriter, r *http.Request) {
		if !s.EndFault(r.PathValue("id")) {
			http.Error(w, "no such fault", http.StatusNotFound)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("/_simulator/", http.NotFound)
}

// Origin is the address by which a client reached the simulator.
func Origin(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// Read reads what a client sent as JSON, without unknown fields; where it cannot, it
// has answered so and returns false. name is what it is.
func Read(w http.ResponseWriter, r *http.Request, name string, into any) bool {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		http.Error(w, "read the "+name+": "+err.Error(), http.StatusBadRequest)
		return false
	}
	return true
}

// Write answers with JSON that people can read.
func Write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	// The client may be gone; nobody is left to tell.
	_ = encoder.Encode(body)
}
