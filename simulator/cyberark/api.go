package cyberark

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/gatehouse-project/gatehouse/simulator/cyberark/estate"
)

// The operations, by their paths.
const (
	opWhoAmI      = "Security/whoami"
	opQuery       = "Redrock/query"
	opOwnRights   = "UserMgmt/GetUsersRolesAndAdministrativeRights"
	opDirectory   = "UserMgmt/DirectoryServiceQuery"
	opLockedOut   = "UserMgmt/IsUserLockedOutByPolicy"
	opRoleMembers = "Roles/GetRoleMembers"
	opRowAces     = "Acl/GetRowAces"
	opDirectories = "Core/GetDirectoryServices"
	aceOfRow      = "TableRow"
)

func operations() []string {
	return []string{opWhoAmI, opQuery, opOwnRights, opDirectory, opLockedOut, opRoleMembers, opRowAces, opDirectories}
}

// object is JSON.
type object = map[string]any

// request is a call of the API.
type request struct {
	operation string
	query     map[string][]string
	body      []byte
}

// failure is an error in CyberArk's form: with status 200.
type failure struct{ id, text string }

func unauthorized() *failure {
	return &failure{"_I18N_UnauthorizedAccess", "You are not authorized to perform this operation. Please contact your administrator."}
}

func invalid(text string) *failure { return &failure{"_I18N_InvalidQuery", text} }

// serveAPI answers everything but requests for tokens.
func (s *Simulator) serveAPI(w http.ResponseWriter, r *http.Request) {
	op := operation(r.URL.Path)
	if op == "" || r.Header.Get("X-IDAP-NATIVE-CLIENT") != "true" {
		servePage(w)
		return
	}
	s.calls.Add(op)
	// Read before anything is waited for: only then it is noticed that a client gave up.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "Bad Request", http.StatusBadRequest)
		return
	}
	scoped, used, ok := s.tokens.use(bearer(r), s.clock())
	effect := s.faults.on(op, used)
	if effect.delay > 0 && !wait(r, effect.delay) {
		return
	}
	switch {
	case !ok, effect.kind == FaultExpire:
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
		return
	case effect.kind == FaultThrottle:
		w.Header().Set("Retry-After", strconv.Itoa(effect.retryAfter))
		http.Error(w, "Too Many Requests", http.StatusTooManyRequests)
		return
	case effect.kind == FaultUnavailable:
		http.Error(w, "Service Unavailable", http.StatusServiceUnavailable)
		return
	case effect.kind == FaultPage:
		servePage(w)
		return
	case r.Method != http.MethodPost && op != opDirectories:
		http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
		return
	}
	if covered, status := s.covers(op); scoped && !covered {
		http.Error(w, http.StatusText(status), status)
		return
	}
	found, failed := s.answer(request{op, r.URL.Query(), body})
	s.write(w, found, failed, effect.broken)
}

// answer does what an operation does.
func (s *Simulator) answer(r request) (any, *failure) {
	switch r.operation {
	case opWhoAmI:
		a := s.estate.Auditor
		return object{"TenantId": strings.ToUpper(s.estate.TenantID), "User": a.Login, "UserUuid": a.UserID}, nil
	case opQuery:
		return s.query(r)
	case opOwnRights:
		return s.ownRights(), nil
	case opDirectory:
		return s.directory(r)
	case opLockedOut:
		return s.lockedOut(r)
	case opRoleMembers:
		return s.roleMembers(r)
	case opRowAces:
		return s.rowAces(r)
	}
	var rows []row
	for _, d := range s.estate.Directories {
		rows = append(rows, row{"directoryServiceUuid": d.ID, "Service": d.Service, "Name": instance(d), "DisplayName": d.Name, "DisplayNameShort": d.Name, "Forest": orNull(d.Forest), "Status": "Online"})
	}
	return rowsOf(rows, "DirectoryService", "directoryServiceUuid"), nil
}

// pageArgs are the arguments of a page.
type pageArgs struct {
	PageNumber, PageSize, Limit *int
}

func (a pageArgs) page() page {
	p := page{1, 100_000, 100_000}
	for _, one := range []struct {
		given *int
		to    *int
	}{{a.PageNumber, &p.number}, {a.PageSize, &p.size}, {a.Limit, &p.limit}} {
		if one.given != nil && *one.given > 0 {
			*one.to = *one.given
		}
	}
	return p
}

func (s *Simulator) query(r request) (any, *failure) {
	var asked struct {
		Script string
		Args   pageArgs
	}
	if json.Unmarshal(r.body, &asked) != nil {
		return nil, invalid("The request cannot be read.")
	}
	q, err := parseQuery(asked.Script)
	if err != nil {
		return nil, invalid("Error in query: " + err.Error())
	}
	t := s.tables[q.table]
	if t == nil {
		return nil, invalid("Error in query: no such table: " + q.table)
	}
	found, err := t.find(q, asked.Args.page(), s.may(t.rights), s.isGone, int(s.shuffles.Add(1)))
	if err != nil {
		return nil, invalid("Error in query: " + err.Error())
	}
	columns := make([]object, len(found.columns))
	for i, c := range found.columns {
		columns[i] = object{"Name": c, "Title": c, "IsHidden": false, "TableName": t.name}
	}
	results := make([]object, len(found.rows))
	for i, one := range found.rows {
		results[i] = object{"Entities": []object{{"Type": t.name, "Key": found.ids[i], "IsForeignKey": false}}, "Row": one}
	}
	return object{"IsAggregate": false, "Count": len(results), "Columns": columns, "FullCount": found.full, "Results": results, "ReturnID": ""}, nil
}

