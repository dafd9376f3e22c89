package cli

import (
	"context"
	"fmt"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// InvitationsCmd is `gatehouse invitations`.
type InvitationsCmd struct {
	List   InvitationsListCmd   `cmd:"" default:"withargs" help:"List invitations."`
	Revoke InvitationsRevokeCmd `cmd:"" help:"End an open invitation."`
}

// InvitationsListCmd is `gatehouse invitations list`.
type InvitationsListCmd struct {
	Remote
	Paging
}

// Help returns examples.
func (InvitationsListCmd) Help() string {
	return "Invitations of the workspace, the ended ones too. Make one with gatehouse members invite.\n\n    gatehouse invitations list"
}

// Run lists invitations.
func (cmd *InvitationsListCmd) Run(ctx context.Context, e *environment) error {
	c, pages, err := open(e, &cmd.Remote, cmd.Paging)
	if err != nil {
		return err
	}
	l, err := c.Invitations(ctx, pages)
	if err != nil {
		return err
	}
	t := output.Table{Header: []string{"Invitation", "Email", "Role", "Status", "Created", "Expires"}, Empty: "There are no invitations."}
	return printList(e, cmd.Remote, l, t, func(i client.Invitation) []string {
		return []string{i.InvitationID, i.Email, i.Role, i.Status, output.Time(&i.CreatedAt), output.Time(&i.ExpiresAt)}
	})
}

// InvitationsRevokeCmd is `gatehouse invitations revoke`.
type InvitationsRevokeCmd struct {
	Remote
	Invitation string `arg:"" help:"Id of the invitation, such as inv_3."`
}

// Help returns examples.
func (InvitationsRevokeCmd) Help() string {
	return "One that was accepted has made a member: remove the member instead.\n\n    gatehouse invitations revoke inv_3"
}

// Run revokes an invitation.
func (cmd *InvitationsRevokeCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	if err := c.RevokeInvitation(ctx, cmd.Invitation); err != nil {
		return err
	}
	fmt.Fprintf(e.Err, "%s is revoked.\n", cmd.Invitation)
	return nil
}

// ClaimMappingsCmd is `gatehouse claim-mappings`.
type ClaimMappingsCmd struct {
	List   ClaimMappingsListCmd   `cmd:"" default:"withargs" help:"List claim mappings."`
	Create ClaimMappingsCreateCmd `cmd:"" help:"Give a role to people with a claim."`
	Delete ClaimMappingsDeleteCmd `cmd:"" help:"Take a mapping away."`
}

// ClaimMappingsListCmd is `gatehouse claim-mappings list`.
type ClaimMappingsListCmd struct {
	Remote
	Paging
}

// Help returns examples.
func (ClaimMappingsListCmd) Help() string {
	return "Which claims of the identity provider make somebody a member of the workspace.\n\n    gatehouse claim-mappings list"
}

// Run lists mappings.
func (cmd *ClaimMappingsListCmd) Run(ctx context.Context, e *environment) error {
	c, pages, err := open(e, &cmd.Remote, cmd.Paging)
	if err != nil {
		return err
	}
	l, err := c.ClaimMappings(ctx, pages)
	if err != nil {
		return err
	}
	t := output.Table{Header: []string{"Mapping", "Claim", "Value", "Role", "Created"}, Empty: "There are no claim mappings."}
	return printList(e, cmd.Remote, l, t, func(m client.ClaimMapping) []string {
		return []string{m.MappingID, m.Claim, m.Value, m.Role, output.Time(&m.CreatedAt)}
	})
}

// ClaimMappingsCreateCmd is `gatehouse claim-mappings create`.
type ClaimMappingsCreateCmd struct {
	Remote
	Claim string `arg:"" help:"Name of the claim, such as groups; realm_access.roles for a field of an object."`
	Value string `arg:"" help:"What it is, or, for a list, holds."`
	Role  string `required:"" placeholder:"ROLE" enum:"viewer,connector_builder,admin,tenant_admin" help:"viewer, connector_builder or admin; at the tenant level, tenant_admin."`
}

// Help returns examples.
func (ClaimMappingsCreateCmd) Help() string {
	return `It counts from each person's next sign-in on. Where several mappings fit, the strongest role holds.

    gatehouse claim-mappings create groups platform-team --role connector_builder`
}

// Run makes a mapping.
func (cmd *ClaimMappingsCreateCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.clientFor(cmd.Role, e.services.Version)
	if err != nil {
		return err
	}
	a, err := c.CreateClaimMapping(ctx, client.ClaimMappingDraft{Claim: cmd.Claim, Value: cmd.Value, Role: cmd.Role})
	if err != nil {
		return err
	}
	if cmd.json() {
		return e.printJSON(a.Raw)
	}
	fmt.Fprintf(e.Err, "%s: %s %q gives %s.\n", a.Value.MappingID, output.Clean(a.Value.Claim), output.Clean(a.Value.Value), a.Value.Role)
	return nil
}

// ClaimMappingsDeleteCmd is `gatehouse claim-mappings delete`.
type ClaimMappingsDeleteCmd struct {
	Remote
	Mapping string `arg:"" help:"Id of the mapping, such as map_3."`
}

// Help returns examples.
func (ClaimMappingsDeleteCmd) Help() string {
	return "Members by it alone are none after their next sign-in; remove them to end it at once.\n\n    gatehouse claim-mappings delete map_3"
}

// Run deletes a mapping.
func (cmd *ClaimMappingsDeleteCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	if err := c.DeleteClaimMapping(ctx, cmd.Mapping); err != nil {
		return err
	}
	fmt.Fprintf(e.Err, "%s is deleted.\n", cmd.Mapping)
	return nil
}
