package xero

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The limits of the API, per organisation and app.
const (
	perMinute    = 60
	perDay       = 5000
	appPerMinute = 10_000
)

// limits count calls for the headers that say what is left. They refuse nothing: what
// is refused is a fault's.
type limits struct {
	mu   sync.Mutex
	seen map[string]int
}

func (l *limits) count(key string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen == nil {
		l.seen = map[string]int{}
	}
	l.seen[key]++
	return l.seen[key]
}

func refuse(w http.ResponseWriter, status int, title, detail string) {
	writeJSON(w, status, map[string]any{"Type": nil, "Title": title, "Status": status, "Detail": detail, "Instance": "0"})
}

func (*Simulator) throttle(w http.ResponseWriter, problem string, seconds int) {
	if problem == "" {
		problem = "minute"
	}
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	w.Header().Set("X-Rate-Limit-Problem", problem)
	w.WriteHeader(http.StatusTooManyRequests)
}

func (s *Simulator) serveConnections(w http.ResponseWriter, r *http.Request) {
	const operation = "api:connections"
	s.calls.Add(operation)
	held, text, ok := s.bearer(r)
	if s.struck(w, r, operation, text) {
		return
	}
	if !ok {
		refuse(w, http.StatusUnauthorized, "Unauthorized", "TokenExpired: token expired")
		return
	}
	list := []map[string]string{}
	for i, o := range s.orgs {
		if held.User == "" && i > 0 {
			break // a custom connection has one
		}
		list = append(list, map[string]string{
			"id": s.company.Draw().UUID("xero connection", i), "authEventId": s.company.Draw().UUID("xero consent"), "tenantId": o.TenantID,
			"tenantType": "ORGANISATION", "tenantName": o.Name, "createdDateUtc": "2026-01-05T08:00:00.1234560", "updatedDateUtc": "2026-01-05T08:00:00.1234560",
		})
	}
	if held.User != "" {
		list = append(list, map[string]string{"id": "p", "tenantId": s.company.Draw().UUID("xero practice"), "tenantType": "PRACTICE", "tenantName": s.company.Name + " Advisers"})
	}
	writeJSON(w, http.StatusOK, list)
}

// accounting begins a call of the accounting API; ok is false when it was answered.
func (s *Simulator) accounting(w http.ResponseWriter, r *http.Request, operation string) (o Organisation, ok bool) {
	s.calls.Add(operation)
	held, text, valid := s.bearer(r)
	if s.struck(w, r, operation, text) {
		return o, false
	}
	at := slices.IndexFunc(s.orgs, func(o Organisation) bool { return o.TenantID == r.Header.Get("xero-tenant-id") })
	if held.User == "" && r.Header.Get("xero-tenant-id") == "" {
		at = 0
	}
	switch {
	case !valid:
		refuse(w, http.StatusUnauthorized, "Unauthorized", "TokenExpired: token expired")
		return o, false
	case at < 0:
		refuse(w, http.StatusForbidden, "Forbidden", "AuthenticationUnsuccessful")
		return o, false
	case !slices.Contains(held.Scope, "accounting.settings.read"):
		refuse(w, http.StatusUnauthorized, "Unauthorized", "AuthorizationUnsuccessful")
		return o, false
	}
	o = s.orgs[at]
	w.Header().Set("X-MinLimit-Remaining", strconv.Itoa(max(0, perMinute-s.limits.count(o.TenantID)%perMinute)))
	w.Header().Set("X-DayLimit-Remaining", strconv.Itoa(max(0, perDay-s.limits.count("day "+o.TenantID))))
	w.Header().Set("X-AppMinLimit-Remaining", strconv.Itoa(max(0, appPerMinute-s.limits.count("app")%appPerMinute)))
	if !strings.Contains(r.Header.Get("Accept"), "application/json") {
		w.Header().Set("Content-Type", "text/xml; charset=utf-8")
		_, _ = w.Write([]byte(xml.Header + "<Response><Status>OK</Status></Response>")) // the client may be gone
		return o, false
	}
	return o, true
}

func (s *Simulator) envelope(plural string, items any) map[string]any {
	return map[string]any{"Id": "0", "Status": "OK", "ProviderName": "Simulator", "DateTimeUTC": moment(s.clock()), plural: items}
}

// moment is a time in the form of the accounting API's JSON.
func moment(t time.Time) string { return fmt.Sprintf("/Date(%d+0000)/", t.UnixMilli()) }

func (s *Simulator) serveOrganisation(w http.ResponseWriter, r *http.Request) {
	o, ok := s.accounting(w, r, "api:Organisation")
	if !ok {
		return
	}
	writeJSON(w, http.StatusOK, s.envelope("Organisations", []map[string]any{{
		"OrganisationID": o.TenantID, "Name": o.Name, "LegalName": o.Name, "ShortCode": o.Short, "Edition": "BUSINESS", "Class": "PREMIUM",
		"IsDemoCompany": o.Demo, "OrganisationStatus": "ACTIVE", "CountryCode": "GB", "BaseCurrency": "GBP", "OrganisationType": "COMPANY",
	}}))
}

func (s *Simulator) serveUsers(w http.ResponseWriter, r *http.Request) {
	o, ok := s.accounting(w, r, "api:Users")
	if !ok {
		return
	}
	list := []map[string]any{}
	for _, u := range s.Users(o) {
		list = append(list, map[string]any{
			"UserID": u.UserID, "EmailAddress": u.Email, "FirstName": u.First, "LastName": u.Last, "IsSubscriber": u.Subscriber, "OrganisationRole": u.Role,
			"UpdatedDateUTC": moment(s.company.Person(u.Person).Started),
		})
	}
	writeJSON(w, http.StatusOK, s.envelope("Users", list))
}
