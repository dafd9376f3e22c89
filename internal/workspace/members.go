package workspace

import (
	"context"
	"net/mail"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Members lists the members of the caller's workspace.
func (s *Service) Members(ctx context.Context, c Caller, after id.Member, limit int) ([]Member, error) {
	if err := c.Require(ReadAdministration); err != nil {
		return nil, err
	}
	return s.Store.ListMembers(ctx, c.Scope, after, limit)
}

// SetRole gives a person another role. The owner and the last admin keep theirs,
// and so does a member whose role the identity provider's claims decide: each
// gives a Conflict that says what to do.
func (s *Service) SetRole(ctx context.Context, c Caller, m id.Member, role Role) (Member, error) {
	if err := c.Require(ManageMembers); err != nil {
		return Member{}, err
	}
	if err := c.MayGrant(role); err != nil {
		return Member{}, err
	}
	return s.Store.SetRole(ctx, c.Scope, m, role, c.memberEvent(audit.MemberRoleChanged, m, map[string]any{"role": string(role)}))
}

// RemoveMember ends a person's membership and the API keys that they made, at
// once and also in an archived workspace. The owner and the last admin give a
// Conflict. Someone whom claims made a member is one again at the next sign-in,
// unless the identity provider no longer says so.
func (s *Service) RemoveMember(ctx context.Context, c Caller, m id.Member) error {
	if err := c.RequireRole(ManageMembers); err != nil {
		return err
	}
	return s.Store.RemoveMember(ctx, c.Scope, m, c.memberEvent(audit.MemberRemoved, m, nil))
}

// How long an invitation is open.
const (
	// DefaultInvitation is for one whose end nobody named.
	DefaultInvitation = 7 * 24 * time.Hour
	maxInvitation     = 90 * 24 * time.Hour
)

// Invite lets whoever signs in with this verified e-mail address become a member
// with a role. A zero expires is [DefaultInvitation] from now. An address that is
// a member's, or has an open invitation, gives a Conflict.
func (s *Service) Invite(ctx context.Context, c Caller, email string, role Role, expires time.Time) (Invitation, error) {
	if err := c.Require(ManageMembers); err != nil {
		return Invitation{}, err
	}
	if err := c.MayGrant(role); err != nil {
		return Invitation{}, err
	}
	address, err := NormalizeEmail(email)
	if err != nil {
		return Invitation{}, err
	}
	now := time.Now()
	if expires.IsZero() {
		expires = now.Add(DefaultInvitation)
	}
	if !expires.After(now) || expires.After(now.Add(maxInvitation)) {
		return Invitation{}, fault.InvalidField("expires_at", "must be in the future, and within 90 days")
	}
	row := NewInvitationRow{Email: address, Role: role, InvitedBy: c.Member, ExpiresAt: expires}
	return s.Store.Invite(ctx, c.Scope, row, Invited(c.Actor(), row))
}

// Invited is the event of an invitation.
func Invited(by audit.Actor, row NewInvitationRow) audit.Event {
	return audit.Event{
		Actor: by, Action: audit.MemberInvited, Outcome: audit.Succeeded, TargetType: "invitation",
		Payload: map[string]any{"email": row.Email, "role": string(row.Role), "makes_owner": row.MakesOwner},
	}
}

// NormalizeEmail returns the address as it is compared: in lower case. What is
// no plain address is Invalid.
func NormalizeEmail(email string) (string, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	parsed, err := mail.ParseAddress(email)
	if err != nil || parsed.Address != email || len(email) > 254 {
		return "", fault.InvalidField("email", "must be an e-mail address, such as alice@example.com")
	}
	return email, nil
}

// Invitations lists the workspace's invitations, the ended ones too.
func (s *Service) Invitations(ctx context.Context, c Caller, after id.Invitation, limit int) ([]Invitation, error) {
	if err := c.Require(ReadAdministration); err != nil {
		return nil, err
	}
	return s.Store.ListInvitations(ctx, c.Scope, after, limit)
}

// RevokeInvitation ends an open invitation, also in an archived workspace. One
// that was accepted gives a Conflict.
func (s *Service) RevokeInvitation(ctx context.Context, c Caller, i id.Invitation) error {
	if err := c.RequireRole(ManageMembers); err != nil {
		return err
	}
	return s.Store.RevokeInvitation(ctx, c.Scope, i, audit.Event{
		Actor: c.Actor(), Action: audit.InvitationRevoked, Outcome: audit.Succeeded, TargetType: "invitation", TargetID: i.String(),
	})
}
