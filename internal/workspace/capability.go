package workspace

import (
	"slices"

	"github.com/gatehouse-project/gatehouse/internal/fault"
)

// Role is a named set of capabilities that a member holds in one workspace, or
// at the tenant level.
type Role string

// The roles. TenantAdmin is the only one of the tenant level and of no workspace.
const (
	Viewer           Role = "viewer"
	ConnectorBuilder Role = "connector_builder"
	Admin            Role = "admin"
	TenantAdmin      Role = "tenant_admin"
)

// Roles lists the roles, the weakest first. Callers get their own copy.
func Roles() []Role { return []Role{Viewer, ConnectorBuilder, Admin, TenantAdmin} }

// Capability is one thing that a caller may be allowed to do.
type Capability string

// The capabilities. Each is about the workspace that the caller acts in; the
// last ones are of the tenant level and reach into all workspaces.
const (
	// ReadWorkspace sees catalog, connections, runs, graph; never a secret.
	ReadWorkspace Capability = "workspace.read"
	// ReadAudit sees the workspace's audit events; at the tenant level, the
	// tenant's.
	ReadAudit Capability = "audit.read"
	// ReadAdministration sees the workspace itself, members, invitations and keys.
	ReadAdministration Capability = "administration.read"
	// Export takes data out, at the tenant level of its own log; each export is
	// recorded.
	Export Capability = "exports.create"
	// ManageConnections creates, edits, deletes and tests connections.
	ManageConnections Capability = "connections.manage"
	// StartOperations starts and cancels runs.
	StartOperations Capability = "operations.start"
	// ManageMembers manages members, invitations, claim mappings and API keys.
	ManageMembers Capability = "members.manage"
	// ManageWebhooks manages the endpoints that are told of events, and sees their
	// addresses.
	ManageWebhooks Capability = "webhooks.manage"
	// ManageIdentities joins and splits identities, and says which connections'
	// identifiers are believed: it changes what every answer shows of whom.
	ManageIdentities Capability = "identities.manage"
	// Restore puts a backup back.
	Restore Capability = "restores.execute"
	// ManageWorkspaces creates and archives workspaces and transfers their owners.
	ManageWorkspaces Capability = "workspaces.manage"
	// ReadAuditAcross reads the audit events of any workspace.
	ReadAuditAcross Capability = "audit.read_across"
	// ManageLicence installs the tenant's licence and sees how much of it is used.
	ManageLicence Capability = "licence.manage"
	// ManageThrottling sets how much of what providers allow is used.
	ManageThrottling Capability = "throttling.manage"
)

// Capabilities lists the capabilities. Callers get their own copy.
func Capabilities() []Capability {
	return []Capability{
		ReadWorkspace, ReadAudit, ReadAdministration, Export, ManageConnections, StartOperations, ManageMembers, ManageWebhooks, ManageIdentities, Restore,
		ManageWorkspaces, ReadAuditAcross, ManageLicence, ManageThrottling,
	}
}

// capabilitiesOf is the one table of which role may do what.
func capabilitiesOf(r Role) []Capability {
	switch r {
	case Viewer:
		return []Capability{ReadWorkspace, ReadAudit, ReadAdministration, Export}
	case ConnectorBuilder:
		return []Capability{ReadWorkspace, ReadAudit, ReadAdministration, Export, ManageConnections, StartOperations}
	case Admin:
		return []Capability{ReadWorkspace, ReadAudit, ReadAdministration, Export, ManageConnections, StartOperations, ManageMembers, ManageWebhooks, ManageIdentities, Restore}
	case TenantAdmin:
		return []Capability{ReadAudit, ReadAdministration, Export, ManageMembers, ManageWorkspaces, ReadAuditAcross, ManageLicence, ManageThrottling}
	}
	return nil
}

// Changes reports whether the capability is for changing things, which an
// archived workspace does not allow.
func (c Capability) Changes() bool {
	switch c {
	case ReadWorkspace, ReadAudit, ReadAdministration, Export, ReadAuditAcross:
		return false
	}
	return true
}

// Has reports whether the role includes the capability.
func (r Role) Has(c Capability) bool { return slices.Contains(capabilitiesOf(r), c) }

// Known reports whether r is one of the roles.
func (r Role) Known() bool { return slices.Contains(Roles(), r) }

// Require returns nil when the caller has the capability and the workspace is
// open to it. Otherwise the error is Forbidden and names the capability, or a
// Conflict because the workspace is archived.
func (c Caller) Require(want Capability) error {
	if err := c.RequireRole(want); err != nil {
		return err
	}
	if c.Archived && want.Changes() {
		return Archived(c.Scope.Workspace)
	}
	return nil
}

// RequireRole is [Caller.Require] for what an archived workspace allows, too:
// ending somebody's access, and the gate, which records that it did not start.
func (c Caller) RequireRole(want Capability) error {
	switch {
	case c.Role.Has(want):
		return nil
	case TenantAdmin.Has(want) && !Admin.Has(want):
		return fault.New(fault.Forbidden, "your role %s lacks the capability %s, which tenant administrators have; ask one of them", c.Role, want)
	}
	return fault.New(fault.Forbidden, "your role %s lacks the capability %s; ask an admin of the workspace for a role that has it", c.Role, want)
}

// Covers reports whether the role has every capability of another one.
func (r Role) Covers(other Role) bool {
	return !slices.ContainsFunc(capabilitiesOf(other), func(c Capability) bool { return !r.Has(c) })
}

// MayGrant returns nil when whoever has the caller's role may give the role to
// somebody: one of the same level that has no capability beyond its own.
func (c Caller) MayGrant(r Role) error {
	if c.Level() == TenantLevel && r != TenantAdmin {
		return fault.InvalidField("role", "must be tenant_admin at the tenant level; for a role in a workspace, work in that workspace")
	}
	if c.Level() == WorkspaceLevel && (!r.Known() || r == TenantAdmin) {
		return fault.InvalidField("role", "must be viewer, connector_builder or admin")
	}
	for _, has := range capabilitiesOf(r) {
		if !c.Role.Has(has) {
			return fault.New(fault.Forbidden, "your role %s lacks the capability %s, so you cannot give the role %s to anyone", c.Role, has, r)
		}
	}
	return nil
}
