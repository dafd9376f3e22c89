package cyberark

import (
	"context"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

// The administrative rights that streams need, by the names that people see.
const (
	rightReadUsers  = "Read Only User Management"
	rightReadRoles  = "Read Only Role Management"
	rightReadSystem = "Read Only System Administration"
	rightUsers      = "User Management"
)

// systemAdministrator is the id of the role that has all rights.
const systemAdministrator = "sysadmin"

// enough are the paths of rights of which one shows as much as a right does; SDK,
// administrative rights.
func enough(right string) []string {
	switch right {
	case rightReadUsers:
		return []string{"/lib/rights/rouserman.json", "/lib/rights/dsman.json"}
	case rightReadRoles:
		return []string{"/lib/rights/roroleman.json", "/lib/rights/roleman.json"}
	case rightReadSystem:
		return []string{"/lib/rights/monitor.json", "/lib/rights/appman.json"}
	}
	return []string{"/lib/rights/dsman.json"}
}

// knownRights are the names of rights whose descriptions CyberArk may translate.
func knownRights() map[string]string {
	return map[string]string{
		"/lib/rights/dsman.json": rightUsers, "/lib/rights/rouserman.json": rightReadUsers,
		"/lib/rights/roleman.json": "Role Management", "/lib/rights/roroleman.json": rightReadRoles,
		"/lib/rights/appman.json": "Application Management", "/lib/rights/monitor.json": rightReadSystem,
		"/lib/rights/fedman.json": "Federation Management", "/lib/rights/reportman.json": "Report Management",
		"/lib/rights/adminportallogin.json": "Admin Portal Login", "/lib/rights/mfaunlock.json": "MFA Unlock",
		"/lib/rights/radiusman.json": "RADIUS Management", "/lib/rights/proxycode.json": "Register and Administer Connectors",
		"/lib/rights/identityverification.json": "Identity Verification", "/lib/rights/sharedcredentials.json": "Shared Credentials",
		"/lib/rights/agentmanjoin.json": "System Enrollment", "/lib/rights/vaultman.json": "Vault Management",
	}
}

// rightGrant is an administrative right of a role.
type rightGrant struct {
	Path        string `json:"Path"`
	Description string `json:"Description"`
}

// roleRights is a role with its rights, as two operations show it.
type roleRights struct {
	ID     string       `json:"ID"`
	RowID  string       `json:"_ID"`
	Name   string       `json:"Name"`
	Rights []rightGrant `json:"AdministrativeRights"`
}

func (r roleRights) id() string {
	if r.ID != "" {
		return r.ID
	}
	return r.RowID
}

// ownRights are the rights of the service user.
type ownRights struct {
	all   bool
	paths []string
	role  string
}

func (o ownRights) has(right string) bool {
	return o.all || slices.ContainsFunc(enough(right), func(p string) bool { return slices.Contains(o.paths, p) })
}

// rights asks once what rights the service user has by its roles.
func (s *session) rights(ctx context.Context) (ownRights, error) {
	if s.own != nil {
		return *s.own, nil
	}
	var got rowsAnswer[roleRights]
	if err := post(ctx, s.client, call{path: pathOwnRights, body: map[string]any{"Args": firstPage(s.rows)}, pattern: patternOwnRights}, &got); err != nil {
		return ownRights{}, err
	}
	var own ownRights
	for _, r := range got.rows() {
		own.all = own.all || strings.EqualFold(r.id(), systemAdministrator)
		for _, right := range r.Rights {
			own.paths, own.role = append(own.paths, strings.ToLower(right.Path)), r.id()
		}
	}
	s.own = &own
	return own, nil
}

// require returns the error of a right that the service user does not have, or of
// whatever keeps that from being known: CyberArk would leave rows out and say nothing.
func (s *session) require(ctx context.Context, right string) error {
	own, err := s.rights(ctx)
	if err != nil {
		return err
	}
	if !own.has(right) {
		return lacking(right)
	}
	return nil
}

// mostRoleReads is how often the list of roles with their rights is read when it
// changes meanwhile: its pages have numbers.
const mostRoleReads = 3

// readRights reads which role has which administrative rights over the tenant.
func (s *session) readRights(ctx context.Context, _ records.Place, b *records.Writer) error {
	if err := s.require(ctx, rightReadRoles); err != nil {
		return err
	}
	who, err := s.client.identity(ctx)
	if err != nil {
		return err
	}
	found, err := s.rolesWithRights(ctx)
	if err != nil {
		return err
	}
	tenant := resourceRef(who.tenant)
	for _, r := range found {
		if strings.EqualFold(r.id(), systemAdministrator) {
			b.Relationship(connector.Relationship{
				Kind: connector.EntitlementGrantsResource, From: entitlementRef(r.id()), To: tenant, Key: "all", Terms: &connector.Terms{Actions: []string{"*"}},
			})
		}
		for _, right := range r.Rights {
			path := strings.ToLower(right.Path)
			if path == "" {
				continue
			}
			b.Relate(connector.EntitlementIncludesEntitlement, entitlementRef(r.id()), rightRef(path))
			if b.Has(rightRef(path)) {
				continue
			}
			b.Once(connector.Entity{Ref: rightRef(path), Name: records.Name(rightName(path, right.Description)), Type: "administrative_right"})
			b.Relationship(connector.Relationship{
				Kind: connector.EntitlementGrantsResource, From: rightRef(path), To: tenant, Terms: &connector.Terms{Actions: []string{records.Clip(path, 256)}},
			})
		}
	}
	return b.Err()
}

func rightName(path, description string) string {
	if name := knownRights()[path]; name != "" {
		return name
	}
	if description != "" {
		return description
	}
	return path
}

// rolesWithRights lists all roles with their rights. The list that changes while it is
// read is read again.
func (s *session) rolesWithRights(ctx context.Context) ([]roleRights, error) {
	services, err := s.directories(ctx)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, d := range services {
		// Roles are the cloud directory's.
		if d.Service == serviceCloud {
			ids = append(ids, d.ID)
		}
	}
	for range mostRoleReads {
		if s.listing == nil {
			s.listing = &roleListing{seen: map[string]bool{}}
		}
		stable, err := s.listing.read(ctx, s, ids)
		if err != nil {
			// The next read goes on behind the pages that were read.
			return nil, err
		}
		listed := s.listing.all
		s.listing = nil
		if stable {
			return listed, nil
		}
	}
	return nil, &connector.Error{Category: connector.ProviderUnavailable, Message: "the list of roles with their rights changes faster than it can be read; try later"}
}

// roleListing is the list of roles with their rights as far as it has been read.
type roleListing struct {
	pages, count int
	seen         map[string]bool
	all          []roleRights
}

// unknownCount stands for a list that does not say how long it is: it goes on until
// a page is empty.
const unknownCount = -1

// read reads the rest of the list; stable says that it has not changed meanwhile.
func (l *roleListing) read(ctx context.Context, s *session, directories []string) (stable bool, err error) {
	for {
		args := firstPage(s.rows)
		args.PageNumber = l.pages + 1
		body := map[string]any{"directoryServices": directories, "roles": "{}", "Args": args}
		var got struct {
			Roles rowsAnswer[roleRights] `json:"Roles"`
		}
		if err := post(ctx, s.client, call{path: pathDirectoryQuery, body: body, pattern: patternDirectoryQuery, right: rightReadRoles}, &got); err != nil {
			return false, err
		}
		full := unknownCount
		if got.Roles.FullCount != nil {
			full = *got.Roles.FullCount
		}
		if l.pages > 0 && full != l.count {
			return false, nil
		}
		l.count = full
		l.pages++
		for _, r := range got.Roles.rows() {
			if l.seen[r.id()] {
				return false, nil
			}
			l.seen[r.id()] = true
			l.all = append(l.all, r)
		}
		switch ended := len(got.Roles.Results) == 0; {
		case full == unknownCount && ended:
			return true, nil
		case full != unknownCount && len(l.all) >= full:
			return true, nil
		case ended:
			return false, nil
		}
	}
}
