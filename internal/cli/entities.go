package cli

import (
	"context"
	"fmt"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// EntitiesCmd is `gatehouse entities`.
type EntitiesCmd struct {
	List EntitiesListCmd `cmd:"" default:"withargs" help:"List entities of the graph."`
	Show EntitiesShowCmd `cmd:"" help:"Show one entity."`
}

// EntitiesListCmd is `gatehouse entities list`.
type EntitiesListCmd struct {
	Remote
	Paging
	dating
	Kind       string `enum:"Principal,Account,Entitlement,Resource,CloudAccountBoundary," default:"" placeholder:"KIND" complete:"kinds" help:"Principal, Account, Entitlement, Resource or CloudAccountBoundary."`
	Type       string `placeholder:"TYPE" help:"The provider's own term, such as s3_bucket."`
	Connection string `placeholder:"CONNECTION" complete:"connections" help:"Only what this connection read (id or name)."`
	Name       string `placeholder:"NAME" help:"Exactly this name."`
	Prefix     string `placeholder:"TEXT" help:"Names that begin so."`
	ProviderID string `placeholder:"ID" help:"Exactly this id at the provider, such as an ARN."`
}

// Help returns examples.
func (EntitiesListCmd) Help() string {
	return `Shows what the graph has, or had. Flags narrow it together: an entity has to fit all of them.

    gatehouse entities list --kind Resource --prefix pay
    gatehouse entities list --provider-id arn:aws:iam::111122223333:user/ann`
}

// Run lists entities.
func (cmd *EntitiesListCmd) Run(ctx context.Context, e *environment) error {
	c, pages, err := open(e, &cmd.Remote, cmd.Paging)
	if err != nil {
		return err
	}
	f := client.EntityFilter{Kind: cmd.Kind, Type: cmd.Type, Name: cmd.Name, NamePrefix: cmd.Prefix, ProviderID: cmd.ProviderID}
	if f.AsOf, err = cmd.moment(); err != nil {
		return err
	}
	if cmd.Connection != "" {
		found, err := findConnection(ctx, c, cmd.Connection)
		if err != nil {
			return err
		}
		f.Connection = found.Value.ConnectionID
	}
	l, err := c.Entities(ctx, f, pages)
	if err != nil {
		return err
	}
	t := output.Table{Header: []string{"Kind", "Type", "Name", "Entity", "Connection", "Provider id"}}
	t.Empty = emptyAnswer(l.Basis, "The graph has no such entities.")
	err = printList(e, cmd.Remote, l.List, t, func(found client.Entity) []string {
		return []string{found.Kind, output.OrNone(found.Type), found.Name, found.EntityID, found.ConnectionID, found.ProviderID}
	})
	if err != nil || cmd.json() {
		return err
	}
	return e.printBasis(l.Basis)
}

// EntitiesShowCmd is `gatehouse entities show`.
type EntitiesShowCmd struct {
	Remote
	dating
	Entity string `arg:"" help:"Id (ent_...), exact provider id or ARN, or exact name."`
	Kind   string `enum:"Principal,Account,Entitlement,Resource,CloudAccountBoundary," default:"" placeholder:"KIND" complete:"kinds" help:"The kind that is meant where several have the name, such as Account."`
}

// Help returns examples.
func (EntitiesShowCmd) Help() string {
	return `Shows an entity with all its attributes, whose it is, and how completely its connection was read.

    gatehouse entities show arn:aws:s3:::payroll
    gatehouse entities show ann --kind Account`
}

// Run shows one entity.
func (cmd *EntitiesShowCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	asOf, err := cmd.moment()
	if err != nil {
		return err
	}
	found, err := findEntityAt(ctx, c, asOf, cmd.Entity, cmd.Kind)
	if err != nil {
		return err
	}
	a, err := c.Entity(ctx, found.EntityID, asOf)
	if err != nil {
		return err
	}
	if cmd.json() {
		return e.printJSON(a.Raw)
	}
	fields := []output.Field{
		{Name: "Entity", Value: a.Value.EntityID},
		{Name: "Kind", Value: a.Value.Kind},
		{Name: "Type", Value: a.Value.Type},
		{Name: "Name", Value: a.Value.Name},
		{Name: "Provider id", Value: a.Value.ProviderID},
		{Name: "Connection", Value: a.Value.ConnectionID},
	}
	if whose := a.Value.Identity; whose != nil {
		fields = append(fields, output.Field{Name: "Identity", Value: fmt.Sprintf("%s (%s)", whose.Name, whose.IdentityID)})
	}
	for _, p := range a.Value.Principals {
		name, text := "Represents", fmt.Sprintf("%s (%s of %s)", nameOf(p.EntityRef), p.EntityID, p.ConnectionID)
		if a.Value.Kind == "Principal" {
			name = "Same as"
		} else if p.Identity.PrincipalCount > 1 {
			text += fmt.Sprintf(", who is %s (%s)", p.Identity.Name, p.Identity.IdentityID)
		}
		fields = append(fields, output.Field{Name: name, Value: text})
	}
	if a.Value.MorePrincipals {
		fields = append(fields, output.Field{Name: "And", Value: "more principals"})
	}
	if err := output.Fields(e.Out, append(fields, objectFields("Attribute", a.Value.Attributes)...)); err != nil {
		return err
	}
	return e.printBasis(a.Value.Basis)
}
