package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/cli/form"
	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// IntegrationsCmd is `gatehouse integrations`.
type IntegrationsCmd struct {
	List IntegrationsListCmd `cmd:"" default:"withargs" help:"List the catalog."`
	Show IntegrationsShowCmd `cmd:"" help:"Show what an integration needs and reads."`

	Permissions IntegrationsPermissionsCmd `cmd:"" help:"Show what to grant at the provider, ready to paste."`
}

// IntegrationsListCmd is `gatehouse integrations list`.
type IntegrationsListCmd struct {
	Remote
	Paging
}

// Help returns examples.
func (IntegrationsListCmd) Help() string {
	return `Lists what can be connected in this deployment.

    gatehouse integrations list
    gatehouse integrations list -o json`
}

// Run lists the catalog.
func (cmd *IntegrationsListCmd) Run(ctx context.Context, e *environment) error {
	c, pages, err := open(e, &cmd.Remote, cmd.Paging)
	if err != nil {
		return err
	}
	l, err := c.Integrations(ctx, pages)
	if err != nil {
		return err
	}
	t := output.Table{Header: []string{"Integration", "Name", "Connector", "Version", "Test", "Licensed"}, Empty: "The catalog is empty."}
	return printList(e, cmd.Remote, l, t, func(i client.Integration) []string {
		return []string{i.IntegrationID, i.Name, i.ConnectorID, i.Version, output.YesNo(i.SupportsTest), licensed(i)}
	})
}

// licensed says whether an integration may be used and, if not, why.
func licensed(i client.Integration) string {
	if i.Licensed {
		return "yes"
	}
	return "no: " + i.LicenceReason
}

// IntegrationsShowCmd is `gatehouse integrations show`.
type IntegrationsShowCmd struct {
	Remote
	Integration string `arg:"" complete:"integrations" help:"Id of the integration, such as aws."`
}

// Help returns examples.
func (IntegrationsShowCmd) Help() string {
	return `Shows the fields of the configuration and the scope, the permissions that are needed at the provider, what is read, and what is known not to be seen.

    gatehouse integrations show aws`
}

// Run shows one integration.
func (cmd *IntegrationsShowCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	a, err := c.Integration(ctx, cmd.Integration)
	if err != nil {
		return err
	}
	if cmd.json() {
		return e.printJSON(a.Raw)
	}
	i := a.Value
	err = output.Fields(e.Out, []output.Field{
		{Name: "Integration", Value: i.IntegrationID},
		{Name: "Name", Value: i.Name},
		{Name: "Connector", Value: i.ConnectorID + " " + i.Version},
		{Name: "Provided by", Value: i.ProvidedBy},
		{Name: "Status", Value: i.Status},
		{Name: "Licensed", Value: licensed(i)},
		{Name: "Entities", Value: strings.Join(i.EmitsEntities, ", ")},
		{Name: "Relationships", Value: strings.Join(i.EmitsRelationships, ", ")},
	})
	if err != nil {
		return err
	}
	for _, part := range []struct {
		title, root string
		schema      []byte
	}{
		{"Configuration (--set, --set-file, --set-env)", "configuration", i.Configuration},
		{"Scope (--scope)", "scope", i.Scope},
	} {
		s, err := form.Compile(part.root, part.schema)
		if err != nil {
			return err
		}
		if err := e.printSchema(part.title, s); err != nil {
			return err
		}
	}
	if err := e.printLines("Permissions at the provider", i.RequiredPermissions); err != nil {
		return err
	}
	return e.printLines("Not seen", i.LimitsBlindSpots)
}

func (e *environment) printSchema(title string, s *form.Schema) error {
	missing, err := s.Missing(nil)
	if err != nil {
		return err
	}
	t := output.Table{Header: []string{"Field", "Type", "Needed", "Default", "What it is"}}
	for _, name := range s.Names() {
		f, _ := s.Field(name)
		kind := f.Type
		switch {
		case f.Secret:
			kind = "secret"
		case f.Items != "":
			kind = "list of " + f.Items
		}
		fallback := ""
		if f.Default != nil {
			fallback = fmt.Sprint(f.Default)
		}
		needed := ""
		for _, m := range missing {
			if m == name {
				needed = "yes"
			}
		}
		t.Rows = append(t.Rows, []string{name, kind, needed, fallback, f.Description})
	}
	if len(t.Rows) == 0 {
		return nil
	}
	if _, err := fmt.Fprintf(e.Out, "\n%s\n", title); err != nil {
		return err
	}
	return t.Write(e.Out, e.width())
}

func (e *environment) printLines(title string, lines []string) error {
	if len(lines) == 0 {
		return nil
	}
	if _, err := fmt.Fprintf(e.Out, "\n%s\n", title); err != nil {
		return err
	}
	for _, line := range lines {
		if _, err := fmt.Fprintf(e.Out, "  %s\n", output.Clean(line)); err != nil {
			return err
		}
	}
	return nil
}

// open returns the client of a list command and how much it reads.
func open(e *environment, r *Remote, p Paging) (*client.Client, client.Pages, error) {
	pages, err := p.pages()
	if err != nil {
		return nil, pages, err
	}
	c, err := r.client(e.services.Version)
	return c, pages, err
}
