package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// LicenceCmd is `gatehouse licence`.
type LicenceCmd struct {
	Show    LicenceShowCmd    `cmd:"" default:"withargs" help:"Show what the tenant may use."`
	Install LicenceInstallCmd `cmd:"" help:"Put a licence in force."`
	Keygen  LicenceKeygenCmd  `cmd:"" help:"For vendors: make a key that licences are signed with."`
	Issue   LicenceIssueCmd   `cmd:"" help:"For vendors: write and sign a licence."`
}

// LicenceShowCmd is `gatehouse licence show`.
type LicenceShowCmd struct {
	Remote
}

// Help returns examples.
func (LicenceShowCmd) Help() string {
	return `Shows the licence in force, its limits and until when it is good. How much is used is shown to tenant admins.

    gatehouse licence
    gatehouse licence show -o json`
}

// Run shows the licence.
func (cmd *LicenceShowCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	a, err := c.Licence(ctx)
	if err != nil {
		return err
	}
	return e.printLicence(cmd.Remote, a)
}

// LicenceInstallCmd is `gatehouse licence install`.
type LicenceInstallCmd struct {
	Remote
	File string `arg:"" complete:"files" help:"File with the licence, as it was issued; - for standard input."`
}

// Help returns examples.
func (LicenceInstallCmd) Help() string {
	return `Counts at once, for every workspace and service. A licence that is refused leaves the former one in force. It needs a key with the role tenant_admin, and a data plane that trusts the key the licence is signed with (gatehouse migrate --licence-public-key).

    gatehouse licence install contoso.licence`
}

// maxLicenceFile is above what any licence may have, so that the server says so.
const maxLicenceFile = 100 << 10

// Run installs a licence.
func (cmd *LicenceInstallCmd) Run(ctx context.Context, e *environment) error {
	text, err := readLicence(e, cmd.File)
	if err != nil {
		return err
	}
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	a, err := c.InstallLicence(ctx, text)
	if err != nil {
		return err
	}
	return e.printLicence(cmd.Remote, a)
}

func readLicence(e *environment, path string) (string, error) {
	from := e.In
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return "", unreadable("the licence", err)
		}
		defer file.Close()
		from = file
	}
	raw, err := io.ReadAll(io.LimitReader(from, maxLicenceFile))
	if err != nil {
		return "", unreadable("the licence", err)
	}
	return string(raw), nil
}

func (e *environment) printLicence(r Remote, a client.Answer[client.Licence]) error {
	if r.json() {
		return e.printJSON(a.Raw)
	}
	l := a.Value
	state := map[string]string{
		"built_in": "built in: everything is allowed", "valid": "valid", "grace": "expired, in its days of grace",
		"expired": "expired", "untrusted": "cannot be trusted",
	}[l.State]
	if state == "" {
		state = l.State
	}
	err := output.Fields(e.Out, []output.Field{
		{Name: "State", Value: state},
		{Name: "Licence", Value: orEmpty(l.LicenceID)},
		{Name: "Licensee", Value: orEmpty(l.Licensee)},
		{Name: "Tenant", Value: orEmpty(l.TenantID)},
		{Name: "Integrations", Value: integrationsOf(l)},
		{Name: "Workspaces", Value: limitText(l.Limits.Workspaces)},
		{Name: "Connections", Value: limitText(l.Limits.Connections)},
		{Name: "Issued", Value: orNoTime(l.IssuedAt)},
		{Name: "Valid from", Value: orNoTime(l.NotBefore)},
		{Name: "Expires", Value: orNoTime(l.ExpiresAt)},
		{Name: "Grace until", Value: orNoTime(l.GraceUntil)},
		{Name: "Installed", Value: orNoTime(l.InstalledAt)},
		{Name: "Installed by", Value: orEmpty(l.InstalledBy)},
	})
	if err != nil || l.Message == "" {
		return err
	}
	_, err = fmt.Fprintf(e.Err, "\n%s\n", output.Clean(l.Message))
	return err
}

func integrationsOf(l client.Licence) string {
	if len(l.Integrations) == 1 && l.Integrations[0] == "*" {
		return "all"
	}
	return strings.Join(l.Integrations, ", ")
}

func limitText(l client.LicenceLimit) string {
	most := "no limit"
	if l.Most != nil {
		most = fmt.Sprintf("at most %d", *l.Most)
	}
	if l.Used != nil {
		return fmt.Sprintf("%d (%s)", *l.Used, most)
	}
	return most
}

func orEmpty(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

func orNoTime(t *time.Time) string {
	if t == nil {
		return ""
	}
	return output.Time(t)
}
