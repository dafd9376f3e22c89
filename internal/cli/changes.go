package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// ChangesCmd is `gatehouse changes`.
type ChangesCmd struct {
	Remote
	Paging
	From       string `placeholder:"WHEN" help:"Changes after this moment: 2026-01-31, 2026-01-31T08:00:00Z, how long ago, as 24h or 7d, or when a run was published, as run_12. Without it, what the last publication of each connection changed."`
	To         string `placeholder:"WHEN" help:"Changes up to this moment; now, when left out."`
	Of         string `name:"run" placeholder:"RUN" help:"Only what this run changed, as run_12."`
	Connection string `placeholder:"CONNECTION" complete:"connections" help:"Only changes of this connection (id or name)."`
	Kind       string `placeholder:"KIND" help:"Only this kind, such as Account or account_assigned_entitlement."`
	About      string `placeholder:"ENTITY" help:"Only this entity and what stands at it; of a principal, also at its accounts. Id (ent_...), which finds what has left the graph, exact provider id or ARN, or exact name."`
}

// Help returns examples.
func (ChangesCmd) Help() string {
	return `Lists what publications changed, in the order in which that became visible. "first_observed" was seen for the first time and may have been there before; "no_longer_observed" went out of scope and may still be there.

    gatehouse changes
    gatehouse changes --from 7d --connection "Prod AWS" --all
    gatehouse changes --from 2026-01-01 --to 2026-02-01 --about arn:aws:s3:::payroll -o json`
}

// Run lists changes.
func (cmd *ChangesCmd) Run(ctx context.Context, e *environment) error {
	c, pages, err := open(e, &cmd.Remote, cmd.Paging)
	if err != nil {
		return err
	}
	f, err := cmd.filter(ctx, c)
	if err != nil {
		return err
	}
	l, err := c.Changes(ctx, f, pages)
	if err != nil {
		return err
	}
	t := output.Table{Header: []string{"At", "Change", "Of", "What", "Run"}}
	t.Empty = emptyAnswer(l.Basis, "Nothing changed.")
	err = printList(e, cmd.Remote, l.List, t, func(found client.Change) []string {
		return []string{output.Time(&found.At), found.Change, kindOf(found), subjectOf(found) + fieldsOf(found), found.RunID}
	})
	if err != nil || cmd.json() {
		return err
	}
	if s := l.Summary; s != nil {
		_, err := fmt.Fprintf(e.Out, "\n%s\n%s\n", countsText("Entities", s.Entities), countsText("Relationships", s.Relationships))
		if err != nil {
			return err
		}
	}
	return e.printBasis(l.Basis)
}

func (cmd *ChangesCmd) filter(ctx context.Context, c *client.Client) (f client.ChangeFilter, err error) {
	f = client.ChangeFilter{Run: cmd.Of, Kind: cmd.Kind}
	if f.From, err = momentOf("--from", cmd.From); err != nil {
		return f, err
	}
	if f.To, err = momentOf("--to", cmd.To); err != nil {
		return f, err
	}
	if cmd.Connection != "" {
		if f.Connection, err = connectionID(ctx, c, cmd.Connection); err != nil {
			return f, err
		}
	}
	if strings.HasPrefix(cmd.About, "ent_") {
		f.Subject = cmd.About
	} else if cmd.About != "" {
		// What was there at the end of the time is meant.
		about, err := findEntityAt(ctx, c, f.To, cmd.About)
		if err != nil {
			return f, err
		}
		f.Subject = about.EntityID
	}
	return f, nil
}

func countsText(what string, n client.ChangeCounts) string {
	return fmt.Sprintf("%s: %d new, %d changed, %d removed.", what, n.New, n.Changed, n.Removed)
}

func kindOf(c client.Change) string {
	switch {
	case c.Entity != nil:
		return strings.TrimSpace(c.Entity.Kind + " " + c.Entity.Type)
	case c.Relationship != nil:
		return c.Relationship.Kind
	}
	return c.Of
}

func subjectOf(c client.Change) string {
	switch {
	case c.Entity != nil:
		return nameOf(*c.Entity)
	case c.Relationship != nil:
		effect := ""
		if c.Relationship.Effect == "deny" {
			effect = " (denies)"
		}
		return fmt.Sprintf("%s > %s%s", nameOf(c.Relationship.From), nameOf(c.Relationship.To), effect)
	}
	return c.ConnectionID + ", read for the first time"
}

// fieldsShown bounds the fields in a cell; json has all.
const fieldsShown = 3

// fieldsOf says which fields changed.
func fieldsOf(c client.Change) string {
	if len(c.Fields) == 0 {
		return ""
	}
	var names []string
	for _, f := range c.Fields[:min(len(c.Fields), fieldsShown)] {
		names = append(names, f.Field)
	}
	if more := len(c.Fields) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return ": " + strings.Join(names, ", ")
}
