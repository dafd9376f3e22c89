package cyberark

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/simulator/cyberark/estate"
)

// scope are the patterns over REST paths that the auditor's app has in its scope.
func scope() []string {
	return []string{
		"Security/whoami.*", "Redrock/query.*", "UserMgmt/GetUsersRolesAndAdministrativeRights.*", "UserMgmt/DirectoryServiceQuery.*",
		"UserMgmt/IsUserLockedOutByPolicy.*", "Roles/GetRoleMembers.*", "Acl/GetRowAces.*", "Core/GetDirectoryServices.*",
	}
}

// rightPath is the path of an administrative right that is known by a name; empty
// when none is.
func rightPath(name string) string {
	return map[string]string{
		"User Management": estate.RightUsers, "Read Only User Management": estate.RightReadUsers,
		"Role Management": estate.RightRoles, "Read Only Role Management": estate.RightReadRoles,
		"Application Management": estate.RightApplications, "Read Only System Administration": estate.RightReadSystem,
		"Report Management": estate.RightReports, "MFA Unlock": estate.RightUnlockMFA, "Admin Portal Login": estate.RightAdminPortal,
	}[name]
}

// rightName is the name of an administrative right; its path when it has none.
func rightName(path string) string {
	for _, name := range []string{
		"User Management", "Read Only User Management", "Role Management", "Read Only Role Management", "Application Management",
		"Read Only System Administration", "Report Management", "MFA Unlock", "Admin Portal Login",
	} {
		if rightPath(name) == path {
			return name
		}
	}
	return path
}

// covers reports whether the scope has a path, and how its absence is answered.
func (s *Simulator) covers(path string) (ok bool, status int) {
	status = http.StatusForbidden
	for _, pattern := range scope() {
		if !regexp.MustCompile("(?i)^" + pattern + "$").MatchString(path) {
			continue
		}
		fault, denied := s.faults.denied(pattern)
		if !denied {
			return true, 0
		}
		if fault.Status != 0 {
			status = fault.Status
		}
	}
	return false, status
}

// rights are the administrative rights that the auditor has.
func (s *Simulator) rights() (rights []string) {
	for _, right := range s.estate.Roles[estate.RoleAuditors].Rights {
		if _, denied := s.faults.denied(rightName(right)); !denied {
			rights = append(rights, right)
		}
	}
	return rights
}

// may reports whether the auditor has one of some rights.
func (s *Simulator) may(oneOf []string) bool {
	has := s.rights()
	return slices.ContainsFunc(oneOf, func(r string) bool { return slices.Contains(has, r) })
}

// operation is what a path is called in counts and faults: without query and in its
// usual letters.
func operation(path string) string {
	path = strings.Trim(path, "/")
	for _, known := range operations() {
		if strings.EqualFold(known, path) {
			return known
		}
	}
	return ""
}
