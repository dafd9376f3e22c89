package xero

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
	"github.com/gatehouse-project/gatehouse/connector/rest"
)

// pathOf is the call of the accounting API that a stream is read by.
func pathOf(stream string) string {
	if stream == streamUsers {
		return "/api.xro/2.0/Users"
	}
	return "/api.xro/2.0/Organisation"
}

// uses says which budgets a call takes from. The app is the access token's, and the
// organisation one that Xero listed: never what somebody entered.
func (s *session) uses(tenant string) []connector.Use {
	app := s.held.ClientID
	if app == "" {
		return nil
	}
	if s.configuration.EndpointURL != "" {
		return []connector.Use{{Scope: scopeEndpoint, Key: []string{s.configuration.EndpointURL, app}}}
	}
	uses := []connector.Use{{Scope: scopeAppMinute, Key: []string{app}}}
	if tenant != "" {
		uses = append(uses, connector.Use{Scope: scopeMinute, Key: []string{app, tenant}}, connector.Use{Scope: scopeDay, Key: []string{app, tenant}})
	}
	return uses
}

// met are the budgets whose limit an answer names. "API rate limits", X-Rate-Limit-Problem.
func met(uses []connector.Use) func(http.Header) []connector.Use {
	return func(header http.Header) []connector.Use {
		named := map[string]string{"minute": scopeMinute, "concurrent": scopeMinute, "day": scopeDay, "daily": scopeDay, "appminute": scopeAppMinute}
		scope := named[strings.ToLower(header.Get("X-Rate-Limit-Problem"))]
		for _, u := range uses {
			if u.Scope == scope {
				return []connector.Use{u}
			}
		}
		return uses
	}
}

// get makes a call; the token is had first, for it tells whose budget it takes from.
func (s *session) get(ctx context.Context, path, tenant string, into any) error {
	if _, err := s.access(ctx, false); err != nil {
		return err
	}
	uses := s.uses(tenant)
	call := rest.Call{Name: path, URL: s.base + path, Permission: permSettings, On: "the organisation", Uses: uses, Met: met(uses)}
	if tenant != "" {
		call.Header = header(tenant)
	}
	call.Refused = func(a rest.Answer) error { return s.refusal(path, tenant, a) }
	return s.client.JSON(ctx, call, into)
}

// refusal explains an answer that is an error, by status alone: Xero's texts are not
// relied on, as they are not documented whole.
func (s *session) refusal(path, tenant string, a rest.Answer) error {
	e := s.client.API.Refusal(path, permSettings, "the organisation", a.Status, a.Header)
	switch {
	case a.Status == http.StatusUnauthorized && s.held.lacks(permSettings):
		return lacking()
	case a.Status == http.StatusUnauthorized:
		// A token that was given a moment ago is refused.
		e.Category, e.Message = connector.CredentialExpired, "Xero does not take access tokens of this sign-in; consent again and store the new refresh token"
	case a.Status == http.StatusForbidden && tenant != "":
		e.Category, e.Permission, e.On = connector.PermissionDenied, permSettings, "organisation "+tenant
		e.Message = "the organisation is not connected to the app any more, or whoever consented has lost access to it"
	}
	return e
}

func lacking() *connector.Error {
	return &connector.Error{Category: connector.PermissionDenied, Message: "missing " + permSettings, Permission: permSettings, On: "the app's consent"}
}

// connected is an organisation that the app is connected to.
type connected struct {
	TenantID   string `json:"tenantId"`
	TenantType string `json:"tenantType"`
	TenantName string `json:"tenantName"`
}

// organisations lists those in scope, in order of id. absent are the ids that the
// scope names and the app is not connected to.
func (s *session) organisations(ctx context.Context) (list []connected, absent []string, err error) {
	var all []connected
	if err := s.get(ctx, "/connections", "", &all); err != nil {
		return nil, nil, err
	}
	for _, c := range all {
		c.TenantID = strings.ToLower(c.TenantID)
		if c.TenantType == "ORGANISATION" && guid.MatchString(c.TenantID) && (len(s.scope.Tenants) == 0 || slices.Contains(s.scope.Tenants, c.TenantID)) {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b connected) int { return strings.Compare(a.TenantID, b.TenantID) })
	for _, id := range s.scope.Tenants {
		if !slices.ContainsFunc(list, func(c connected) bool { return c.TenantID == id }) {
			absent = append(absent, id)
		}
	}
	return list, absent, nil
}

