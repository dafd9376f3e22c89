package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// IdentitiesHistoryCmd is `gatehouse identities history`.
type IdentitiesHistoryCmd struct {
	Remote
	Paging
	Identity string `arg:"" help:"Identity: id (identity_...), email or other identifier, or exact name."`
}

// Help returns examples.
func (IdentitiesHistoryCmd) Help() string {
	return `The newest first, each with the run or the correction that did it.

    gatehouse identities history ann@example.com`
}

// Run lists the changes of an identity.
func (cmd *IdentitiesHistoryCmd) Run(ctx context.Context, e *environment) error {
	c, pages, err := open(e, &cmd.Remote, cmd.Paging)
	if err != nil {
		return err
	}
	id, err := findIdentity(ctx, c, cmd.Identity, "")
	if err != nil {
		return err
	}
	l, err := c.IdentityHistory(ctx, id, pages)
	if err != nil {
		return err
	}
	t := output.Table{Header: []string{"When", "Change", "Principal", "Connection", "Other identity", "By"}, Empty: "It has been the same principal from the first."}
	return printList(e, cmd.Remote, l, t, func(h client.IdentityChange) []string {
		other, by := "", h.Cause.RunID
		if h.Other != nil {
			other = *h.Other
		}
		if h.Correction != nil {
			by = fmt.Sprintf("%s of %s", h.Correction.Kind, h.Correction.MadeBy)
		}
		name := h.Name
		if name == "" {
			name = h.PrincipalID
		}
		return []string{output.Time(&h.At), h.Change, name, h.ConnectionID, output.OrNone(other), output.OrNone(by)}
	})
}

// IdentitiesJoinCmd is `gatehouse identities join`.
type IdentitiesJoinCmd struct {
	Remote
	Identity string   `arg:"" help:"Identity: id (identity_...), email or other identifier, or exact name."`
	Others   []string `arg:"" help:"Those that become one with it, named likewise."`
	Reason   string   `placeholder:"TEXT" help:"Why; kept and shown."`
}

// Help returns examples.
func (IdentitiesJoinCmd) Help() string {
	return `It needs the role admin, and is recorded. Splits between them end.

    gatehouse identities join ann@example.com identity_2b3a8f6f0c1d4e5f90a1b2c3d4e5f607 --reason "her account at the subsidiary"`
}

// Run joins identities.
func (cmd *IdentitiesJoinCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	id, err := findIdentity(ctx, c, cmd.Identity, "")
	if err != nil {
		return err
	}
	others := make([]string, len(cmd.Others))
	for i, text := range cmd.Others {
		if others[i], err = findIdentity(ctx, c, text, ""); err != nil {
			return err
		}
	}
	a, err := c.JoinIdentities(ctx, id, others, cmd.Reason)
	if err != nil {
		return err
	}
	if cmd.json() {
		return e.printJSON(a.Raw)
	}
	return e.printIdentity(a.Value)
}

// IdentitiesSplitCmd is `gatehouse identities split`.
type IdentitiesSplitCmd struct {
	Remote
	Identity   string   `arg:"" help:"Identity: id (identity_...), email or other identifier, or exact name."`
	Principals []string `arg:"" help:"Ids (ent_...) of the principals that leave; identities show has them."`
	Reason     string   `placeholder:"TEXT" help:"Why; kept and shown."`
}

// Help returns examples.
func (IdentitiesSplitCmd) Help() string {
	return `It needs the role admin, and is recorded. Nothing but a join brings them together again.

    gatehouse identities split ann@example.com ent_2b3a8f6f0c1d4e5f90a1b2c3d4e5f607 --reason "her namesake"`
}

// Run splits an identity.
func (cmd *IdentitiesSplitCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	id, err := findIdentity(ctx, c, cmd.Identity, "")
	if err != nil {
		return err
	}
	a, err := c.SplitIdentity(ctx, id, cmd.Principals, cmd.Reason)
	if err != nil {
		return err
	}
	if cmd.json() {
		return e.printJSON(a.Raw)
	}
	for _, i := range append([]client.JoinedIdentity{a.Value.Identity}, a.Value.Split...) {
		if err := e.printIdentity(i); err != nil {
			return err
		}
	}
	return nil
}

// IdentitiesTrustCmd is `gatehouse identities trust`.
type IdentitiesTrustCmd struct {
	Remote
	Connection string `arg:"" optional:"" complete:"connections" help:"Connection (id or name); all that are trusted are listed without it."`
	Reason     string `placeholder:"TEXT" help:"Why; kept and shown."`
}

// Help returns examples.
func (IdentitiesTrustCmd) Help() string {
	return `Some providers do not say whether an address was verified. Trust a connection where nobody but your own administrators writes them. It needs the role admin, and is recorded.

    gatehouse identities trust
    gatehouse identities trust "Prod AWS" --reason "HR alone writes addresses there"`
}

// Run trusts a connection, or lists those that are.
func (cmd *IdentitiesTrustCmd) Run(ctx context.Context, e *environment) error {
	if cmd.Connection != "" {
		return e.trust(ctx, &cmd.Remote, cmd.Connection, true, cmd.Reason)
	}
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	a, err := c.IdentitySources(ctx)
	if err != nil {
		return err
	}
	if cmd.json() {
		return e.printJSON(a.Raw)
	}
	if len(a.Value.Sources) == 0 {
		_, err := fmt.Fprintln(e.Out, "No connection's unverified identifiers are believed.")
		return err
	}
	for _, s := range a.Value.Sources {
		if _, err := fmt.Fprintf(e.Out, "%s\n", strings.TrimSuffix(fmt.Sprintf("%s, by %s: %s", s.ConnectionID, s.Correction.MadeBy, output.Clean(s.Correction.Reason)), ": ")); err != nil {
			return err
		}
	}
	return nil
}

// IdentitiesDistrustCmd is `gatehouse identities distrust`.
type IdentitiesDistrustCmd struct {
	Remote
	Connection string `arg:"" complete:"connections" help:"Connection (id or name)."`
	Reason     string `placeholder:"TEXT" help:"Why; kept and shown."`
}

// Help returns examples.
func (IdentitiesDistrustCmd) Help() string {
	return `What its unverified identifiers alone have joined comes apart. It needs the role admin, and is recorded.

    gatehouse identities distrust "Prod AWS"`
}

// Run ends the trust in a connection.
func (cmd *IdentitiesDistrustCmd) Run(ctx context.Context, e *environment) error {
	return e.trust(ctx, &cmd.Remote, cmd.Connection, false, cmd.Reason)
}

func (e *environment) trust(ctx context.Context, r *Remote, named string, trusted bool, reason string) error {
	c, err := r.client(e.services.Version)
	if err != nil {
		return err
	}
	id, err := connectionID(ctx, c, named)
	if err != nil {
		return err
	}
	if err := c.TrustIdentities(ctx, id, trusted, reason); err != nil {
		return err
	}
	text := "Unverified identifiers of %s join principals now, too.\n"
	if !trusted {
		text = "Unverified identifiers of %s join nobody any more.\n"
	}
	_, err = fmt.Fprintf(e.Err, text, id)
	return err
}
