package audit

// The actions on people, members and whole workspaces. Those of sign-in are in
// the tenant's log; every other one is in the workspace that it changed.
const (
	SignedIn      Action = "signed_in"
	SignInRefused Action = "sign_in_refused"
	SignedOut     Action = "signed_out"

	MemberInvited Action = "member_invited"
	// InvitationAccepted is by somebody who was a member already; others join.
	InvitationAccepted Action = "invitation_accepted"
	InvitationRevoked  Action = "invitation_revoked"
	MemberJoined       Action = "member_joined"
	MemberRoleChanged  Action = "member_role_changed"
	MemberRemoved      Action = "member_removed"

	ClaimMappingCreated Action = "claim_mapping_created"
	ClaimMappingDeleted Action = "claim_mapping_deleted"

	WorkspaceArchived    Action = "workspace_archived"
	WorkspaceUnarchived  Action = "workspace_unarchived"
	WorkspaceTransferred Action = "workspace_transferred"

	// WorkspacesListed and AuditEventsRead are looks across workspaces by a
	// tenant administrator.
	WorkspacesListed Action = "workspaces_listed"
	AuditEventsRead  Action = "audit_events_read"
)
