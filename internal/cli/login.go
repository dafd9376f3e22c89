package cli

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/cli/contexts"
	"github.com/gatehouse-project/gatehouse/internal/cli/login"
	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// defaultContext is the name of the context of somebody who named none.
const defaultContext = "default"

// LoginCmd is `gatehouse login`.
type LoginCmd struct {
	URL          string        `group:"Server:" placeholder:"URL" help:"Address of the server; without it, that of the context, $GATEHOUSE_URL or a gatehouse dev of this machine."`
	Context      string        `group:"Server:" placeholder:"NAME" complete:"contexts" help:"Context to keep the session in; the current one without it."`
	Workspace    string        `placeholder:"ID" help:"Workspace to work in; the first of yours without it."`
	Device       bool          `help:"Sign in on another device, by a code: where this machine has no browser."`
	NoBrowser    bool          `help:"Print the address instead of opening it."`
	CallbackPort int           `placeholder:"PORT" help:"Port on 127.0.0.1 for the answer, for a provider that compares it; any free one without it."`
	Timeout      time.Duration `default:"5m" placeholder:"DURATION" help:"How long to wait for you (${default})."`
}

// Help returns examples.
func (LoginCmd) Help() string {
	return `Opens the browser at the identity provider of the server, waits for the answer, and keeps a session beside the contexts, in a file that only you can read. It is renewed by itself as long as the provider agrees.

    gatehouse login --url https://gatehouse.example.com
    gatehouse login --context prod --device`
}

// Run signs in.
func (cmd *LoginCmd) Run(ctx context.Context, e *environment) error {
	name, address, err := cmd.server()
	if err != nil {
		return err
	}
	c, err := client.New(address, secret.Secret{}, e.services.Version)
	if err != nil {
		return usagef("--url: %v", err)
	}
	provider, err := providerOf(ctx, c)
	if err != nil {
		return err
	}
	waiting, cancel := context.WithTimeout(ctx, cmd.Timeout)
	defer cancel()
	tokens, err := cmd.signIn(waiting, e, provider)
	if errors.Is(err, context.DeadlineExceeded) && waiting.Err() != nil {
		return fmt.Errorf("nobody signed in within %s; start again, or wait longer with --timeout", cmd.Timeout)
	}
	if err != nil {
		return err
	}
	made, err := c.CreateSession(ctx, client.SessionDraft{IDToken: tokens.ID, NonceVerifier: tokens.NonceVerifier})
	if err != nil {
		return err
	}
	if err := keepSession(signedIn{
		context: name, address: c.Address(), session: made.Value, provider: provider, tokens: tokens, workspace: cmd.Workspace,
	}); err != nil {
		return err
	}
	to, err := fromContext(name)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.Err, "Signed in as %s, in workspace %s (context %s).\n", output.Clean(shownPerson(made.Value.Person)), to.workspace, name)
	return nil
}

// server returns the context to keep the session in and the server to sign in at.
func (cmd *LoginCmd) server() (name, address string, err error) {
	_, known, err := loadContexts()
	if err != nil {
		return "", "", err
	}
	for _, candidate := range []string{cmd.Context, known.Current, defaultContext} {
		if candidate != "" {
			name = candidate
			break
		}
	}
	if cmd.URL != "" {
		return name, cmd.URL, nil
	}
	if c, ok := known.Contexts[name]; ok {
		return name, c.URL, nil
	}
	to, err := (&Remote{}).server(adminKeyFile)
	return name, to.address, err
}

// signIn has somebody sign in at the provider.
func (cmd *LoginCmd) signIn(ctx context.Context, e *environment, provider login.Provider) (login.Tokens, error) {
	if cmd.Device {
		return provider.Device(ctx, func(p login.Prompt) {
			fmt.Fprintf(e.Err, "Open %s on any device and enter the code %s\n", output.Clean(p.URL), output.Clean(p.Code))
			if p.Complete != "" {
				fmt.Fprintf(e.Err, "or open %s\n", output.Clean(p.Complete))
			}
		})
	}
	return provider.Loopback(ctx, cmd.CallbackPort, func(address string) {
		fmt.Fprintf(e.Err, "Sign in at:\n%s\n", output.Clean(address))
		if !cmd.NoBrowser && e.interactive() {
			openBrowser(ctx, address)
		}
	})
}

// openBrowser asks the desktop to open an address. The address has been printed,
// so that nothing is lost where there is none.
func openBrowser(ctx context.Context, address string) {
	program, args := "xdg-open", []string{address}
	switch runtime.GOOS {
	case "darwin":
		program = "open"
	case "windows":
		program, args = "rundll32", []string{"url.dll,FileProtocolHandler", address}
	}
	_ = exec.CommandContext(ctx, program, args...).Start()
}

