package cli

import (
	"context"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// TargetsCmd is `gatehouse targets`.
type TargetsCmd struct {
	List TargetsListCmd `cmd:"" default:"withargs" help:"List the organisations that connections reach."`
}

// TargetsListCmd is `gatehouse targets list`.
type TargetsListCmd struct {
	Remote
	Paging
}

// Help returns examples.
func (TargetsListCmd) Help() string {
	return `Tests and runs find the organisations; a connection may be created for one of them.

    gatehouse targets list
    gatehouse connections create aws --name "Prod AWS 2" --target tgt_3 --set access_key_id=AKIAIOSFODNN7EXAMPLE`
}

// Run lists the targets.
func (cmd *TargetsListCmd) Run(ctx context.Context, e *environment) error {
	c, pages, err := open(e, &cmd.Remote, cmd.Paging)
	if err != nil {
		return err
	}
	l, err := c.Targets(ctx, pages)
	if err != nil {
		return err
	}
	t := output.Table{
		Header: []string{"Target", "Name", "Provider", "Type", "Id there"},
		Empty:  "No connection has reached an organisation yet. Test one: gatehouse connections test CONNECTION",
	}
	return printList(e, cmd.Remote, l, t, func(t client.Target) []string {
		return []string{t.TargetID, t.Name, t.ProviderSystem, t.Type, t.ProviderID}
	})
}
