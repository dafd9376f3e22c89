package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// CompareCmd is `gatehouse access compare`.
type CompareCmd struct {
	WhoCan  CompareWhoCanCmd  `cmd:"" name:"who-can" help:"Who gained and who lost reach of a resource."`
	WhatCan CompareWhatCanCmd `cmd:"" name:"what-can" help:"What a principal, account or person gained and lost."`
}

// comparing is the flags of comparisons.
type comparing struct {
	Paging
	From   string `required:"" placeholder:"WHEN" help:"The earlier moment: 2026-01-31, 2026-01-31T08:00:00Z, how long ago, as 24h or 7d, or when a run was published, as run_12."`
	To     string `placeholder:"WHEN" help:"The later moment; now, when left out."`
	Action string `placeholder:"ACTION" help:"Only access to do this, such as s3:GetObject."`
	Type   string `placeholder:"TYPE" help:"Only accounts (who-can) or resources (what-can) of this type, the provider's own term."`
	Change string `enum:"gained,lost,changed," default:"" placeholder:"WHAT" help:"Only what was gained, lost or changed."`
}

func (c comparing) filter() (f client.CompareFilter, err error) {
	f = client.CompareFilter{Action: c.Action, Type: c.Type, Change: c.Change}
	if f.From, err = momentOf("--from", c.From); err != nil {
		return f, err
	}
	f.To, err = momentOf("--to", c.To)
	return f, err
}

// either finds what was there at the later moment, or else at the earlier one. An
// id is taken as it is: what it names may have left the graph.
func either(f client.CompareFilter, text string, find func(asOf string) (string, error)) (string, error) {
	if isEntityID(text) {
		return text, nil
	}
	found, err := find(f.To)
	var missing *notFoundError
	if errors.As(err, &missing) {
		if then, earlier := find(f.From); earlier == nil {
			return then, nil
		}
	}
	return found, err
}

// CompareWhoCanCmd is `gatehouse access compare who-can`.
type CompareWhoCanCmd struct {
	Remote
	comparing
	Resource string `arg:"" help:"Resource: id (ent_...), which finds what has left the graph, exact provider id or ARN, or exact name."`
}

// Help returns examples.
func (CompareWhoCanCmd) Help() string {
	return `One row for each account that can reach the resource at one moment and could not at the other, or could otherwise: which, and because of what, seen by which run. "?" marks what may have been so before, or may be so still, since it had never been looked at, or is not any longer.

    gatehouse access compare who-can payroll --from 30d
    gatehouse access compare who-can payroll --from run_11 --to run_12 --change gained --all -o json`
}

// Run compares who can reach a resource.
func (cmd *CompareWhoCanCmd) Run(ctx context.Context, e *environment) error {
	c, pages, err := open(e, &cmd.Remote, cmd.Paging)
	if err != nil {
		return err
	}
	f, err := cmd.filter()
	if err != nil {
		return err
	}
	resource, err := either(f, cmd.Resource, func(asOf string) (string, error) {
		found, err := findEntityAt(ctx, c, asOf, cmd.Resource, "Resource")
		return found.EntityID, err
	})
	if err != nil {
		return err
	}
	a, err := c.CompareWhoCan(ctx, resource, f, pages)
	if err != nil {
		return err
	}
	return cmd.print(e, cmd.Remote, a, []string{"Principal", "Account"}, func(row client.Access) []string {
		return []string{principalsOf(row), nameOf(row.Account)}
	})
}

// CompareWhatCanCmd is `gatehouse access compare what-can`.
type CompareWhatCanCmd struct {
	Remote
	comparing
	Principal string `arg:"" help:"Principal or account: id (ent_...), which finds what has left the graph, exact provider id or ARN, or exact name. Or an identity (identity_...)."`
	Identity  bool   `help:"Name a person or workload, by email, other identifier or name, for all of its principals."`
}

// Help returns examples.
func (CompareWhatCanCmd) Help() string {
	return `One row for each resource that can be reached at one moment and could not at the other, or could otherwise, and because of what. A person is asked about with the principals of the later moment.

    gatehouse access compare what-can ann --from 7d
    gatehouse access compare what-can --identity ann@example.com --from 2026-01-01 --to 2026-02-01 --change lost`
}

// Run compares what somebody can reach.
func (cmd *CompareWhatCanCmd) Run(ctx context.Context, e *environment) error {
	c, pages, err := open(e, &cmd.Remote, cmd.Paging)
	if err != nil {
		return err
	}
	f, err := cmd.filter()
	if err != nil {
		return err
	}
	who, err := either(f, cmd.Principal, func(asOf string) (string, error) {
		return findWho(ctx, c, asOf, cmd.Principal, cmd.Identity, "Principal", "Account")
	})
	if err != nil {
		return err
	}
	ask := c.CompareWhatCan
	if isIdentityID(who) {
		ask = c.CompareWhatIdentityCan
	}
	a, err := ask(ctx, who, f, pages)
	if err != nil {
		return err
	}
	return cmd.print(e, cmd.Remote, a, []string{"Resource", "Account"}, func(row client.Access) []string {
		return []string{nameOf(row.Resource), nameOf(row.Account)}
	})
}

// print shows the changes, and what was not looked at, then and now.
func (c comparing) print(e *environment, r Remote, a client.ComparisonList, about []string, cells func(client.Access) []string) error {
	t := output.Table{Header: append(append([]string{"Change"}, about...), "Before", "After", "Because")}
	t.Empty = "Nothing was gained, lost or changed."
	if !a.Basis.Observed || !a.Before.Observed {
		t.Empty = "No change was found, and at one of the moments nothing behind the question had ever been read completely: nobody had looked."
	}
	err := printList(e, r, a.List, t, func(row client.AccessChange) []string {
		change := row.Change
		if row.Uncertain {
			change += "?"
		}
		return append(append([]string{change}, cells(row.Row())...), standingOf(row.Before), standingOf(row.After), reasonsOf(row))
	})
	if err != nil || r.json() {
		return err
	}
	if a.Before.AsOf.IsZero() {
		return e.printBasis(a.Basis)
	}
	for _, of := range []struct {
		when  string
		basis client.Basis
	}{{"Before", a.Before}, {"After", a.Basis}} {
		if _, err := fmt.Fprintf(e.Out, "\n%s, at %s:", of.when, output.Time(&of.basis.AsOf)); err != nil {
			return err
		}
		if err := e.printBasis(of.basis); err != nil {
			return err
		}
	}
	return nil
}

func standingOf(row *client.Access) string {
	if row == nil {
		return output.OrNone("")
	}
	return row.Decision + " " + actionsOf(*row)
}

// reasonsOf is the first reason; json has all.
func reasonsOf(c client.AccessChange) string {
	if len(c.Reasons) == 0 {
		return output.OrNone("")
	}
	r := c.Reasons[0]
	text := fmt.Sprintf("%s: %s %s %s%s", strings.ReplaceAll(r.Change, "_", " "), nameOf(r.From), verb(r.Kind), nameOf(r.To), byRun(r.RunID))
	if more := len(c.Reasons) - 1; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
