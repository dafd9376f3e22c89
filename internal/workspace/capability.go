package workspace

import (
	"slices"

	"github.com/gatehouse-project/gatehouse/internal/fault"
)

// Role is a named set of capabilities that a member holds in one workspace.
type Role string

// The roles.
const (
	Viewer           Role = "viewer"
	ConnectorBuilder Role = "connector_builder"
	Admin            Role = "admin"
	TenantAdmin      Role = "tenant_admin"
)

// Roles lists the roles. Callers get their own copy.
func Roles() []Role { return []Role{Viewer, ConnectorBuilder, Admin, TenantAdmin} }

// Capability is one thing that a caller may be allowed to do.
type Capability string

// The capabilities.
const (
	// ReadWorkspace sees catalog, connections, runs, graph; never a secret.
	ReadWorkspace Capability = "workspace.read"
	// ReadAudit sees the workspace's audit events.
	ReadAudit Capability = "audit.read"
	// ManageConnections creates, edits, deletes and tests connections.
	ManageConnections Capability = "connections.manage"
	// StartOperations starts and cancels runs.
	StartOperations Capability = "operations.start"
	// ManageMembers manages members and API keys of the workspace.
	ManageMembers Capability = "members.manage"
	// ReadAdministration sees workspaces, members and keys.
	ReadAdministration Capability = "administration.read"
	// ManageLicence installs the tenant's licence and sees how much of it is used.
	ManageLicence Capability = "licence.manage"
)

// capabilitiesOf is the one table of which role may do what.
func capabilitiesOf(r Role) []Capability {
	switch r {
	case Viewer:
		return []Capability{ReadWorkspace, ReadAudit, ReadAdministration}
	case ConnectorBuilder:
		return []Capability{ReadWorkspace, ReadAudit, ReadAdministration, ManageConnections, StartOperations}
	case Admin:
		return []Capability{ReadWorkspace, ReadAudit, ReadAdministration, ManageConnections, StartOperations, ManageMembers}
	case TenantAdmin:
		return []Capability{ReadAdministration, ManageLicence}
	}
	return nil
}

// Has reports whether the role includes the capability.
func (r Role) Has(c Capability) bool { return slices.Contains(capabilitiesOf(r), c) }

// Known reports whether r is one of the roles.
func (r Role) Known() bool { return slices.Contains(Roles(), r) }

// Require returns nil when the caller has the capability, and otherwise a
// Forbidden error that names it.
func (c Caller) Require(want Capability) error {
	if c.Role.Has(want) {
		return nil
	}
	return fault.New(fault.Forbidden, "your role %s lacks the capability %s; ask an admin of the workspace for a role that has it", c.Role, want)
}
