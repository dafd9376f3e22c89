package azure

import (
	"net/http"

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

// EstateReport is the answer of /_simulator/estate: what exists and how to reach
// it.
type EstateReport struct {
	Endpoint     string         `json:"endpoint"`
	Company      string         `json:"company"`
	People       int            `json:"people"`
	TenantID     string         `json:"tenant_id"`
	ClientID     string         `json:"client_id"`
	ClientSecret string         `json:"client_secret"`
	Counts       map[string]int `json:"counts"`
}

func (s *Simulator) report(endpoint string) EstateReport {
	e := s.estate
	return EstateReport{
		Endpoint: endpoint, Company: e.Company.Name, People: e.Company.People(),
		TenantID: e.TenantID, ClientID: e.Auditor.ClientID, ClientSecret: e.Auditor.Secret,
		Counts: map[string]int{
			"users": e.Company.People(), "groups": len(e.Groups), "applications": len(e.Applications), "service_principals": len(e.ServicePrincipals),
			"app_role_assignments": len(e.AppRoles), "delegated_grants": len(e.Grants), "directory_role_assignments": len(e.RoleAssignments),
			"administrative_units": len(e.Units), "management_groups": len(e.ManagementGroups), "subscriptions": len(e.Subscriptions),
			"role_assignments": len(e.Assignments), "deny_assignments": len(e.Denies),
		},
	}
}

// maxBody bounds what a client may send.
const maxBody = 1 << 20

// mountControl adds the simulator's own interface.
func (s *Simulator) mountControl(mux *http.ServeMux) {
	control.Mount(mux, s, func(origin string) any { return s.report(origin) })
}