// LogoutCmd is `gatehouse logout`.
type LogoutCmd struct {
	Context    string `placeholder:"NAME" complete:"contexts" help:"Context whose session to end; the current one without it."`
	Everywhere bool   `help:"End all your sessions, also those of other machines."`
}

// Help returns examples.
func (LogoutCmd) Help() string {
	return `Ends the session at the server, at once, and forgets it here; the refresh token is revoked at the identity provider, if it has an endpoint for that (RFC 7009). A context without an API key goes with it.

    gatehouse logout
    gatehouse logout --everywhere`
}

// Run signs out.
func (cmd *LogoutCmd) Run(ctx context.Context, e *environment) error {
	path, known, err := loadContexts()
	if err != nil {
		return err
	}
	name, c := sessionContext(known, cmd.Context)
	if name == "" {
		return notSignedIn("gatehouse context list shows which contexts hold a session; an API key is ended with gatehouse api-keys revoke")
	}
	server, err := client.New(c.URL, secret.FromString(c.Session.Token), e.services.Version)
	if err != nil {
		return usagef("%v", err)
	}
	// A session that has ended by itself is forgotten all the same.
	if err := server.SignOut(ctx, cmd.Everywhere); err != nil && statusOf(err) != exitDenied {
		return err
	}
	ended := *c.Session
	c.Session, c.Workspace = nil, ""
	known.Contexts[name] = c
	if c.APIKey == "" {
		delete(known.Contexts, name)
		if known.Current == name {
			known.Current = ""
		}
	}
	if err := known.Save(path); err != nil {
		return err
	}
	fmt.Fprintln(e.Err, "Signed out.")
	cmd.revoke(ctx, e, ended)
	return nil
}

// revoke ends the refresh token as well, at the provider that it is of, whatever
// the server names by now. Nobody is signed in any more when that fails, so it is
// told and fails nothing.
func (cmd *LogoutCmd) revoke(ctx context.Context, e *environment, s contexts.Session) {
	if s.RefreshToken == "" {
		return
	}
	err := login.Provider{Issuer: s.Issuer, ClientID: s.ClientID}.Revoke(ctx, s.RefreshToken)
	switch {
	case errors.Is(err, login.ErrNoRevocation):
		fmt.Fprintf(e.Err, "%s cannot revoke refresh tokens; the one of this sign-in was forgotten here, and ends there by itself.\n", output.Clean(s.Issuer))
	case err != nil:
		fmt.Fprintf(e.Err, "The refresh token was forgotten here, but not revoked at %s: %s. Who copied it before can use it until it ends there.\n",
			output.Clean(s.Issuer), output.Clean(err.Error()))
	}
}

// WhoamiCmd is `gatehouse whoami`.
type WhoamiCmd struct {
	Remote
}

// Help returns examples.
func (WhoamiCmd) Help() string {
	return `Whom the server takes you for, and the workspaces that you are a member of. The one marked is where commands work.

    gatehouse whoami`
}

// Run tells who is calling.
func (cmd *WhoamiCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	a, err := c.WhoAmI(ctx)
	if err != nil {
		return err
	}
	if cmd.json() {
		return e.printJSON(a.Raw)
	}
	who := a.Value
	switch {
	case who.Person != nil && who.Session != nil:
		fmt.Fprintf(e.Out, "%s (%s), signed in until %s\n\n", output.Clean(shownPerson(*who.Person)), who.Person.PersonID, output.Time(&who.Session.ExpiresAt))
	default:
		fmt.Fprintf(e.Out, "API key %q\n\n", output.Clean(who.Name))
	}
	return e.printMemberships(who.Workspaces, c.Workspace())
}

// printMemberships prints the places of a caller and marks the chosen one. A key
// has one, which is chosen.
func (e *environment) printMemberships(places []client.Membership, chosen string) error {
	t := output.Table{Header: []string{"Current", "Workspace", "Name", "Role", "Member", "Archived"}, Empty: "You are a member of no workspace."}
	for _, m := range places {
		name, current := m.WorkspaceID, ""
		if m.Level == tenantWorkspace {
			name = tenantWorkspace
		}
		if name == chosen || m.WorkspaceID == chosen || chosen == "" && len(places) == 1 {
			current = "*"
		}
		t.Rows = append(t.Rows, []string{current, name, m.Name, m.Role, m.MemberID, output.Time(m.ArchivedAt)})
	}
	return t.Write(e.Out, e.width())
}
