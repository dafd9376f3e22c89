package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// AccessCmd is `gatehouse access`.
type AccessCmd struct {
	WhoCan  WhoCanCmd  `cmd:"" name:"who-can" help:"Who can reach a resource."`
	WhatCan WhatCanCmd `cmd:"" name:"what-can" help:"What a principal or account can reach."`
	Why     WhyCmd     `cmd:"" help:"How a principal reaches a resource, step by step."`
	Since   SinceCmd   `cmd:"" help:"Since when a principal reaches a resource, and how."`
	Compare CompareCmd `cmd:"" help:"Who gained and who lost access between two moments."`
	Can     CanCmd     `cmd:"" help:"Whether a request would be allowed, and what decides it."`
}

// narrowing is the flags of who-can and what-can.
type narrowing struct {
	Paging
	dating
	Action string `placeholder:"ACTION" help:"Only access to do this, such as s3:GetObject."`
	Access string `enum:"direct,inherited," default:"" placeholder:"HOW" help:"Only access held so: direct or inherited."`
	Type   string `placeholder:"TYPE" help:"Only accounts (who-can) or resources (what-can) of this type, the provider's own term."`
	Count  bool   `help:"Also count all rows, up to 10,000."`
	deciding
}

func (n narrowing) filter() (client.AccessFilter, error) {
	asOf, err := n.moment()
	if err != nil {
		return client.AccessFilter{}, err
	}
	return client.AccessFilter{
		Action: n.Action, Access: n.Access, Type: n.Type, Count: n.Count, AsOf: asOf, Effective: n.Effective, Context: n.Given,
	}, n.check(n.Action)
}

// WhoCanCmd is `gatehouse access who-can`.
type WhoCanCmd struct {
	Remote
	narrowing
	ByIdentity bool   `help:"One row for each person or workload, with the ways in by all of their accounts."`
	Resource   string `arg:"" help:"Resource: id (ent_...), exact provider id or ARN, or exact name."`
}

// Help returns examples.
func (WhoCanCmd) Help() string {
	return `One row for each account that some statement allows to reach the resource. "allowed" is what the statements that were read say together, not the provider's verdict, which --effective adds; below the table stands what was not seen.

    gatehouse access who-can arn:aws:s3:::payroll
    gatehouse access who-can payroll --action s3:GetObject --all -o json
    gatehouse access who-can payroll --action s3:GetObject --effective
    gatehouse access who-can payroll --by-identity --count
    gatehouse access who-can payroll --as-of 30d`
}

// Run answers who can reach a resource.
func (cmd *WhoCanCmd) Run(ctx context.Context, e *environment) error {
	c, pages, err := open(e, &cmd.Remote, cmd.Paging)
	if err != nil {
		return err
	}
	f, err := cmd.filter()
	if err != nil {
		return err
	}
	resource, err := findEntityAt(ctx, c, f.AsOf, cmd.Resource, "Resource")
	if err != nil {
		return err
	}
	if cmd.ByIdentity {
		return cmd.byIdentity(ctx, e, c, resource.EntityID, f, pages)
	}
	a, err := c.WhoCan(ctx, resource.EntityID, f, pages)
	if err != nil {
		return err
	}
	t := output.Table{Header: []string{"Principal", "Account", "How", "Via", "Actions", "Decision"}}
	t.Empty = emptyAnswer(a.Basis, fmt.Sprintf("No statement that was read lets anybody reach %s.", nameOf(a.Subject)))
	e.remarkAction(cmd.Action, a.Items)
	if cmd.Effective {
		t.Header = append(t.Header, "Request")
	}
	err = printList(e, cmd.Remote, a.List, t, func(row client.Access) []string {
		cells := []string{principalsOf(row), nameOf(row.Account), howOf(row), nameOf(row.Via), actionsOf(row), row.Decision}
		if cmd.Effective {
			cells = append(cells, effectiveText(row.Effective))
		}
		return cells
	})
	if err != nil || cmd.json() {
		return err
	}
	return e.printBasis(a.Basis)
}

// byIdentity shows persons and workloads, and below each of several accounts these.
func (cmd *WhoCanCmd) byIdentity(ctx context.Context, e *environment, c *client.Client, resource string, f client.AccessFilter, pages client.Pages) error {
	a, err := c.WhoCanByIdentity(ctx, resource, f, pages)
	if err != nil {
		return err
	}
	t := output.Table{Header: []string{"Identity", "Accounts", "How", "Decision"}}
	if cmd.Effective {
		t.Header = append(t.Header, "Request")
	}
	t.Empty = emptyAnswer(a.Basis, fmt.Sprintf("No statement that was read lets anybody reach %s.", nameOf(a.Subject)))
	err = printList(e, cmd.Remote, a.List, t, func(row client.IdentityAccess) []string {
		who := output.OrNone("")
		if row.Identity != nil {
			who = row.Identity.Name
		}
		var accounts []string
		for _, way := range row.Ways {
			accounts = append(accounts, fmt.Sprintf("%s (%s, via %s)", nameOf(way.Account), howOf(way), nameOf(way.Via)))
		}
		cells := []string{who, someOf(accounts, row.Accounts > len(row.Ways)), row.Access, row.Decision}
		if cmd.Effective {
			cells = append(cells, effectiveText(bestOf(row.Ways)))
		}
		return cells
	})
	if err != nil || cmd.json() {
		return err
	}
	if err := e.printBasis(a.Basis); err != nil || a.Accounts == nil {
		return err
	}
	_, err = fmt.Fprintf(e.Out, "These have %d accounts in all.\n", *a.Accounts)
	return err
}

