package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// LicenceKeygenCmd is `gatehouse licence keygen`.
type LicenceKeygenCmd struct {
	Name string `required:"" placeholder:"NAME" help:"Whose key it is, such as licences.example.com."`
	Out  string `required:"" type:"path" complete:"files" placeholder:"PATH" help:"File to write the signing key to, mode 0600; the public key goes to PATH.pub."`
}

// Help returns examples.
func (LicenceKeygenCmd) Help() string {
	return `Whoever has the signing key can issue licences: keep it off the data planes, which need the .pub file alone. A file that exists is not written over.

    gatehouse licence keygen --name licences.example.com --out licence.key`
}

// Run makes a key.
func (cmd *LicenceKeygenCmd) Run(_ context.Context, e *environment) error {
	if e.services.LicenceKey == nil {
		return errNotBuilt
	}
	signing, public, err := e.services.LicenceKey(cmd.Name)
	if err != nil {
		return err
	}
	if err := writeNew(cmd.Out, signing.RevealString()+"\n", 0o600); err != nil {
		return err
	}
	if err := writeNew(cmd.Out+".pub", public+"\n", 0o644); err != nil {
		return err
	}
	_, err = fmt.Fprintln(e.Out, public)
	return err
}

// LicenceIssueCmd is `gatehouse licence issue`.
type LicenceIssueCmd struct {
	SigningKey   string        `required:"" type:"path" complete:"files" placeholder:"PATH" help:"File that gatehouse licence keygen wrote."`
	ID           string        `required:"" name:"id" placeholder:"ID" help:"Your name for the licence, such as lic-2026-0042."`
	Tenant       string        `required:"" placeholder:"ID" help:"The tenant it is for, such as t_1; gatehouse audit list -o json and GET /v1/workspaces show it."`
	Licensee     string        `required:"" placeholder:"NAME" help:"The tenant's name."`
	Integrations []string      `required:"" placeholder:"ID" help:"Integrations that may be used; repeat or separate by commas; * for all."`
	Workspaces   *int64        `placeholder:"N" help:"The most workspaces; no limit without it."`
	Connections  *int64        `placeholder:"N" help:"The most connections in all workspaces; no limit without it."`
	NotBefore    string        `placeholder:"TIME" help:"Valid from, such as 2026-01-01 or 2026-01-01T00:00:00Z; now without it."`
	Expires      string        `placeholder:"WHEN" xor:"end" help:"Valid until: 2027-01-31 (its beginning in UTC), 2027-01-31T08:00:00Z, or how long from its beginning, such as 365d; without an end when left out."`
	For          time.Duration `placeholder:"DURATION" xor:"end" help:"Valid for that long from its beginning, such as 8760h; the same as --expires 8760h."`
	GraceDays    int           `default:"14" placeholder:"N" help:"For how many days after its end everything goes on as before (${default})."`
	Out          string        `type:"path" complete:"files" placeholder:"PATH" help:"File to write; standard output without it."`
}

// Help returns examples.
func (LicenceIssueCmd) Help() string {
	return `Writes a licence and signs it. It works anywhere, without a server; the tenant installs it with gatehouse licence install.

    gatehouse licence issue --signing-key licence.key --id lic-2026-0042 --tenant t_1 --licensee "Contoso Ltd" \
      --integrations aws,salesforce --workspaces 5 --connections 50 --expires 2027-01-31 --out contoso.licence`
}

// Run issues a licence.
func (cmd *LicenceIssueCmd) Run(_ context.Context, e *environment) error {
	if e.services.IssueLicence == nil {
		return errNotBuilt
	}
	if cmd.For < 0 {
		return usagef("--for: must be more than nothing")
	}
	key, err := os.ReadFile(cmd.SigningKey)
	if err != nil {
		return unreadable("--signing-key", err)
	}
	o := LicenceOptions{
		SigningKey: secret.FromBytes(key), ID: cmd.ID, Tenant: cmd.Tenant, Licensee: cmd.Licensee, Integrations: cmd.Integrations,
		Workspaces: cmd.Workspaces, Connections: cmd.Connections, IssuedAt: time.Now().UTC().Truncate(time.Second),
		GraceDays: cmd.GraceDays,
	}
	if err := cmd.validity(&o); err != nil {
		return err
	}
	text, err := e.services.IssueLicence(o)
	if err != nil {
		return err
	}
	if cmd.Out != "" {
		return writeNew(cmd.Out, text, 0o644)
	}
	_, err = fmt.Fprint(e.Out, text)
	return err
}

// validity fills in from when until when.
func (cmd *LicenceIssueCmd) validity(o *LicenceOptions) (err error) {
	o.NotBefore = o.IssuedAt
	if cmd.NotBefore != "" {
		from, ok := parseTime(cmd.NotBefore)
		if !ok {
			return usagef("--not-before: %q is no moment; write 2026-01-01 or 2026-01-01T00:00:00Z", cmd.NotBefore)
		}
		o.NotBefore = from.UTC()
	}
	if cmd.For > 0 {
		end := o.NotBefore.Add(cmd.For)
		o.ExpiresAt = &end
		return nil
	}
	o.ExpiresAt, err = parseEnd("--expires", cmd.Expires, o.NotBefore)
	return err
}

// writeNew writes a file that must not exist yet.
func writeNew(path, text string, mode fs.FileMode) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists and is not written over; name another file, or move it away", path)
	}
	if err != nil {
		return fmt.Errorf("write a file: %w", err)
	}
	if _, err := file.WriteString(text); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), file.Close())
	}
	return file.Close()
}
