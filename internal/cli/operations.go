package cli

import (
	"context"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// OperationsCmd is `gatehouse operations`.
type OperationsCmd struct {
	List OperationsListCmd `cmd:"" default:"withargs" help:"List what can be started."`
}

// OperationsListCmd is `gatehouse operations list`.
type OperationsListCmd struct {
	Remote
}

// Help returns examples.
func (OperationsListCmd) Help() string {
	return `Shows what each operation has to itself while it is under way, the integrations that offer it, and what runs start takes as --input.

    gatehouse operations list
    gatehouse operations list -o json`
}

// Run lists the operations.
func (cmd *OperationsListCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	a, err := c.Operations(ctx)
	if err != nil {
		return err
	}
	if cmd.json() {
		return e.printJSON(a.Raw)
	}
	t := output.Table{Header: []string{"Operation", "What it does", "Integrations", "Has to itself", "At most", "Input"}}
	for _, o := range a.Value.Operations {
		t.Rows = append(t.Rows, []string{
			o.OperationType, o.Verb + " " + o.Object, output.OrNone(strings.Join(o.Integrations, ", ")), strings.ReplaceAll(o.Protects, "_", " "),
			shownPeriod(o.DeadlineSeconds), output.OrNone(strings.Join(inputNames(o), ", ")),
		})
	}
	return t.Write(e.Out, e.width())
}

func inputNames(o client.Operation) []string {
	names := make([]string, len(o.Inputs))
	for i, f := range o.Inputs {
		if names[i] = f.Name; f.Required {
			names[i] += " (needed)"
		}
	}
	return names
}
