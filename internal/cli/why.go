package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// WhyCmd is `gatehouse access why`.
type WhyCmd struct {
	Remote
	dating
	Principal string `arg:"" help:"Principal, account or entitlement: id (ent_...), exact provider id or ARN, or exact name. Or an identity (identity_...), for all of its principals."`
	Resource  string `arg:"" help:"Resource, or anything on the way to one, named likewise."`
	Limit     int    `default:"5" placeholder:"N" help:"The most paths to show, up to 50 (${default})."`
	Identity  bool   `help:"Name a person or workload, by email, other identifier or name, in the place of a principal."`
	Depth     int    `default:"8" placeholder:"N" help:"The most steps of a path, up to 12 (${default})."`
}

// Help returns examples.
func (WhyCmd) Help() string {
	return `Draws each way as a tree, shortest first: every step with what it allows or denies, its conditions, and the run that first saw it.

    gatehouse access why arn:aws:iam::111122223333:user/ann arn:aws:s3:::payroll
    gatehouse access why --identity ann@example.com payroll`
}

// Run draws the paths.
func (cmd *WhyCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	asOf, err := cmd.moment()
	if err != nil {
		return err
	}
	from, err := findWho(ctx, c, asOf, cmd.Principal, cmd.Identity, "Principal", "Account", "Entitlement")
	if err != nil {
		return err
	}
	to, err := findEntityAt(ctx, c, asOf, cmd.Resource, "Resource", "Entitlement", "Account")
	if err != nil {
		return err
	}
	a, err := c.Paths(ctx, from, to.EntityID, cmd.Limit, cmd.Depth, asOf)
	if err != nil {
		return err
	}
	if cmd.json() {
		return e.printJSON(a.Raw)
	}
	p := a.Value
	if len(p.Paths) == 0 {
		none := fmt.Sprintf("No way from %s to %s was read.", nameOf(p.Asked()), nameOf(p.To))
		if _, err := fmt.Fprintln(e.Out, output.Clean(emptyAnswer(p.Basis, none))); err != nil {
			return err
		}
	}
	for i, path := range p.Paths {
		if _, err := fmt.Fprintf(e.Out, "%sPath %d of %d: %s in %d steps\n", blankAfter(i), i+1, len(p.Paths), path.Effect, path.Hops); err != nil {
			return err
		}
		// Not cut: what a path rests on is to be read to its end.
		if err := output.Tree(e.Out, 0, pathTree(path.Steps[0].From, path.Steps)); err != nil {
			return err
		}
	}
	return e.printBasis(p.Basis)
}

func blankAfter(i int) string {
	if i == 0 {
		return ""
	}
	return "\n"
}

// pathTree hangs each step below the one before.
func pathTree(from client.EntityRef, steps []client.Step) output.Node {
	root := output.Node{Text: describe(from)}
	at := &root
	for _, step := range steps {
		at.Children = append(at.Children, stepNode(step))
		at = &at.Children[len(at.Children)-1]
	}
	return root
}

func describe(e client.EntityRef) string {
	return fmt.Sprintf("%s (%s)", nameOf(e), strings.TrimSpace(e.Kind+" "+e.Type))
}

// verb says what a step is.
func verb(kind string) string {
	switch kind {
	case "principal_represents_account":
		return "has the account"
	case "account_assigned_entitlement":
		return "is given"
	case "entitlement_includes_entitlement":
		return "includes"
	case "entitlement_grants_resource":
		return "grants"
	case "account_assumes_account":
		return "may act as"
	case "boundary_contains":
		return "contains"
	}
	return strings.ReplaceAll(kind, "_", " ")
}

// stepNode is a step; what its edges say stands below it.
func stepNode(step client.Step) output.Node {
	node := output.Node{Text: verb(step.Kind) + " " + describe(step.To)}
	for _, edge := range step.Edges {
		node.Children = append(node.Children, output.Node{Text: edgeText(edge)})
	}
	if step.MoreEdges {
		node.Children = append(node.Children, output.Node{Text: "and more"})
	}
	return node
}

func edgeText(e client.Edge) string {
	var parts []string
	what := someOf(e.Actions, false)
	if len(e.NotActions) > 0 {
		what = strings.TrimSpace(what + " all but " + someOf(e.NotActions, false))
	}
	if e.Effect == "deny" || what != "" {
		parts = append(parts, strings.TrimSpace(e.Effect+" "+what))
	}
	if conditions := string(e.Conditions); conditions != "" && conditions != "null" && conditions != "{}" {
		parts = append(parts, "if "+conditions)
	}
	if e.Given == "eligible" {
		parts = append(parts, "once activated")
	}
	if e.ExpiresAt != nil {
		parts = append(parts, "until "+output.Time(e.ExpiresAt))
	}
	seen := fmt.Sprintf("seen by %s", strings.TrimSpace(e.FirstSeenRunID+" in "+strings.TrimSpace(e.Stream+" "+e.Partition)))
	return strings.TrimSuffix(seen+": "+strings.Join(parts, "; "), ": ")
}
