package cli

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// IdentitiesCmd is `gatehouse identities`.
type IdentitiesCmd struct {
	List     IdentitiesListCmd     `cmd:"" default:"withargs" help:"List persons and workloads over all connections."`
	Show     IdentitiesShowCmd     `cmd:"" help:"Show an identity: its principals, their accounts, and why they are one."`
	History  IdentitiesHistoryCmd  `cmd:"" help:"Show who came to an identity and left it."`
	Join     IdentitiesJoinCmd     `cmd:"" help:"Make identities one, for good."`
	Split    IdentitiesSplitCmd    `cmd:"" help:"Take principals out of an identity, for good."`
	Trust    IdentitiesTrustCmd    `cmd:"" help:"Believe a connection's unverified identifiers, or list such connections."`
	Distrust IdentitiesDistrustCmd `cmd:"" help:"Believe them no longer."`
}

// IdentitiesListCmd is `gatehouse identities list`.
type IdentitiesListCmd struct {
	Remote
	Paging
	dating
	Name       string `placeholder:"NAME" help:"With a principal of exactly this name."`
	Prefix     string `placeholder:"TEXT" help:"With a principal whose name begins so."`
	Identifier string `placeholder:"VALUE" help:"Known by this email, sign-in name, employee number or anchor."`
	Connection string `placeholder:"CONNECTION" complete:"connections" help:"With a principal in this connection (id or name)."`
	Joined     bool   `help:"Only those of several principals."`
}

// Help returns examples.
func (IdentitiesListCmd) Help() string {
	return `Principals of all connections that share a verified identifier are one identity.

    gatehouse identities list --joined
    gatehouse identities list --identifier ann@example.com`
}

// Run lists identities.
func (cmd *IdentitiesListCmd) Run(ctx context.Context, e *environment) error {
	c, pages, err := open(e, &cmd.Remote, cmd.Paging)
	if err != nil {
		return err
	}
	f := client.IdentityFilter{Name: cmd.Name, NamePrefix: cmd.Prefix, Identifier: cmd.Identifier, Joined: cmd.Joined}
	if f.AsOf, err = cmd.moment(); err != nil {
		return err
	}
	if cmd.Connection != "" {
		if f.Connection, err = connectionID(ctx, c, cmd.Connection); err != nil {
			return err
		}
	}
	l, err := c.Identities(ctx, f, pages)
	if err != nil {
		return err
	}
	t := output.Table{Header: []string{"Name", "Identity", "Principals", "Connections"}, Empty: "There are no such identities."}
	return printList(e, cmd.Remote, l, t, func(i client.JoinedIdentity) []string {
		return []string{i.Name, i.IdentityID, strconv.Itoa(i.PrincipalCount), strings.Join(shorten(i.ConnectionIDs), ", ")}
	})
}

// IdentitiesShowCmd is `gatehouse identities show`.
type IdentitiesShowCmd struct {
	Remote
	dating
	Identity string `arg:"" help:"Identity: id (identity_...), email or other identifier, or exact name."`
}

// Help returns examples.
func (IdentitiesShowCmd) Help() string {
	return `Below each principal stands what it is known by and what that does, and the accounts that it acts through. Last come others that may be the same, and why they were not joined.

    gatehouse identities show ann@example.com`
}

// Run shows one identity.
func (cmd *IdentitiesShowCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	asOf, err := cmd.moment()
	if err != nil {
		return err
	}
	id, err := findIdentity(ctx, c, cmd.Identity, asOf)
	if err != nil {
		return err
	}
	a, err := c.JoinedIdentity(ctx, id, asOf)
	if err != nil {
		return err
	}
	if cmd.json() {
		return e.printJSON(a.Raw)
	}
	return e.printIdentity(a.Value)
}

func (e *environment) printIdentity(i client.JoinedIdentity) error {
	root := output.Node{Text: fmt.Sprintf("%s (%s)", i.Name, i.IdentityID)}
	for _, p := range i.Principals {
		node := output.Node{Text: fmt.Sprintf("%s, %s of %s", describe(p.EntityRef), p.EntityID, p.ConnectionID)}
		for _, k := range p.Identifiers {
			node.Children = append(node.Children, output.Node{Text: knownText(k)})
		}
		for _, j := range p.Joins {
			node.Children = append(node.Children, output.Node{Text: strings.TrimSuffix(fmt.Sprintf("joined by %s (%s): %s", j.MadeBy, j.CorrectionID, j.Reason), ": ")})
		}
		for _, account := range p.Accounts {
			node.Children = append(node.Children, output.Node{Text: "has the account " + describe(account)})
		}
		if p.MoreAccounts {
			node.Children = append(node.Children, output.Node{Text: "and more accounts"})
		}
		root.Children = append(root.Children, node)
	}
	if i.MorePrincipals {
		root.Children = append(root.Children, output.Node{Text: fmt.Sprintf("and more: %d principals in all", i.PrincipalCount)})
	}
	for _, c := range i.Candidates {
		root.Children = append(root.Children, output.Node{Text: fmt.Sprintf("not joined: %s (%s), which has %s %s, too (%s)", c.Name, c.IdentityID, c.Type, c.Value, c.Obstacle)})
	}
	return output.Tree(e.Out, 0, root)
}

func knownText(k client.IdentityIdentifier) string {
	text := fmt.Sprintf("known by %s %s, first seen by %s", k.Type, k.Value, k.FirstSeenRunID)
	switch {
	case k.Shared:
		return text + ": too many hold it, so it joins nobody"
	case !k.Joins:
		return text + ": " + k.Standing + ", so it joins nobody"
	case len(k.SharedWith) > 0:
		return fmt.Sprintf("%s: joins it with %s", text, strings.Join(shorten(k.SharedWith), ", "))
	}
	return text
}

// findIdentity returns the id of an identity that is named by it, by what one of
// its principals is known by, or by the name of one.
func findIdentity(ctx context.Context, c *client.Client, text, asOf string) (string, error) {
	if isIdentityID(text) {
		return text, nil
	}
	for _, f := range []client.IdentityFilter{{Identifier: text, AsOf: asOf}, {Name: text, AsOf: asOf}} {
		l, err := c.Identities(ctx, f, client.Pages{})
		if err != nil {
			return "", err
		}
		switch len(l.Items) {
		case 0:
		case 1:
			return l.Items[0].IdentityID, nil
		default:
			var candidates []string
			for _, i := range l.Items {
				candidates = append(candidates, i.IdentityID)
			}
			return "", fmt.Errorf("%d identities are called %q; name one by its id: %s", len(l.Items), text, strings.Join(shorten(candidates), ", "))
		}
	}
	return "", &notFoundError{fmt.Sprintf("no identity has the id, identifier or name %q; gatehouse identities list --prefix finds names", text)}
}

func isIdentityID(text string) bool {
	return regexp.MustCompile(`^identity_[0-9a-f]{32}$`).MatchString(text)
}

// findWho returns the id of an entity of some kinds or, when one is named or
// wanted, of an identity.
func findWho(ctx context.Context, c *client.Client, asOf, text string, wanted bool, kinds ...string) (string, error) {
	if wanted || isIdentityID(text) {
		return findIdentity(ctx, c, text, asOf)
	}
	found, err := findEntityAt(ctx, c, asOf, text, kinds...)
	return found.EntityID, err
}