// bestOf is the request that gets furthest of those of several ways.
func bestOf(ways []client.Access) (best *client.Route) {
	rank := func(r *client.Route) int {
		if r == nil {
			return -1
		}
		return slices.Index([]string{"denied", "depends", "allowed"}, r.Decision)
	}
	for _, way := range ways {
		if rank(way.Effective) > rank(best) {
			best = way.Effective
		}
	}
	return best
}

// WhatCanCmd is `gatehouse access what-can`.
type WhatCanCmd struct {
	Remote
	narrowing
	Principal string `arg:"" help:"Principal or account: id (ent_...), exact provider id or ARN, or exact name. Or an identity (identity_...), for all of its principals."`
	Identity  bool   `help:"Name a person or workload, by email, other identifier or name, for all of its principals."`
}

// Help returns examples.
func (WhatCanCmd) Help() string {
	return `One row for each resource that some statement allows the principal, by any of its accounts, or the account to reach. With --identity it is asked of a person or workload, over all connections.

    gatehouse access what-can arn:aws:iam::111122223333:user/ann
    gatehouse access what-can ann --action s3:GetObject --limit 10
    gatehouse access what-can ann --action s3:GetObject --effective --given aws:SourceIp=203.0.113.7
    gatehouse access what-can --identity ann@example.com`
}

// Run answers what a principal can reach.
func (cmd *WhatCanCmd) Run(ctx context.Context, e *environment) error {
	c, pages, err := open(e, &cmd.Remote, cmd.Paging)
	if err != nil {
		return err
	}
	f, err := cmd.filter()
	if err != nil {
		return err
	}
	who, err := findWho(ctx, c, f.AsOf, cmd.Principal, cmd.Identity, "Principal", "Account")
	if err != nil {
		return err
	}
	ask := c.WhatCan
	if isIdentityID(who) {
		ask = c.WhatIdentityCan
	}
	a, err := ask(ctx, who, f, pages)
	if err != nil {
		return err
	}
	t := output.Table{Header: []string{"Resource", "Type", "Account", "How", "Via", "Actions", "Decision"}}
	t.Empty = emptyAnswer(a.Basis, fmt.Sprintf("No statement that was read lets %s reach anything.", nameOf(a.Subject)))
	e.remarkAction(cmd.Action, a.Items)
	if cmd.Effective {
		t.Header = append(t.Header, "Request")
	}
	err = printList(e, cmd.Remote, a.List, t, func(row client.Access) []string {
		cells := []string{nameOf(row.Resource), row.Resource.Type, nameOf(row.Account), howOf(row), nameOf(row.Via), actionsOf(row), row.Decision}
		if cmd.Effective {
			cells = append(cells, effectiveText(row.Effective))
		}
		return cells
	})
	if err != nil || cmd.json() {
		return err
	}
	return e.printBasis(a.Basis)
}

// remarkAction says on standard error that nothing in an answer names the action
// that was asked for: it may be misspelt, and statements that allow everything
// allow that too. Providers' terms differ in form, so none is refused for it.
func (e *environment) remarkAction(action string, rows []client.Access) {
	if action == "" {
		return
	}
	for _, row := range rows {
		if slices.ContainsFunc(row.Actions, func(named string) bool { return named != "*" }) {
			return
		}
	}
	fmt.Fprintf(e.Err, "No statement behind these rows names the action %s. An action is written in full, as the provider writes it, such as s3:GetObject.\n", output.Clean(action))
}

func emptyAnswer(b client.Basis, text string) string {
	if b.Observed {
		return text
	}
	return "Nothing was found, and nothing behind the question was ever read completely: nobody has looked."
}

// nameOf shows an entity by its name, or by the next best.
func nameOf(e client.EntityRef) string {
	for _, text := range []string{e.Name, e.ProviderID, e.EntityID} {
		if text != "" {
			return text
		}
	}
	return output.OrNone("")
}

func principalsOf(row client.Access) string {
	names := make([]string, len(row.Principals))
	for i, p := range row.Principals {
		names[i] = nameOf(p.EntityRef)
		// Of who is one with others, the name under which all of them are one.
		if p.Identity.PrincipalCount > 1 && p.Identity.Name != names[i] {
			names[i] += " = " + p.Identity.Name
		}
	}
	return output.OrNone(strings.Join(names, ", "))
}

func howOf(row client.Access) string {
	if row.ActingAs == nil {
		return row.Access
	}
	return fmt.Sprintf("%s, as %s", row.Access, nameOf(*row.ActingAs))
}

// actionsShown bounds the actions in a cell; json has all.
const actionsShown = 3

func actionsOf(row client.Access) string {
	return someOf(row.Actions, row.MoreActions)
}

func someOf(actions []string, more bool) string {
	left := len(actions) - actionsShown
	if left <= 0 {
		return strings.Join(actions, ", ")
	}
	text := fmt.Sprintf("%s and %d more", strings.Join(actions[:actionsShown], ", "), left)
	if more {
		text = strings.TrimSuffix(text, "more") + "or more"
	}
	return text
}
