package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// CanCmd is `gatehouse access can`.
type CanCmd struct {
	Remote
	dating
	Principal string `arg:"" help:"Principal or account: id (ent_...), exact provider id or ARN, or exact name. Or an identity (identity_...), by all accounts of its principals."`
	Action    string `arg:"" help:"One action of the provider, such as s3:GetObject."`
	Resource  string `arg:"" help:"Resource: the provider's name, such as an ARN, which need not have been read, or an id (ent_...)."`
	Identity  bool   `help:"Name a person or workload, by email, other identifier or name, in the place of a principal."`
	circumstances
	SessionPolicy string `placeholder:"FILE" help:"A policy that limits the session that makes the request; - reads standard input."`
}

// Help returns examples.
func (CanCmd) Help() string {
	return `Decides by the provider's own rules whether it would let the request through: "allowed" and "denied" hold whatever is not known, "depends" says on what. Each way is drawn with the statements that decide.

    gatehouse access can ann s3:GetObject arn:aws:s3:::payroll/may.csv
    gatehouse access can ann s3:GetObject arn:aws:s3:::payroll/may.csv --given aws:SourceIp=203.0.113.7 --given aws:MultiFactorAuthPresent=true
    gatehouse access can ann s3:GetObject arn:aws:s3:::payroll/may.csv --session-policy read-only.json
    gatehouse access can --identity ann@example.com s3:GetObject arn:aws:s3:::payroll/may.csv`
}

// Run decides the request.
func (cmd *CanCmd) Run(ctx context.Context, e *environment) error {
	asOf, err := cmd.moment()
	if err != nil {
		return err
	}
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	session, err := readPolicy(e, cmd.SessionPolicy)
	if err != nil {
		return err
	}
	principal, err := findWho(ctx, c, asOf, cmd.Principal, cmd.Identity, "Principal", "Account")
	if err != nil {
		return err
	}
	a, err := c.Evaluate(ctx, client.DecisionQuery{
		Principal: principal, Action: cmd.Action, Resource: cmd.Resource, Context: cmd.Given, SessionPolicy: session, AsOf: asOf,
	})
	if err != nil {
		return err
	}
	if cmd.json() {
		return e.printJSON(a.Raw)
	}
	d := a.Value
	if _, err := fmt.Fprintln(e.Out, output.Clean(fmt.Sprintf("%s: %s, %s on %s", d.Decision, nameOf(d.Asked()), d.Action, d.Resource))); err != nil {
		return err
	}
	for _, route := range d.Routes {
		if _, err := fmt.Fprintln(e.Out); err != nil {
			return err
		}
		if err := output.Tree(e.Out, 0, routeTree(route)); err != nil {
			return err
		}
	}
	if len(d.Undecided) > 0 {
		if _, err := fmt.Fprintf(e.Out, "\nOf %s requests are not decided: ask what-can or why.\n", strings.Join(d.Undecided, ", ")); err != nil {
			return err
		}
	}
	return e.printBasis(d.Basis)
}

// routeTree shows who acts, and below it hop by hop what each of them asks for
// and what decides it.
func routeTree(r client.Route) output.Node {
	names := make([]string, len(r.Accounts))
	for i, a := range r.Accounts {
		names[i] = nameOf(a)
	}
	root := output.Node{Text: fmt.Sprintf("%s: as %s", r.Decision, strings.Join(names, ", then "))}
	for i, s := range r.Steps {
		who := ""
		if i < len(names) {
			who = names[i] + ", "
		}
		root.Children = append(root.Children, decisionNode(who, s))
	}
	return root
}

func decisionNode(who string, s client.DecisionStep) output.Node {
	node := output.Node{Text: fmt.Sprintf("%s: %s%s on %s", decisionText(s), who, s.Action, s.Resource)}
	say := func(format string, args ...any) {
		node.Children = append(node.Children, output.Node{Text: fmt.Sprintf(format, args...)})
	}
	for _, t := range s.Statements {
		may := ""
		if t.Applies == "unknown" {
			may = "may "
		}
		say("%s%s: %s%s (%s)", may, t.Effect, t.Policy, statementText(t.Statement), layerText(t.Layer, t.Level))
	}
	for _, l := range s.Layers {
		if s.Decision == "denied" && !s.Explicit && l.Allows == "no" && l.Layer != "resource" {
			say("no statement allows it (%s)", layerText(l.Layer, l.Level))
		}
	}
	for _, n := range s.DependsOn {
		say("depends: %s", needText(n))
	}
	return node
}

func decisionText(s client.DecisionStep) string {
	if s.Explicit {
		return "denied explicitly"
	}
	return s.Decision
}

func statementText(key string) string {
	if key == "" {
		return ""
	}
	return ", statement " + key
}

func layerText(layer, level string) string {
	text := strings.ReplaceAll(layer, "_", " ")
	if level != "" {
		text += " of " + level
	}
	return text
}

func needText(n client.DecisionNeed) string {
	if n.Operator == "" {
		return n.Reason
	}
	return fmt.Sprintf("%s; the policy asks %s %s", n.Reason, n.Operator, strings.Join(n.Values, ", "))
}

// effectiveText is the cell of who-can for what would become of a request.
func effectiveText(r *client.Route) string {
	if r == nil {
		return output.OrNone("")
	}
	text := r.Decision
	if len(r.Accounts) > 1 {
		text += ", as " + nameOf(r.Accounts[len(r.Accounts)-1])
	}
	if r.Decision != "depends" {
		return text
	}
	var keys []string
	for _, s := range r.Steps {
		for _, n := range s.DependsOn {
			key := n.Key
			if key == "" {
				key = n.Reason
			}
			if !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	return text + " on " + someOf(keys, false)
}