func (s *Simulator) ownRights() any {
	auditors := s.estate.Roles[estate.RoleAuditors]
	everybody := s.estate.Roles[estate.RoleOfEverybody]
	return rowsOf([]row{
		{"ID": auditors.ID, "Name": auditors.Name, "AdministrativeRights": describe(s.rights())},
		{"ID": everybody.ID, "Name": everybody.Name, "AdministrativeRights": []object{}},
	}, "Role", "ID")
}

func describe(rights []string) []object {
	all := []object{}
	for _, r := range rights {
		all = append(all, object{"Path": r, "Description": rightName(r)})
	}
	return all
}

// directory answers with roles and their rights; users and groups are asked for by
// queries.
func (s *Simulator) directory(r request) (any, *failure) {
	var asked struct {
		DirectoryServices []string `json:"directoryServices"`
		Roles             *string  `json:"roles"`
		Args              pageArgs
	}
	var filter object
	if json.Unmarshal(r.body, &asked) != nil || len(asked.DirectoryServices) == 0 || asked.Roles == nil || json.Unmarshal([]byte(*asked.Roles), &filter) != nil {
		return nil, invalid("The request cannot be read.")
	}
	var rows []row
	if s.may(roleRights()) {
		for _, role := range s.estate.Roles {
			rows = append(rows, row{
				"_ID": role.ID, "Name": role.Name, "RoleType": role.Kind, "Description": orNull(role.Description), "ReadOnly": role.ReadOnly, "IsHidden": false,
				"AdministrativeRights": describe(role.Rights),
			})
		}
	}
	p, full := asked.Args.page(), len(rows)
	first := min(full, (p.number-1)*p.size)
	all := rowsOf(rows[first:min(full, first+min(p.size, p.limit))], "Role", "_ID")
	all["FullCount"] = full
	return object{"Roles": all}, nil
}

func (s *Simulator) lockedOut(r request) (any, *failure) {
	if !s.may([]string{estate.RightUsers}) {
		return nil, unauthorized()
	}
	var id string
	if len(r.query["user"]) > 0 {
		id = r.query["user"][0]
	}
	if id == "" || id == s.estate.Auditor.UserID {
		return false, nil
	}
	person, ok := s.estate.Person(id)
	if !ok || s.isGone(id) {
		return nil, &failure{"_I18N_UserNotFound", "The user was not found."}
	}
	return s.estate.User(person).Stuck, nil
}

func (s *Simulator) roleMembers(r request) (any, *failure) {
	var asked struct{ Name string }
	if json.Unmarshal(r.body, &asked) != nil {
		return nil, invalid("The request cannot be read.")
	}
	role := s.estate.Role(asked.Name)
	if !s.may(roleRights()) || role == nil {
		return nil, unauthorized()
	}
	var rows []row
	for i := range s.estate.Members(role) {
		if m := s.estate.Member(role, i); !s.isGone(m.ID) {
			rows = append(rows, row{"Guid": m.ID, "Name": m.Name, "Type": m.Kind})
		}
	}
	all := rowsOf(rows, "RoleMember", "Guid")
	all["hasMoreRows"] = false
	return all, nil
}

func (s *Simulator) rowAces(r request) (any, *failure) {
	var asked struct{ RowKey, Table string }
	if json.Unmarshal(r.body, &asked) != nil || asked.Table != "Application" {
		return nil, invalid("The request cannot be read.")
	}
	for _, a := range s.estate.Applications {
		if a.ID != asked.RowKey {
			continue
		}
		if !s.may(applicationRights()) {
			return nil, unauthorized()
		}
		aces := []object{}
		for n, g := range a.Grants {
			kind := aceOfRow
			if g.Inherited {
				kind = "Super"
			}
			aces = append(aces, object{
				"AceId": a.ID + "-" + strconv.Itoa(n), "Principal": g.Who.ID, "PrincipalName": g.Who.Name, "PrincipalType": g.Who.Kind,
				"Type": kind, "Inherited": g.Inherited, "Grant": int32(g.Bits), "GrantStr": strconv.FormatInt(g.Bits, 10),
			})
		}
		return aces, nil
	}
	return nil, &failure{"_I18N_NotFound", "The application was not found."}
}

// rowsOf is a list in the form that most operations have.
func rowsOf(rows []row, kind, key string) object {
	results := make([]object, len(rows))
	for i, one := range rows {
		results[i] = object{"Entities": []object{{"Type": kind, "Key": one[key], "IsForeignKey": false}}, "Row": one}
	}
	return object{"IsAggregate": false, "Count": len(rows), "FullCount": len(rows), "Columns": []object{}, "Results": results, "ReturnID": ""}
}

// write answers in CyberArk's envelope.
func (*Simulator) write(w http.ResponseWriter, found any, failed *failure, broken bool) {
	envelope := object{"success": failed == nil, "Result": found, "Message": nil, "MessageID": nil, "Exception": nil, "ErrorID": nil, "ErrorCode": nil, "InnerExceptions": nil}
	if failed != nil {
		envelope["Message"], envelope["MessageID"] = failed.text, failed.id
	}
	if !broken {
		writeJSON(w, http.StatusOK, envelope)
		return
	}
	text, err := json.Marshal(envelope)
	if err != nil {
		http.Error(w, "Internal Server Error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(text[:len(text)/2]) // the client may be gone
}

// servePage answers with the page that people sign in on.
func servePage(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, "<!DOCTYPE html>\n<html><head><title>Sign In</title></head><body></body></html>\n") // the client may be gone
}
