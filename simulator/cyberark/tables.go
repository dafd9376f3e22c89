package cyberark

import (
	"fmt"
	"slices"
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/cyberark/estate"
)

// The rights that show the rows of tables.
func userRights() []string        { return []string{estate.RightReadUsers, estate.RightUsers} }
func roleRights() []string        { return []string{estate.RightReadRoles, estate.RightRoles} }
func applicationRights() []string { return []string{estate.RightReadSystem, estate.RightApplications} }

// theAuditor stands for the service user among people.
const theAuditor = -1

func (s *Simulator) makeTables() map[string]*table {
	e := s.estate
	// Both tables of users in the order of ids, with the service user in its place.
	all := make([]int32, 0, e.Users()+1)
	for i := range e.Users() {
		if len(all) == i && e.UserID(e.UserAt(i)) > e.Auditor.UserID {
			all = append(all, theAuditor)
		}
		all = append(all, int32(e.UserAt(i)))
	}
	if len(all) == e.Users() {
		all = append(all, theAuditor)
	}
	var known []int32
	for _, person := range all {
		if person == theAuditor || e.User(int(person)).Known {
			known = append(known, person)
		}
	}
	roles, applications := ordered(len(e.Roles), func(i int) string { return e.Roles[i].ID }), ordered(len(e.Applications), func(i int) string { return e.Applications[i].ID })
	return map[string]*table{
		"user": {
			name: "User", key: "ID", rights: userRights(), own: e.Auditor.UserID,
			columns: []string{"ID", "Username", "DisplayName", "Email", "LastLogin", "LastInvite", "StatusEnum", "SourceDs", "SourceDsType", "DirectoryServiceUuid", "Forest"},
			rows:    len(known), id: func(i int) string { return s.userID(known[i]) }, row: func(i int) row { return s.userRow(known[i]) },
		},
		"dsusers": {
			name: "DsUsers", key: "InternalName", rights: userRights(),
			columns: []string{"InternalName", "SystemName", "DisplayName", "Email", "Description", "StatusEnum", "Status", "Enabled", "Locked", "ServiceInstance", "ServiceInstanceLocalized", "ServiceType", "DirectoryServiceUuid", "Forest"},
			rows:    len(all), id: func(i int) string { return s.userID(all[i]) }, row: func(i int) row { return s.directoryRow(all[i]) },
		},
		"dsgroups": {
			name: "DsGroups", key: "InternalName", rights: userRights(),
			columns: []string{"InternalName", "SystemName", "DisplayName", "ServiceInstance", "DirectoryServiceUuid"},
			rows:    len(e.Groups), id: func(i int) string { return e.Groups[i].ID },
			row: func(i int) row {
				d := e.Directories[estate.DirectoryActive]
				return row{
					"InternalName": e.Groups[i].ID, "SystemName": e.Groups[i].Name, "DisplayName": e.Groups[i].Name,
					"ServiceInstance": "AdProxy_" + d.Forest, "DirectoryServiceUuid": d.ID,
				}
			},
		},
		"role": {
			name: "Role", key: "ID", rights: roleRights(), columns: []string{"ID", "Name", "RoleType", "ReadOnly", "Description", "DirectoryServiceUuid"},
			rows: len(roles), id: func(i int) string { return e.Roles[roles[i]].ID },
			row: func(i int) row {
				r := e.Roles[roles[i]]
				return row{"ID": r.ID, "Name": r.Name, "RoleType": r.Kind, "ReadOnly": r.ReadOnly, "Description": orNull(r.Description), "DirectoryServiceUuid": e.Directories[estate.DirectoryCloud].ID}
			},
		},
		"application": {
			name: "Application", key: "ID", rights: applicationRights(), own: e.Auditor.ApplicationID,
			columns: []string{"ID", "Name", "DisplayName", "Description", "AppType", "WebAppType", "State"},
			rows:    len(applications), id: func(i int) string { return e.Applications[applications[i]].ID },
			row: func(i int) row {
				a := e.Applications[applications[i]]
				return row{"ID": a.ID, "Name": a.Name, "DisplayName": a.Name, "Description": orNull(a.Description), "AppType": "Web", "WebAppType": a.WebType, "State": a.State}
			},
		},
	}
}

// ordered are the positions of things in the order of their ids.
func ordered(n int, id func(i int) string) []int {
	at := make([]int, n)
	for i := range at {
		at[i] = i
	}
	slices.SortFunc(at, func(a, b int) int {
		if id(a) < id(b) {
			return -1
		}
		return 1
	})
	return at
}

func (s *Simulator) userID(person int32) string {
	if person == theAuditor {
		return s.estate.Auditor.UserID
	}
	return s.estate.UserID(int(person))
}

// user is a person's user, or the service user.
func (s *Simulator) user(person int32) estate.User {
	if person != theAuditor {
		return s.estate.User(int(person))
	}
	a := s.estate.Auditor
	return estate.User{ID: a.UserID, Login: a.Login, DisplayName: "Gatehouse", Directory: estate.DirectoryCloud, Enabled: true, Status: "Active", Known: true}
}

func (s *Simulator) userRow(person int32) row {
	u := s.user(person)
	d := s.estate.Directories[u.Directory]
	return row{
		"ID": u.ID, "Username": u.Login, "DisplayName": u.DisplayName, "Email": orNull(u.Mail), "LastLogin": date(u.LastLogin), "LastInvite": nil,
		"StatusEnum": u.Status, "SourceDs": instance(d), "SourceDsType": d.Service, "DirectoryServiceUuid": d.ID, "Forest": orNull(d.Forest),
	}
}

func (s *Simulator) directoryRow(person int32) row {
	u := s.user(person)
	d := s.estate.Directories[u.Directory]
	return row{
		"InternalName": u.ID, "SystemName": u.Login, "DisplayName": u.DisplayName, "Email": orNull(u.Mail), "Description": nil, "StatusEnum": u.Status,
		"Status": u.Status, "Enabled": u.Enabled, "Locked": u.Locked, "ServiceInstance": instance(d), "ServiceInstanceLocalized": d.Name,
		"ServiceType": d.Name, "DirectoryServiceUuid": d.ID, "Forest": orNull(d.Forest),
	}
}

func instance(d estate.Directory) string {
	if d.Forest != "" {
		return "AdProxy_" + d.Forest
	}
	return d.Service
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// date is a moment in CyberArk's form.
func date(t *time.Time) any {
	if t == nil {
		return nil
	}
	return fmt.Sprintf("/Date(%d)/", t.UnixMilli())
}
