package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// WorkspacesCmd is `gatehouse workspaces`.
type WorkspacesCmd struct {
	List      WorkspacesListCmd      `cmd:"" default:"withargs" help:"List your workspaces, or all of the tenant."`
	Use       WorkspacesUseCmd       `cmd:"" help:"Choose the workspace that commands work in."`
	Create    WorkspacesCreateCmd    `cmd:"" help:"Make a workspace; for tenant administrators."`
	Archive   WorkspacesArchiveCmd   `cmd:"" help:"Make a workspace read-only; for tenant administrators."`
	Unarchive WorkspacesUnarchiveCmd `cmd:"" help:"Open an archived workspace; for tenant administrators."`
	Transfer  WorkspacesTransferCmd  `cmd:"" help:"Give a workspace another owner; for tenant administrators."`
}

// WorkspacesListCmd is `gatehouse workspaces list`.
type WorkspacesListCmd struct {
	Remote
	Paging
	Tenant bool `help:"All workspaces of the tenant; for tenant administrators."`
}

// Help returns examples.
func (WorkspacesListCmd) Help() string {
	return `The workspaces that you are a member of. Tenant administrators see all of them with --tenant, which is recorded.

    gatehouse workspaces list
    gatehouse workspaces list --tenant`
}

// Run lists workspaces.
func (cmd *WorkspacesListCmd) Run(ctx context.Context, e *environment) error {
	if cmd.Tenant {
		return cmd.all(ctx, e)
	}
	c, pages, err := open(e, &cmd.Remote, cmd.Paging)
	if err != nil {
		return err
	}
	l, err := c.Workspaces(ctx, pages)
	if err != nil {
		return err
	}
	if cmd.json() {
		return e.printJSON(l.Raw)
	}
	return e.printMemberships(l.Items, c.Workspace())
}

func (cmd *WorkspacesListCmd) all(ctx context.Context, e *environment) error {
	pages, err := cmd.pages()
	if err != nil {
		return err
	}
	c, err := cmd.tenantClient(e.services.Version)
	if err != nil {
		return err
	}
	l, err := c.TenantWorkspaces(ctx, pages)
	if err != nil {
		return err
	}
	t := output.Table{Header: []string{"Workspace", "Name", "Owner", "Waits for", "Created", "Archived"}, Empty: "There are no workspaces."}
	return printList(e, cmd.Remote, l, t, func(w client.Workspace) []string {
		owner, next := "", ""
		if w.OwnerID != nil {
			owner = *w.OwnerID
		}
		if p := w.PendingOwner; p != nil {
			next = p.Email + ", until " + output.Time(&p.ExpiresAt)
		}
		return []string{w.WorkspaceID, w.Name, output.OrNone(owner), output.OrNone(next), output.Time(&w.CreatedAt), output.Time(w.ArchivedAt)}
	})
}

// WorkspacesUseCmd is `gatehouse workspaces use`.
type WorkspacesUseCmd struct {
	Workspace string `arg:"" help:"Id of the workspace, such as w_123, or tenant for the tenant level."`
	Context   string `placeholder:"NAME" complete:"contexts" help:"Context to choose it for; the current one without it."`
}

// Help returns examples.
func (WorkspacesUseCmd) Help() string {
	return `The choice is kept with your session. An API key has a workspace of its own and needs none.

    gatehouse workspaces use w_3`
}

// Run chooses a workspace.
func (cmd *WorkspacesUseCmd) Run(ctx context.Context, e *environment) error {
	_, known, err := loadContexts()
	if err != nil {
		return err
	}
	name, c := sessionContext(known, cmd.Context)
	if name == "" {
		return notSignedIn("an API key has a workspace of its own, and others are chosen after gatehouse login")
	}
	to, err := fromContext(name)
	if err != nil {
		return err
	}
	server, err := to.client(e.services.Version)
	if err != nil {
		return err
	}
	who, err := server.InWorkspace("").WhoAmI(ctx)
	if err != nil {
		return err
	}
	chosen := chooseWorkspace(cmd.Workspace, who.Value.Workspaces)
	if chosen != cmd.Workspace && !(chosen == tenantWorkspace && strings.HasPrefix(cmd.Workspace, "w_")) {
		return &notFoundError{fmt.Sprintf("you are a member of no workspace %q; gatehouse workspaces list shows yours", cmd.Workspace)}
	}
	// Asking may have renewed the session, so the file is read again.
	path, known, err := loadContexts()
	if err != nil {
		return err
	}
	c = known.Contexts[name]
	c.Workspace = chosen
	known.Contexts[name] = c
	return known.Save(path)
}

// WorkspacesCreateCmd is `gatehouse workspaces create`.
type WorkspacesCreateCmd struct {
	Remote
	Name  string `arg:"" help:"Name of the workspace."`
	Owner string `placeholder:"EMAIL" help:"Who is to own it; they become its admin when they sign in. Without it an admin key is printed."`
}