// Plan lists the organisations in scope. Xero lists all that the app is connected to in
// one answer, so the plan is complete.
func (s *session) Plan(ctx context.Context) (connector.Plan, error) {
	list, absent, err := s.organisations(ctx)
	if err != nil {
		return connector.Plan{}, err
	}
	plan := connector.Plan{Complete: true}
	for _, stream := range manifest().Streams {
		add := func(tenant string, skip *connector.Error) {
			plan.Partitions = append(plan.Partitions, connector.Partition{Stream: stream.Name, Key: tenant, Skip: skip})
		}
		for _, c := range list {
			if s.held.lacks(permSettings) {
				add(c.TenantID, lacking())
			} else {
				add(c.TenantID, nil)
			}
		}
		for _, id := range absent {
			add(id, notConnected(id))
		}
	}
	return plan, nil
}

func notConnected(id string) *connector.Error {
	return &connector.Error{Category: connector.PermissionDenied, Message: "the app is not connected to the organisation", Permission: permSettings, On: "organisation " + id}
}

func ref(kind connector.EntityKind, id string) connector.Ref {
	return connector.Ref{Kind: kind, ID: strings.ToLower(id)}
}

// readOrganisation reads an organisation and shows the app beside its users: it has no
// person, and the scopes that were consented to.
func (s *session) readOrganisation(ctx context.Context, tenant string, w *records.Writer) error {
	var answer struct {
		Organisations []struct {
			OrganisationID, Name, LegalName, ShortCode, Edition, OrganisationStatus, CountryCode string
			IsDemoCompany                                                                        bool
		}
	}
	if err := s.get(ctx, pathOf(streamOrganisations), tenant, &answer); err != nil {
		return err
	}
	if len(answer.Organisations) != 1 {
		return s.client.API.Unreadable(pathOf(streamOrganisations), nil)
	}
	o := answer.Organisations[0]
	attributes := records.Attributes(map[string]any{
		"organisation_id": strings.ToLower(o.OrganisationID), "legal_name": o.LegalName, "short_code": o.ShortCode, "edition": o.Edition,
		"status": o.OrganisationStatus, "country": o.CountryCode, "demo": o.IsDemoCompany,
	})
	boundary, ledger := ref(connector.CloudAccountBoundary, tenant), ref(connector.Resource, tenant)
	w.Entity(connector.Entity{Ref: boundary, Name: records.Name(o.Name), Type: "xero_organisation", Attributes: attributes})
	w.Entity(connector.Entity{Ref: ledger, Name: records.Name("Ledger of " + o.Name), Type: "xero_ledger"})
	w.Relate(connector.BoundaryContains, boundary, ledger)
	if s.held.ClientID == "" {
		return nil
	}
	who, app := ref(connector.Principal, "app/"+s.held.ClientID), ref(connector.Account, tenant+"/app/"+s.held.ClientID)
	w.Entity(connector.Entity{Ref: who, Name: "Gatehouse's app at Xero", Type: "workload"})
	w.Entity(connector.Entity{Ref: app, Name: "Gatehouse's app at Xero", Type: "xero_app"})
	w.Relate(connector.PrincipalRepresentsAccount, who, app)
	w.Relate(connector.BoundaryContains, boundary, app)
	for _, name := range s.held.Scope {
		if !strings.HasPrefix(name, "accounting.") {
			continue // of the sign-in, not of the organisation
		}
		scope := ref(connector.Entitlement, tenant+"/scope/"+name)
		w.Entity(connector.Entity{Ref: scope, Name: records.Name(name), Type: "xero_scope"})
		w.Relate(connector.AccountAssignedEntitlement, app, scope)
		w.Relationship(connector.Relationship{Kind: connector.EntitlementGrantsResource, From: scope, To: ledger, Terms: &connector.Terms{Actions: []string{strings.ToLower(name)}}})
	}
	return nil
}

