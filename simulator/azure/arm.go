package azure

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse-project/gatehouse/simulator/azure/estate"
	"github.com/gatehouse-project/gatehouse/simulator/control"
)

// armPageSize is how many entries a page of Resource Manager has here.
const armPageSize = 50

// The actions that the operations need.
const (
	actionSubscriptions   = "Microsoft.Resources/subscriptions/read"
	actionResourceGroups  = "Microsoft.Resources/subscriptions/resourceGroups/read"
	actionGroups          = "Microsoft.Management/managementGroups/read"
	actionDescendants     = "Microsoft.Management/managementGroups/descendants/read"
	actionRoleAssignments = "Microsoft.Authorization/roleAssignments/read"
	actionRoleDefinitions = "Microsoft.Authorization/roleDefinitions/read"
	actionDenyAssignments = "Microsoft.Authorization/denyAssignments/read"
)

// armList is a list of Resource Manager.
type armList struct {
	operation, action, scope string
	value                    []object
	// hides leaves out what may not be read instead of refusing.
	hides bool
}

func (s *Simulator) serveARM(w http.ResponseWriter, r *http.Request) {
	s.requests.Add(1)
	token, ok := s.bearer(r)
	if !ok || !strings.Contains(token.Audience, "management.") {
		s.failARM(w, &failure{status: http.StatusUnauthorized, code: "InvalidAuthenticationToken", text: "The access token is invalid."})
		return
	}
	l, f := s.routeARM(r)
	operation := r.URL.Path
	if l != nil {
		operation = l.operation
	}
	s.calls.Add(serviceARM + ":" + operation)
	effect := s.faults.on(call{service: serviceARM, operation: operation, token: token.ID, paged: r.URL.Query().Has("$skiptoken")})
	if effect.delay > 0 && !wait(r, effect.delay) {
		return
	}
	w.Header().Set("x-ms-ratelimit-remaining-subscription-reads", "249")
	switch {
	case effect.kind == FaultThrottle:
		f = &failure{status: http.StatusTooManyRequests, code: "TooManyRequests", text: "The request is being throttled.", retryAfter: effect.retryAfter}
	case effect.kind == FaultUnavailable:
		f = &failure{status: http.StatusServiceUnavailable, code: "ServiceUnavailable", text: "The service is unavailable."}
	case effect.kind == FaultExpire:
		f = &failure{status: http.StatusUnauthorized, code: "ExpiredAuthenticationToken", text: "The access token expiry UTC time is earlier than current UTC time."}
	case effect.kind == FaultStale:
		f = &failure{status: http.StatusBadRequest, code: "InvalidSkipToken", text: "The skip token is invalid."}
	case f != nil:
	case r.Method != http.MethodGet:
		f = &failure{status: http.StatusMethodNotAllowed, code: "MethodNotAllowed", text: "The method is not allowed."}
	case r.URL.Query().Get("api-version") == "":
		f = &failure{status: http.StatusBadRequest, code: "MissingApiVersionParameter", text: "The api-version query parameter (?api-version=) is required for all requests."}
	case s.faults.denied(l.action, l.scope):
		if l.hides {
			l.value = nil
			break
		}
		f = &failure{status: http.StatusForbidden, code: "AuthorizationFailed", text: fmt.Sprintf(
			"The client '%[1]s' with object id '%[1]s' does not have authorization to perform action '%[2]s' over scope '%[3]s' or the scope is invalid. If access was recently granted, please refresh your credentials.",
			token.Object, l.action, l.scope)}
	}
	if f != nil {
		s.failARM(w, f)
		return
	}
	s.writeAnswer(w, answer{status: http.StatusOK, body: pageARM(r, l)}, effect.broken)
}

func (s *Simulator) failARM(w http.ResponseWriter, f *failure) {
	if f.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(f.retryAfter))
	}
	writeJSON(w, f.status, object{"error": object{"code": f.code, "message": f.text}})
}