// Help returns examples.
func (WorkspacesCreateCmd) Help() string {
	return `Without an owner, the key of the workspace's first admin is printed and nothing else, so that it can go straight where it is needed.

    gatehouse workspaces create "Payments" --owner alice@example.com
    gatehouse workspaces create "Payments" > payments.key`
}

// Run makes a workspace.
func (cmd *WorkspacesCreateCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.tenantClient(e.services.Version)
	if err != nil {
		return err
	}
	a, err := c.CreateWorkspace(ctx, client.WorkspaceDraft{Name: cmd.Name, OwnerEmail: cmd.Owner})
	if err != nil {
		return err
	}
	if cmd.json() {
		return e.printJSON(a.Raw)
	}
	fmt.Fprintf(e.Err, "%s %s is made.\n", a.Value.WorkspaceID, output.Clean(a.Value.Name))
	if a.Value.AdminKey == "" {
		e.tellPendingOwner(ctx, c, a.Value.Workspace)
		return nil
	}
	fmt.Fprintln(e.Err, "The key of its first admin is shown this once:")
	_, err = fmt.Fprintln(e.Out, output.Clean(a.Value.AdminKey))
	return err
}

// WorkspacesArchiveCmd is `gatehouse workspaces archive`.
type WorkspacesArchiveCmd struct {
	Remote
	ID  string `arg:"" name:"workspace-id" help:"Id of the workspace, such as w_3."`
	Yes bool   `short:"y" help:"Do not ask."`
}

// Help returns examples.
func (WorkspacesArchiveCmd) Help() string {
	return `Cancels what runs in it, rests its schedules and lets nobody change anything; members can go on reading.

    gatehouse workspaces archive w_3`
}

// Run archives a workspace.
func (cmd *WorkspacesArchiveCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.tenantClient(e.services.Version)
	if err != nil {
		return err
	}
	if err := e.confirm(ctx, cmd.Yes, fmt.Sprintf("Archive %s?", cmd.ID)); err != nil {
		return err
	}
	a, err := c.ArchiveWorkspace(ctx, cmd.ID)
	return e.told(cmd.Remote, a, err, cmd.ID+" is archived.")
}

// WorkspacesUnarchiveCmd is `gatehouse workspaces unarchive`.
type WorkspacesUnarchiveCmd struct {
	Remote
	ID string `arg:"" name:"workspace-id" help:"Id of the workspace, such as w_3."`
}

// Help returns examples.
func (WorkspacesUnarchiveCmd) Help() string {
	return "Opens a workspace as it was; schedules that came due meanwhile start once.\n\n    gatehouse workspaces unarchive w_3"
}

// Run opens a workspace.
func (cmd *WorkspacesUnarchiveCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.tenantClient(e.services.Version)
	if err != nil {
		return err
	}
	a, err := c.UnarchiveWorkspace(ctx, cmd.ID)
	return e.told(cmd.Remote, a, err, cmd.ID+" is open.")
}

// WorkspacesTransferCmd is `gatehouse workspaces transfer`.
type WorkspacesTransferCmd struct {
	Remote
	ID string `arg:"" name:"workspace-id" help:"Id of the workspace, such as w_3."`
	To string `required:"" placeholder:"MEMBER|EMAIL" help:"The new owner: a member's id, or an e-mail address."`
}

// Help returns examples.
func (WorkspacesTransferCmd) Help() string {
	return `The new owner becomes an admin of the workspace, too. It is also the way into a workspace whose admins are gone.

    gatehouse workspaces transfer w_3 --to mem_12
    gatehouse workspaces transfer w_3 --to bob@example.com`
}

// Run transfers a workspace.
func (cmd *WorkspacesTransferCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.tenantClient(e.services.Version)
	if err != nil {
		return err
	}
	to := client.Transfer{MemberID: cmd.To}
	if strings.Contains(cmd.To, "@") {
		to = client.Transfer{OwnerEmail: cmd.To}
	}
	a, err := c.TransferWorkspace(ctx, cmd.ID, to)
	done := cmd.ID + " is transferred."
	if a.Value.PendingOwner != nil {
		done = cmd.ID + " keeps its owner until the new one comes."
	}
	if err := e.told(cmd.Remote, a, err, done); err != nil || cmd.json() {
		return err
	}
	e.tellPendingOwner(ctx, c, a.Value)
	return nil
}

// tellPendingOwner says who has to sign in for a workspace to be theirs.
func (e *environment) tellPendingOwner(ctx context.Context, c *client.Client, w client.Workspace) {
	if p := w.PendingOwner; p != nil {
		fmt.Fprintf(e.Err, "%s becomes its owner when they sign in, until %s.\n", output.Clean(p.Email), output.Time(&p.ExpiresAt))
		e.tellWayIn(ctx, c, w.WorkspaceID)
	}
}

// told prints the answer of a change, in JSON or in words.
func (e *environment) told(r Remote, a client.Answer[client.Workspace], err error, done string) error {
	if err != nil {
		return err
	}
	if r.json() {
		return e.printJSON(a.Raw)
	}
	fmt.Fprintln(e.Err, output.Clean(done))
	return nil
}