// user is one of an organisation's, in the accounting API's form.
type user struct {
	UserID, EmailAddress, FirstName, LastName, OrganisationRole, UpdatedDateUTC string
	IsSubscriber                                                                bool
}

func (s *session) readUsers(ctx context.Context, tenant string, w *records.Writer) error {
	var answer struct{ Users []user }
	if err := s.get(ctx, pathOf(streamUsers), tenant, &answer); err != nil {
		return err
	}
	// Whoever pays for an organisation is a user of it: there is always one.
	if len(answer.Users) == 0 {
		return s.client.API.Unreadable(pathOf(streamUsers), nil)
	}
	for _, u := range answer.Users {
		if !guid.MatchString(u.UserID) {
			return s.client.API.Unreadable(pathOf(streamUsers), nil)
		}
		addUser(w, tenant, u)
		if err := w.Err(); err != nil {
			return err
		}
	}
	return nil
}

// removedRole is the role of somebody whose access was taken away.
const removedRole = "REMOVED"

// addUser adds a user with role. People sign in at Xero with their address, so it is
// theirs; the same person has one in each organisation.
func addUser(w *records.Writer, tenant string, u user) {
	address := strings.ToLower(strings.TrimSpace(u.EmailAddress))
	name := strings.TrimSpace(u.FirstName + " " + u.LastName)
	if name == "" {
		name = address
	}
	account := ref(connector.Account, tenant+"/"+u.UserID)
	w.Entity(connector.Entity{Ref: account, Name: records.Name(name), Type: "xero_user", Attributes: records.Attributes(map[string]any{
		"user_id": strings.ToLower(u.UserID), "email": address, "role": u.OrganisationRole, "subscriber": u.IsSubscriber,
		"disabled": u.OrganisationRole == removedRole, "updated_at": moment(u.UpdatedDateUTC),
	})})
	w.Relate(connector.BoundaryContains, ref(connector.CloudAccountBoundary, tenant), account)
	if address != "" && len(address) <= connector.MaxNameBytes {
		person := ref(connector.Principal, "person/"+address)
		w.Once(connector.Entity{Ref: person, Name: records.Name(address), Type: "person", Identifiers: []connector.Identifier{{Type: connector.Email, Value: address}}})
		w.Relate(connector.PrincipalRepresentsAccount, person, account)
	}
	if u.IsSubscriber {
		give(w, tenant, account, "SUBSCRIBER", "Subscriber")
	}
	if u.OrganisationRole != "" && u.OrganisationRole != removedRole {
		give(w, tenant, account, u.OrganisationRole, u.OrganisationRole)
	}
}

// roleActions are what Xero's documentation says of a role, in a word; those that are
// not there allow what the API does not tell.
func roleActions(role string) []string {
	return map[string][]string{
		"READONLY": {"read"}, "INVOICEONLY": {"invoices"}, "STANDARD": {"read", "write"}, "FINANCIALADVISER": {"read", "write", "advise"},
		"SUBSCRIBER": {"billing"},
	}[role]
}

func give(w *records.Writer, tenant string, account connector.Ref, role, name string) {
	entitlement := ref(connector.Entitlement, tenant+"/role/"+role)
	if !w.Has(entitlement) {
		w.Once(connector.Entity{Ref: entitlement, Name: records.Name(name), Type: "xero_role"})
		grant := connector.Relationship{Kind: connector.EntitlementGrantsResource, From: entitlement, To: ref(connector.Resource, tenant)}
		if actions := roleActions(role); actions != nil {
			grant.Terms = &connector.Terms{Actions: actions}
		}
		w.Relationship(grant)
	}
	w.Relate(connector.AccountAssignedEntitlement, account, entitlement)
}

var dotNetDate = regexp.MustCompile(`^/Date\((-?\d{1,15})([+-]\d{4})?\)/$`)

// moment reads a time of the accounting API, such as /Date(1508523261613+0000)/, which
// counts milliseconds in UTC whatever the offset behind them; nil for another form.
func moment(text string) *time.Time {
	found := dotNetDate.FindStringSubmatch(text)
	if found == nil {
		return nil
	}
	n, err := strconv.ParseInt(found[1], 10, 64)
	if err != nil {
		return nil
	}
	t := time.UnixMilli(n).UTC()
	return &t
}
