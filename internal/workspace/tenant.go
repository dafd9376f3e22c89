package workspace

import (
	"context"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// Workspaces lists the workspaces of the tenant, the archived ones too, for a
// tenant administrator. The look is recorded in the tenant's log.
func (s *Service) Workspaces(ctx context.Context, c Caller, after id.Workspace, limit int) ([]Workspace, error) {
	if err := c.Require(ManageWorkspaces); err != nil {
		return nil, err
	}
	return s.Store.ListWorkspaces(ctx, c.Scope, after, limit, audit.Event{
		Actor: c.Actor(), Action: audit.WorkspacesListed, Outcome: audit.Succeeded, TargetType: "tenant", TargetID: c.Scope.Tenant.String(),
	})
}

// CreateWorkspace makes a workspace for whoever signs in with the owner's
// address. Without one, it is made with an admin key, which is returned once.
func (s *Service) CreateWorkspace(ctx context.Context, c Caller, name, ownerEmail string) (Workspace, secret.Secret, error) {
	if err := c.Require(ManageWorkspaces); err != nil {
		return Workspace{}, secret.Secret{}, err
	}
	name = strings.TrimSpace(name)
	wrong := checkName(name)
	address := ""
	if ownerEmail != "" {
		var err error
		if address, err = NormalizeEmail(ownerEmail); err != nil {
			wrong = append(wrong, fault.Field{Path: "owner_email", Message: "must be an e-mail address, such as alice@example.com"})
		}
	}
	if len(wrong) > 0 {
		return Workspace{}, secret.Secret{}, fault.InvalidFields(wrong...)
	}
	drawn, err := s.Store.DrawWorkspace(ctx)
	if err != nil {
		return Workspace{}, secret.Secret{}, err
	}
	by := audit.Tenant(c.Member)
	row := NewWorkspaceRow{Scope: id.Scope{Tenant: c.Scope.Tenant, Workspace: drawn}, Name: name}
	var key secret.Secret
	events := []audit.Event{workspaceEvent(c, audit.WorkspaceCreated, drawn, map[string]any{"name": name})}
	if address != "" {
		row.Owner = ownerInvitation(address)
		events = append(events, Invited(by, *row.Owner))
	} else {
		var hash KeyHash
		var hint string
		key, hash, hint = NewKey(drawn)
		row.Key = &NewKeyRow{Name: "first admin key", Role: Admin, Hash: hash, Hint: hint}
		events = append(events, keyCreated(by, *row.Key))
	}
	w, err := s.Store.CreateWorkspace(ctx, row, events)
	if err != nil {
		return Workspace{}, secret.Secret{}, err
	}
	return w, key, nil
}

// Archive makes a workspace read-only: nothing starts in it, its runs are
// cancelled, its schedules rest and nobody is given access. Its data stays.
// Archiving twice changes nothing.
func (s *Service) Archive(ctx context.Context, c Caller, w id.Workspace) (Workspace, error) {
	return s.setArchived(ctx, c, w, true, audit.WorkspaceArchived)
}

// Unarchive opens an archived workspace again.
func (s *Service) Unarchive(ctx context.Context, c Caller, w id.Workspace) (Workspace, error) {
	return s.setArchived(ctx, c, w, false, audit.WorkspaceUnarchived)
}

func (s *Service) setArchived(ctx context.Context, c Caller, w id.Workspace, archived bool, a audit.Action) (Workspace, error) {
	if err := c.Require(ManageWorkspaces); err != nil {
		return Workspace{}, err
	}
	return s.Store.SetArchived(ctx, id.Scope{Tenant: c.Scope.Tenant, Workspace: w}, archived, workspaceEvent(c, a, w, nil))
}

// Transfer makes somebody the owner of a workspace: one of its people, or whoever
// signs in with an address. They become an admin of it, too. It is also the way
// into a workspace whose admins are gone. Name one of member and email.
func (s *Service) Transfer(ctx context.Context, c Caller, w id.Workspace, member id.Member, email string) (Workspace, error) {
	if err := c.Require(ManageWorkspaces); err != nil {
		return Workspace{}, err
	}
	scope := id.Scope{Tenant: c.Scope.Tenant, Workspace: w}
	switch {
	case (member == 0) == (email == ""):
		return Workspace{}, fault.InvalidField("member_id", "name the new owner by one of member_id and owner_email")
	case member != 0:
		return s.Store.TransferTo(ctx, scope, member, workspaceEvent(c, audit.WorkspaceTransferred, w, map[string]any{"to": member.String()}))
	}
	address, err := NormalizeEmail(email)
	if err != nil {
		return Workspace{}, fault.InvalidField("owner_email", "must be an e-mail address, such as alice@example.com")
	}
	return s.Store.TransferToEmail(ctx, scope, *ownerInvitation(address),
		workspaceEvent(c, audit.WorkspaceTransferred, w, map[string]any{"to": address}))
}

// AsAuditor lets a tenant administrator read the audit events of a workspace: it
// returns the caller to read them as, who has no other business there. The
// workspace's own record says that they were read.
func (s *Service) AsAuditor(ctx context.Context, c Caller, w id.Workspace) (Caller, error) {
	if err := c.Require(ReadAuditAcross); err != nil {
		return Caller{}, err
	}
	auditor := c
	auditor.Scope.Workspace = w
	if _, err := s.Store.Get(ctx, auditor.Scope); err != nil {
		return Caller{}, err
	}
	if err := s.Store.RecordEvent(ctx, auditor.Scope, workspaceEvent(c, audit.AuditEventsRead, w, nil)); err != nil {
		return Caller{}, err
	}
	return auditor, nil
}

// workspaceEvent is an event about a whole workspace, in that workspace.
func workspaceEvent(c Caller, a audit.Action, w id.Workspace, payload map[string]any) audit.Event {
	return audit.Event{
		Actor: audit.Tenant(c.Member), Action: a, Outcome: audit.Succeeded, TargetType: "workspace", TargetID: w.String(), Payload: payload,
	}
}
