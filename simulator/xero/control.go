package xero

// Requests answers how many calls were made, by service:operation, faulty ones
// included.
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

// EstateReport is the answer of /_simulator/estate: what exists and how to reach it.
type EstateReport struct {
	Endpoint     string `json:"endpoint"`
	Company      string `json:"company"`
	People       int    `json:"people"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	// RefreshToken is a new sign-in's at each time it is asked for.
	RefreshToken string         `json:"refresh_token"`
	TenantIDs    []string       `json:"tenant_ids"`
	Users        map[string]int `json:"users"`
}

func (s *Simulator) report(endpoint string) EstateReport {
	r := EstateReport{
		Endpoint: endpoint, Company: s.company.Name, People: s.company.People(), ClientID: s.issuer.ClientID, ClientSecret: s.issuer.ClientSecret,
		RefreshToken: s.SignIn(), Users: map[string]int{},
	}
	for _, o := range s.orgs {
		r.TenantIDs = append(r.TenantIDs, o.TenantID)
		r.Users[o.TenantID] = len(s.Users(o))
	}
	return r
}
