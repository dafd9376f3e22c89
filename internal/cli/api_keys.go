package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// APIKeysCmd is `gatehouse api-keys`.
type APIKeysCmd struct {
	List   APIKeysListCmd   `cmd:"" default:"withargs" help:"List the API keys."`
	Create APIKeysCreateCmd `cmd:"" help:"Make an API key; it is shown once."`
	Revoke APIKeysRevokeCmd `cmd:"" help:"End an API key at once."`
}

// APIKeysListCmd is `gatehouse api-keys list`.
type APIKeysListCmd struct {
	Remote
	Paging
}

// Help returns examples.
func (APIKeysListCmd) Help() string {
	return `Keys themselves cannot be read back; the hint is how a key begins.

    gatehouse api-keys list`
}

// Run lists keys.
func (cmd *APIKeysListCmd) Run(ctx context.Context, e *environment) error {
	c, pages, err := open(e, &cmd.Remote, cmd.Paging)
	if err != nil {
		return err
	}
	l, err := c.APIKeys(ctx, pages)
	if err != nil {
		return err
	}
	t := output.Table{Header: []string{"Member", "Name", "Role", "Hint", "Created", "Expires", "Last used", "Revoked"}, Empty: "There are no API keys."}
	return printList(e, cmd.Remote, l, t, func(k client.APIKey) []string {
		return []string{
			k.MemberID, k.Name, k.Role, k.Hint, output.Time(&k.CreatedAt), output.Time(k.ExpiresAt),
			output.Time(k.LastUsedAt), output.Time(k.RevokedAt),
		}
	})
}

// APIKeysCreateCmd is `gatehouse api-keys create`.
type APIKeysCreateCmd struct {
	Remote
	Name    string `required:"" placeholder:"NAME" help:"What the key is for."`
	Role    string `required:"" placeholder:"ROLE" enum:"viewer,connector_builder,admin,tenant_admin" help:"viewer, connector_builder or admin; at the tenant level, tenant_admin."`
	Expires string `placeholder:"WHEN" help:"Until when the key works: 2027-01-31, or how long, such as 720h or 30d; for ever without it."`
}

// Help returns examples.
func (APIKeysCreateCmd) Help() string {
	return `Prints the key and nothing else on standard output, so that it can go straight where it is needed.

    gatehouse api-keys create --name "CI" --role viewer --expires 720h > ci.key
    gatehouse api-keys create --name "Operations" --role tenant_admin > tenant.key`
}

// Run makes a key.
func (cmd *APIKeysCreateCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.clientFor(cmd.Role, e.services.Version)
	if err != nil {
		return err
	}
	draft := client.APIKeyDraft{Name: cmd.Name, Role: cmd.Role}
	if draft.ExpiresAt, err = parseEnd("--expires", cmd.Expires, time.Now()); err != nil {
		return err
	}
	a, err := c.CreateAPIKey(ctx, draft)
	if err != nil {
		return err
	}
	if cmd.json() {
		return e.printJSON(a.Raw)
	}
	fmt.Fprintf(e.Err, "%s (%s, %s). The key is shown this once:\n", a.Value.MemberID, output.Clean(a.Value.Name), a.Value.Role)
	_, err = fmt.Fprintln(e.Out, output.Clean(a.Value.Key))
	return err
}

// APIKeysRevokeCmd is `gatehouse api-keys revoke`.
type APIKeysRevokeCmd struct {
	Remote
	Member string `arg:"" help:"Member id of the key, such as mem_3."`
	Yes    bool   `short:"y" help:"Do not ask."`
}

// Help returns examples.
func (APIKeysRevokeCmd) Help() string {
	return `A revoked key stops working at once and cannot be brought back.

    gatehouse api-keys revoke mem_3`
}

// Run revokes a key.
func (cmd *APIKeysRevokeCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	if err := e.confirm(ctx, cmd.Yes, fmt.Sprintf("Revoke the key %s?", cmd.Member)); err != nil {
		return err
	}
	if err := c.RevokeAPIKey(ctx, cmd.Member); err != nil {
		return err
	}
	fmt.Fprintf(e.Err, "%s is revoked.\n", cmd.Member)
	return nil
}
