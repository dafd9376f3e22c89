package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// SinceCmd is `gatehouse access since`.
type SinceCmd struct {
	Remote
	Principal string `arg:"" help:"Principal or account: id (ent_...), which finds what has left the graph, exact provider id or ARN, or exact name. Or an identity (identity_...)."`
	Resource  string `arg:"" help:"Resource: id (ent_...), exact provider id or ARN, or exact name."`
	Action    string `placeholder:"ACTION" help:"Only access to do this, such as s3:GetObject."`
	Identity  bool   `help:"Name a person or workload, by email, other identifier or name, in the place of a principal."`
}

// Help returns examples.
func (SinceCmd) Help() string {
	return `Tells the times in which the resource was reached, the latest first: by which way, and which runs saw that begin and end. "first_observed" may have been so before.

    gatehouse access since ann payroll
    gatehouse access since --identity ann@example.com payroll --action s3:GetObject`
}

// Run tells since when.
func (cmd *SinceCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	from, to := cmd.Principal, cmd.Resource
	// An id is taken as it is: what it names may have left the graph.
	if !isEntityID(from) {
		if from, err = findWho(ctx, c, "", from, cmd.Identity, "Principal", "Account"); err != nil {
			return err
		}
	}
	if !isEntityID(to) {
		found, err := findEntityAt(ctx, c, "", to, "Resource")
		if err != nil {
			return err
		}
		to = found.EntityID
	}
	a, err := c.Since(ctx, from, to, cmd.Action)
	if err != nil {
		return err
	}
	if cmd.json() {
		return e.printJSON(a.Raw)
	}
	return e.printSince(a.Value)
}

func (e *environment) printSince(s client.Since) error {
	said := fmt.Sprintf("%s has reached %s since %s.", nameOf(s.Asked()), nameOf(s.To), output.Time(s.Since))
	switch {
	case len(s.Intervals) == 0:
		said = emptyAnswer(s.Basis, fmt.Sprintf("No way from %s to %s has ever been read.", nameOf(s.Asked()), nameOf(s.To)))
	case s.Since == nil:
		said = fmt.Sprintf("%s does not reach %s now.", nameOf(s.Asked()), nameOf(s.To))
	}
	if _, err := fmt.Fprintln(e.Out, output.Clean(said)); err != nil {
		return err
	}
	for _, i := range s.Intervals {
		if _, err := fmt.Fprintln(e.Out); err != nil {
			return err
		}
		if err := output.Tree(e.Out, 0, intervalTree(i)); err != nil {
			return err
		}
	}
	if s.MoreIntervals {
		if _, err := fmt.Fprintln(e.Out, "\nThere are earlier ones."); err != nil {
			return err
		}
	}
	return e.printBasis(s.Basis)
}

// intervalTree is a time, with its way and what was not seen of it.
func intervalTree(i client.Interval) output.Node {
	root := output.Node{Text: fmt.Sprintf("%s: %s, %s%s", times(i.From, i.Until), i.Decision, i.Began, byRun(i.BeganRunID))}
	if i.Until != nil {
		root.Text += ", ended" + byRun(i.EndedRunID)
	}
	if len(i.Steps) > 0 {
		root.Children = append(root.Children, pathTree(i.Steps[0].From, i.Steps))
	}
	for _, u := range i.NotObserved {
		root.Children = append(root.Children, output.Node{Text: "not observed: " + times(u.From, u.Until)})
	}
	return root
}

func times(from time.Time, until *time.Time) string {
	if until == nil {
		return output.Time(&from) + " until now"
	}
	return output.Time(&from) + " until " + output.Time(until)
}

func byRun(run string) string {
	if run == "" {
		return ""
	}
	return " (" + run + ")"
}
