package cyberark

import (
	"net/http"

	"github.com/gatehouse-project/gatehouse/simulator/control"
)

// Requests answers how many calls were made, by operation, faulty ones included.
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

// EstateReport is the answer of /_simulator/estate: what exists and how to reach
// it.
type EstateReport struct {
	Endpoint      string         `json:"endpoint"`
	Company       string         `json:"company"`
	People        int            `json:"people"`
	TenantURL     string         `json:"tenant_url"`
	ApplicationID string         `json:"application_id"`
	Scope         string         `json:"scope"`
	ClientID      string         `json:"client_id"`
	ClientSecret  string         `json:"client_secret"`
	Counts        map[string]int `json:"counts"`
}

// TenantURL is the address that the tenant has at CyberArk.
func (s *Simulator) TenantURL() string { return "https://" + s.estate.TenantID + ".id.cyberark.cloud" }

func (s *Simulator) report(endpoint string) EstateReport {
	e := s.estate
	return EstateReport{
		Endpoint: endpoint, Company: e.Company.Name, People: e.Company.People(), TenantURL: s.TenantURL(),
		ApplicationID: e.Auditor.ApplicationID, Scope: e.Auditor.Scope, ClientID: e.Auditor.Login, ClientSecret: e.Auditor.Password,
		Counts: map[string]int{
			"users": e.Users(), "directories": len(e.Directories), "groups": len(e.Groups), "roles": len(e.Roles), "applications": len(e.Applications),
		},
	}
}

// mountControl adds the simulator's own interface.
func (s *Simulator) mountControl(mux *http.ServeMux) {
	control.Mount(mux, s, func(origin string) any { return s.report(origin) })
}