// pageARM cuts a page; as in Graph, the second of several is empty.
func pageARM(r *http.Request, l *armList) object {
	from, empty := 0, false
	q := r.URL.Query()
	if raw, err := base64.RawURLEncoding.DecodeString(q.Get("$skiptoken")); err == nil {
		_, _ = fmt.Sscanf(string(raw), "%d/%t", &from, &empty) // another token starts again
	}
	from = min(max(from, 0), len(l.value))
	to := min(len(l.value), from+armPageSize)
	if empty {
		to = from
	}
	body := object{"value": append([]object{}, l.value[from:to]...)}
	if to < len(l.value) || empty {
		q.Set("$skiptoken", base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d/%t", to, from == 0 && !empty)))
		body["nextLink"] = control.Origin(r) + r.URL.EscapedPath() + "?" + q.Encode()
	}
	return body
}

// routeARM finds the list that a path names; paths are not case-sensitive.
func (s *Simulator) routeARM(r *http.Request) (*armList, *failure) {
	path := strings.ToLower(strings.TrimSuffix(r.URL.Path, "/"))
	notThere := &failure{status: http.StatusNotFound, code: "InvalidResourceType", text: "The resource type could not be found."}
	scope, what, authorization := strings.Cut(path, "/providers/microsoft.authorization/")
	if authorization {
		return s.authorization(scope, what, r.URL.Query())
	}
	switch {
	case path == "/subscriptions":
		return s.listSubscriptions(), nil
	case path == "/providers/microsoft.management/managementgroups":
		return s.listManagementGroups(), nil
	case strings.HasPrefix(path, "/providers/microsoft.management/managementgroups/") && strings.HasSuffix(path, "/descendants"):
		name := strings.TrimSuffix(strings.TrimPrefix(path, "/providers/microsoft.management/managementgroups/"), "/descendants")
		return s.listDescendants(name)
	case strings.HasSuffix(path, "/resourcegroups"):
		for _, sub := range s.estate.Subscriptions {
			if path == strings.ToLower(sub.Path()+"/resourcegroups") {
				return listResourceGroups(sub), nil
			}
		}
		return nil, &failure{status: http.StatusNotFound, code: "SubscriptionNotFound", text: "The subscription could not be found."}
	}
	return nil, notThere
}

func (s *Simulator) listSubscriptions() *armList {
	l := &armList{operation: "subscriptions", action: actionSubscriptions, scope: "/", hides: true}
	for _, sub := range s.estate.Subscriptions {
		state := "Enabled"
		if sub.Disabled {
			state = "Disabled"
		}
		l.value = append(l.value, object{"id": sub.Path(), "subscriptionId": sub.ID, "tenantId": s.estate.TenantID, "displayName": sub.Name, "state": state, "authorizationSource": "RoleBased"})
	}
	return l
}

func (s *Simulator) listManagementGroups() *armList {
	l := &armList{operation: "managementGroups", action: actionGroups, scope: "/"}
	for _, g := range s.estate.ManagementGroups {
		l.value = append(l.value, object{"id": g.Path(), "type": "Microsoft.Management/managementGroups", "name": g.Name, "properties": object{"tenantId": s.estate.TenantID, "displayName": g.DisplayName}})
	}
	return l
}

func (s *Simulator) listDescendants(name string) (*armList, *failure) {
	e := s.estate
	if name != e.TenantID {
		return nil, &failure{status: http.StatusNotFound, code: "NotFound", text: "The management group is not the root."}
	}
	l := &armList{operation: "managementGroups/descendants", action: actionDescendants, scope: e.ManagementGroups[0].Path()}
	for _, g := range e.ManagementGroups[1:] {
		l.value = append(l.value, object{
			"id": g.Path(), "type": "Microsoft.Management/managementGroups", "name": g.Name,
			"properties": object{"displayName": g.DisplayName, "parent": object{"id": e.ManagementGroups[g.Parent].Path()}},
		})
	}
	for _, sub := range e.Subscriptions {
		l.value = append(l.value, object{
			"id": sub.Path(), "type": "/subscriptions", "name": sub.ID,
			"properties": object{"displayName": sub.Name, "parent": object{"id": e.ManagementGroups[sub.Group].Path()}},
		})
	}
	return l, nil
}

func listResourceGroups(sub estate.Subscription) *armList {
	l := &armList{operation: "resourceGroups", action: actionResourceGroups, scope: sub.Path()}
	for _, name := range sub.ResourceGroups {
		l.value = append(l.value, object{"id": sub.Path() + "/resourceGroups/" + name, "type": "Microsoft.Resources/resourceGroups", "name": name, "location": sub.Location, "managedBy": nil, "properties": object{"provisioningState": "Succeeded"}})
	}
	return l
}

// authorization answers the lists of Microsoft.Authorization at a scope.
func (s *Simulator) authorization(scope, what string, q url.Values) (*armList, *failure) {
	above, known := s.above(scope)
	if !known {
		return nil, &failure{status: http.StatusNotFound, code: "SubscriptionNotFound", text: "The scope could not be found."}
	}
	filter := q.Get("$filter")
	if filter != "" && filter != "atScope()" && !strings.HasPrefix(filter, "type eq '") {
		return nil, &failure{status: http.StatusBadRequest, code: "UnsupportedQuery", text: "The filter is not supported."}
	}
	named := scope
	if named == "" {
		named = "/"
	}
	l := &armList{scope: named}
	applies := func(at string) bool {
		at = strings.ToLower(at)
		return at == named || slices.Contains(above, at) || filter != "atScope()" && (named == "/" || strings.HasPrefix(at, named+"/") || s.contains(named, at))
	}
	switch what {
	case "roleassignments":
		l.operation, l.action = "roleAssignments", actionRoleAssignments
		l.value = s.azureAssignments(s.estate.Assignments, applies, false)
	case "roleeligibilityscheduleinstances":
		l.operation, l.action = "roleEligibilityScheduleInstances", actionRoleAssignments
		if s.options.Unlicensed {
			return nil, &failure{status: http.StatusBadRequest, code: "AadPremiumLicenseRequired", text: "The tenant needs an AAD Premium 2 license."}
		}
		l.value = s.azureAssignments(s.estate.Eligible, applies, true)
	case "roledefinitions":
		l.operation, l.action = "roleDefinitions", actionRoleDefinitions
		l.value = s.azureRoles(named, filter)
	case "denyassignments":
		l.operation, l.action = "denyAssignments", actionDenyAssignments
		l.value = s.azureDenies(applies)
	default:
		return nil, &failure{status: http.StatusNotFound, code: "InvalidResourceType", text: "The resource type could not be found."}
	}
	return l, nil
}

// above are the scopes above one, in lower case; known is false for a scope that
// does not exist.
func (s *Simulator) above(scope string) (above []string, known bool) {
	if scope == "" {
		return nil, true
	}
	e := s.estate
	for _, g := range e.ManagementGroups {
		if scope == strings.ToLower(g.Path()) {
			for p := g.Parent; p >= 0; p = e.ManagementGroups[p].Parent {
				above = append(above, strings.ToLower(e.ManagementGroups[p].Path()))
			}
			return append(above, "/"), true
		}
	}
	for _, sub := range e.Subscriptions {
		if scope == strings.ToLower(sub.Path()) {
			for _, a := range e.Ancestors(sub) {
				above = append(above, strings.ToLower(a))
			}
			return above, true
		}
	}
	return nil, false
}

// contains reports whether a management group is above another scope.
func (s *Simulator) contains(group, at string) bool {
	parts := strings.SplitN(at, "/", 4)
	if len(parts) > 2 && parts[1] == "subscriptions" {
		at = "/subscriptions/" + parts[2]
	}
	above, _ := s.above(at)
	return slices.Contains(above, group)
}

func (s *Simulator) azureAssignments(all []estate.AzureAssignment, applies func(string) bool, eligible bool) (value []object) {
	for i, a := range all {
		if !applies(a.Scope) {
			continue
		}
		scope := a.Scope
		if i%2 == 1 && strings.Contains(scope, "/resourceGroups/") {
			scope = strings.ToLower(scope)
		}
		properties := object{
			"scope": scope, "roleDefinitionId": roleID(scope, a.RoleID), "principalId": a.Principal.ID, "principalType": principalType(a.Principal.Type),
			"condition": nil, "conditionVersion": nil, "createdOn": a.Created.Format("2006-01-02T15:04:05.0000000Z"), "description": nil,
		}
		if a.Condition != "" {
			properties["condition"], properties["conditionVersion"] = a.Condition, "2.0"
		}
		kind := "roleAssignments"
		if eligible {
			kind = "roleEligibilityScheduleInstances"
			properties["memberType"], properties["status"], properties["startDateTime"], properties["endDateTime"] = "Direct", "Provisioned", "2026-01-01T00:00:00Z", nil
			if a.End != nil {
				properties["endDateTime"] = a.End.Format("2006-01-02T15:04:05Z")
			}
		}
		value = append(value, object{"id": strings.TrimSuffix(scope, "/") + "/providers/Microsoft.Authorization/" + kind + "/" + a.Name, "type": "Microsoft.Authorization/" + kind, "name": a.Name, "properties": properties})
	}
	return value
}

// roleID is a role definition's id as assignments write it: below the subscription
// where there is one.
func roleID(scope, role string) string {
	parts := strings.SplitN(scope, "/", 4)
	prefix := ""
	if len(parts) > 2 && parts[1] == "subscriptions" {
		prefix = "/subscriptions/" + parts[2]
	}
	return prefix + "/providers/Microsoft.Authorization/roleDefinitions/" + role
}

func (s *Simulator) azureRoles(scope, filter string) (value []object) {
	for _, r := range s.estate.AzureRoles {
		kind := "CustomRole"
		if r.BuiltIn {
			kind = "BuiltInRole"
		}
		assignable := append([]string{}, r.AssignableTo...)
		if r.BuiltIn {
			assignable = []string{"/"}
		}
		if strings.HasPrefix(filter, "type eq '") && filter != "type eq '"+kind+"'" ||
			!r.BuiltIn && !slices.ContainsFunc(assignable, func(a string) bool { return strings.EqualFold(a, scope) || s.contains(scope, strings.ToLower(a)) }) {
			continue
		}
		value = append(value, object{
			"id": roleID(scope, r.ID), "type": "Microsoft.Authorization/roleDefinitions", "name": r.ID,
			"properties": object{
				"roleName": r.Name, "description": r.Description, "type": kind, "assignableScopes": assignable,
				"permissions": []object{{"actions": orEmpty(r.Actions), "notActions": orEmpty(r.NotActions), "dataActions": orEmpty(r.DataActions), "notDataActions": orEmpty(r.NotDataActions)}},
			},
		})
	}
	return value
}

func (s *Simulator) azureDenies(applies func(string) bool) (value []object) {
	for _, d := range s.estate.Denies {
		if !applies(d.Scope) {
			continue
		}
		excepted := []object{}
		for _, p := range d.Excepted {
			excepted = append(excepted, object{"id": p.ID, "type": principalType(p.Type)})
		}
		value = append(value, object{
			"id": d.Scope + "/providers/Microsoft.Authorization/denyAssignments/" + d.Name, "type": "Microsoft.Authorization/denyAssignments", "name": d.Name,
			"properties": object{
				"denyAssignmentName": d.DisplayName, "description": nil, "scope": d.Scope, "doNotApplyToChildScopes": d.NotBelow, "isSystemProtected": d.SystemDefine,
				"permissions":       []object{{"actions": orEmpty(d.Actions), "notActions": orEmpty(d.NotActions), "dataActions": []string{}, "notDataActions": []string{}}},
				"principals":        []object{{"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined"}},
				"excludePrincipals": excepted,
			},
		})
	}
	return value
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
