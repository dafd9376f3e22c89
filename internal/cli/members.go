package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// MembersCmd is `gatehouse members`.
type MembersCmd struct {
	List    MembersListCmd    `cmd:"" default:"withargs" help:"List the members."`
	Invite  MembersInviteCmd  `cmd:"" help:"Invite a person."`
	SetRole MembersSetRoleCmd `cmd:"" help:"Give a person another role."`
	Remove  MembersRemoveCmd  `cmd:"" help:"End a person's membership at once."`
}

// MembersListCmd is `gatehouse members list`.
type MembersListCmd struct {
	Remote
	Paging
}

// Help returns examples.
func (MembersListCmd) Help() string {
	return `People and API keys, also those that were removed. A source of claims means that the identity provider decides the role.

    gatehouse members list`
}

// Run lists members.
func (cmd *MembersListCmd) Run(ctx context.Context, e *environment) error {
	c, pages, err := open(e, &cmd.Remote, cmd.Paging)
	if err != nil {
		return err
	}
	l, err := c.Members(ctx, pages)
	if err != nil {
		return err
	}
	t := output.Table{Header: []string{"Member", "Kind", "Name", "Email", "Role", "Source", "Since", "Removed"}, Empty: "There are no members."}
	return printList(e, cmd.Remote, l, t, func(m client.Member) []string {
		return []string{m.MemberID, m.Kind, m.Name, m.Email, m.Role, m.Source, output.Time(&m.CreatedAt), output.Time(m.RemovedAt)}
	})
}

// MembersInviteCmd is `gatehouse members invite`.
type MembersInviteCmd struct {
	Remote
	Email   string `arg:"" help:"E-mail address of the person."`
	Role    string `required:"" placeholder:"ROLE" enum:"viewer,connector_builder,admin,tenant_admin" help:"viewer, connector_builder or admin; at the tenant level, tenant_admin."`
	Expires string `placeholder:"WHEN" help:"Until when the invitation is open: 2027-01-31, or how long, such as 72h or 14d; 7 days without it."`
}

// Help returns examples.
func (MembersInviteCmd) Help() string {
	return `Whoever signs in with that address, verified by the identity provider, becomes a member. No mail is sent: tell them to run gatehouse login.

    gatehouse members invite alice@example.com --role connector_builder
    gatehouse members invite bob@example.com --role tenant_admin --workspace tenant`
}

// Run invites a person.
func (cmd *MembersInviteCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.clientFor(cmd.Role, e.services.Version)
	if err != nil {
		return err
	}
	draft := client.InvitationDraft{Email: cmd.Email, Role: cmd.Role}
	if draft.ExpiresAt, err = parseEnd("--expires", cmd.Expires, time.Now()); err != nil {
		return err
	}
	a, err := c.Invite(ctx, draft)
	if err != nil {
		return err
	}
	if cmd.json() {
		return e.printJSON(a.Raw)
	}
	fmt.Fprintf(e.Err, "%s: %s is invited as %s until %s.\n", a.Value.InvitationID, output.Clean(a.Value.Email), a.Value.Role, output.Time(&a.Value.ExpiresAt))
	place := a.Value.WorkspaceID
	if a.Value.Role == "tenant_admin" {
		place = tenantWorkspace
	}
	e.tellWayIn(ctx, c, place)
	return nil
}

// tellWayIn says what somebody who was invited has to do, since nothing is mailed,
// and whether they can. Failing to find out fails nothing: the invitation is made.
func (e *environment) tellWayIn(ctx context.Context, c *client.Client, workspace string) {
	provider, err := providerOf(ctx, c)
	var none *noSignInError
	if errors.As(err, &none) {
		fmt.Fprintln(e.Err, "Nobody can sign in at this server yet: it has no identity provider, which --oidc-issuer names where workspaces are served.")
		return
	}
	at := "the identity provider"
	if err == nil {
		at = output.Clean(provider.Issuer)
	}
	fmt.Fprintf(e.Err, "No mail is sent. Tell them to sign in at %s with this address, by\n\n    gatehouse login --url %s --workspace %s\n\n",
		at, output.Clean(c.Address()), workspace)
}

// MembersSetRoleCmd is `gatehouse members set-role`.
type MembersSetRoleCmd struct {
	Remote
	Member string `arg:"" help:"Id of the member, such as mem_3."`
	Role   string `arg:"" enum:"viewer,connector_builder,admin" help:"viewer, connector_builder or admin."`
}

// Help returns examples.
func (MembersSetRoleCmd) Help() string {
	return "It holds from the person's next request on.\n\n    gatehouse members set-role mem_3 admin"
}

// Run changes a role.
func (cmd *MembersSetRoleCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	a, err := c.SetMemberRole(ctx, cmd.Member, cmd.Role)
	if err != nil {
		return err
	}
	if cmd.json() {
		return e.printJSON(a.Raw)
	}
	fmt.Fprintf(e.Err, "%s (%s) is %s.\n", a.Value.MemberID, output.Clean(a.Value.Name), a.Value.Role)
	return nil
}

// MembersRemoveCmd is `gatehouse members remove`.
type MembersRemoveCmd struct {
	Remote
	Member string `arg:"" help:"Id of the member, such as mem_3."`
	Yes    bool   `short:"y" help:"Do not ask."`
}

// Help returns examples.
func (MembersRemoveCmd) Help() string {
	return `Their sessions no longer reach the workspace, and the API keys that they made end, both at once. Somebody whom a claim mapping made a member is one again at the next sign-in, unless their claims change.

    gatehouse members remove mem_3`
}

// Run removes a member.
func (cmd *MembersRemoveCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	if err := e.confirm(ctx, cmd.Yes, fmt.Sprintf("Remove %s and revoke the API keys that they made?", cmd.Member)); err != nil {
		return err
	}
	if err := c.RemoveMember(ctx, cmd.Member); err != nil {
		return err
	}
	fmt.Fprintf(e.Err, "%s is no member any more.\n", cmd.Member)
	return nil
}
