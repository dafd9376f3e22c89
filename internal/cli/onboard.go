package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// OnboardCmd is `gatehouse onboard`.
type OnboardCmd struct {
	Start   OnboardStartCmd   `cmd:"" default:"withargs" help:"Connect a provider step by step, such as: gatehouse onboard aws."`
	List    OnboardListCmd    `cmd:"" help:"List onboarding sessions, newest first."`
	Show    OnboardShowCmd    `cmd:"" help:"Show where a session stands and what to do next."`
	Resume  OnboardResumeCmd  `cmd:"" help:"Go on with a session where it was left."`
	Abandon OnboardAbandonCmd `cmd:"" help:"End a session for good."`
}

// wizardFlags are those of the commands that lead through a session.
type wizardFlags struct {
	Operations []string `name:"start" placeholder:"OPERATION" complete:"operations" help:"Operation to start once the connection is verified, such as discovery.run; repeat for more. They start one after the other."`
	Yes        bool     `short:"y" help:"Do not ask: verify, then start discovery unless --start says otherwise."`
}

// OnboardStartCmd is `gatehouse onboard start`, the default.
type OnboardStartCmd struct {
	Remote
	settings
	wizardFlags
	Integration string `arg:"" complete:"integrations" help:"Id of the integration, such as aws."`
	Name        string `placeholder:"NAME" help:"Name of the connection that is made."`
	Connection  string `placeholder:"CONNECTION" complete:"connections" help:"Use this connection (id or name) instead of making one."`
	ShowPolicy  bool   `help:"Show what to grant at the provider, without being asked."`
	SavePolicy  string `placeholder:"DIRECTORY" type:"path" complete:"files" help:"Write what to grant at the provider into files of this directory."`
}

// Help returns examples.
func (OnboardStartCmd) Help() string {
	return `Leads through connecting a provider: shows the permissions to grant, asks for what the connection needs, tests it and explains what is wrong until it works, then starts discovery and follows it. The server keeps the session: Ctrl-C leaves it, and gatehouse onboard resume goes on.

    gatehouse onboard aws
    gatehouse onboard aws --connection "Prod AWS" --start discovery.run

For scripts, without questions; exits with 5 when the test or an operation does not succeed:

    gatehouse onboard aws --name "Prod AWS" --set access_key_id=AKIAIOSFODNN7EXAMPLE --set-env secret_access_key=AWS_SECRET_ACCESS_KEY --yes -o json`
}

// Run leads through a new session.
func (cmd *OnboardStartCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	if err := cmd.mayRun(e); err != nil {
		return err
	}
	w := &wizard{e: e, c: c, remote: cmd.Remote, flags: cmd.wizardFlags}
	create := &ConnectionsCreateCmd{Remote: cmd.Remote, settings: cmd.settings, Integration: cmd.Integration, Name: cmd.Name}
	return w.leave(ctx, w.start(ctx, cmd, create))
}

// mayRun returns nil when there is somebody to ask, or nothing to ask for.
func (f *wizardFlags) mayRun(e *environment) error {
	if e.interactive() || f.Yes || len(f.Operations) > 0 {
		return nil
	}
	return usagef("nobody can be asked here; say what to start with --start OPERATION, or take discovery with --yes")
}

// sessionArg is the session a command is about.
type sessionArg struct {
	ID string `arg:"" name:"session" help:"Id of the session, such as onb_3."`
}

// OnboardResumeCmd is `gatehouse onboard resume`.
type OnboardResumeCmd struct {
	Remote
	wizardFlags
	sessionArg
}

// Help returns examples.
func (OnboardResumeCmd) Help() string {
	return `Goes on where the session was left, also where an operation did not succeed: what succeeded is not done again. Exits with 5 when the test or an operation does not succeed.

    gatehouse onboard resume onb_3
    gatehouse onboard resume onb_3 --yes`
}

// Run goes on with a session.
func (cmd *OnboardResumeCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	w := &wizard{e: e, c: c, remote: cmd.Remote, flags: cmd.wizardFlags}
	if err := w.load(ctx, cmd.ID); err != nil {
		return err
	}
	if w.session.Status == "open" || w.session.Status == "stopped" {
		if err := cmd.mayRun(e); err != nil {
			return err
		}
	}
	return w.leave(ctx, w.resume(ctx))
}

// OnboardListCmd is `gatehouse onboard list`.
type OnboardListCmd struct {
	Remote
	Paging
	Status      string `placeholder:"STATUS" enum:"open,bootstrapping,stopped,completed,abandoned," default:"" help:"Only sessions with this status: open, bootstrapping, stopped, completed or abandoned."`
	Integration string `placeholder:"ID" complete:"integrations" help:"Only sessions about this integration."`
	Mine        bool   `help:"Only sessions that you started."`
}

// Help returns examples.
func (OnboardListCmd) Help() string {
	return `Shows each session with its next step.

    gatehouse onboard list --mine
    gatehouse onboard list --status stopped`
}

// Run lists sessions.
func (cmd *OnboardListCmd) Run(ctx context.Context, e *environment) error {
	c, pages, err := open(e, &cmd.Remote, cmd.Paging)
	if err != nil {
		return err
	}
	l, err := c.OnboardingSessions(ctx, client.OnboardingFilter{Status: cmd.Status, Integration: cmd.Integration, Mine: cmd.Mine}, pages)
	if err != nil {
		return err
	}
	t := output.Table{
		Header: []string{"Session", "Integration", "Connection", "Status", "Step", "Reason", "Created"},
		Empty:  "There are no such sessions. Begin one: gatehouse onboard aws",
	}
	return printList(e, cmd.Remote, l, t, func(s client.Onboarding) []string {
		connection := strings.TrimSpace(s.ConnectionID + " " + s.ConnectionName)
		return []string{s.SessionID, s.IntegrationID, output.OrNone(connection), s.Status, output.OrNone(s.Step), output.OrNone(s.ReasonCode), output.Time(&s.CreatedAt)}
	})
}

// OnboardShowCmd is `gatehouse onboard show`.
type OnboardShowCmd struct {
	Remote
	sessionArg
}

// Help returns examples.
func (OnboardShowCmd) Help() string {
	return `Shows the steps, what the test found, the operations, and what to do next.

    gatehouse onboard show onb_3`
}

// Run shows a session.
func (cmd *OnboardShowCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	a, err := c.Onboarding(ctx, cmd.ID)
	if err != nil {
		return err
	}
	return e.printOnboarding(cmd.Remote, a)
}

// OnboardAbandonCmd is `gatehouse onboard abandon`.
type OnboardAbandonCmd struct {
	Remote
	sessionArg
}

// Help returns examples.
func (OnboardAbandonCmd) Help() string {
	return `Nothing further is started. The connection stays, and a run that is under way goes on.

    gatehouse onboard abandon onb_3`
}

// Run ends a session.
func (cmd *OnboardAbandonCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	a, err := c.AbandonOnboarding(ctx, cmd.ID)
	if err != nil {
		return err
	}
	return e.printOnboarding(cmd.Remote, a)
}

func (e *environment) printOnboarding(r Remote, a client.Answer[client.Onboarding]) error {
	if r.json() {
		return e.printJSON(a.Raw)
	}
	s := a.Value
	err := output.Fields(e.Out, []output.Field{
		{Name: "Session", Value: s.SessionID},
		{Name: "Integration", Value: s.IntegrationID},
		{Name: "Connection", Value: strings.TrimSpace(s.ConnectionID + " " + s.ConnectionName)},
		{Name: "Status", Value: s.Status},
		{Name: "Reason", Value: reasonText(s.ShortReason, s.ReasonCode)},
		{Name: "Explanation", Value: s.Explanation},
		{Name: "Created", Value: output.Time(&s.CreatedAt)},
		{Name: "Expires", Value: output.Time(s.ExpiresAt)},
	})
	if err != nil {
		return err
	}
	steps := output.Table{Header: []string{"Step", "State", "By", "When"}}
	for _, step := range s.Steps {
		steps.Rows = append(steps.Rows, []string{step.Step, step.State, output.OrNone(step.TakenBy), output.Time(step.TakenAt)})
	}
	fmt.Fprintln(e.Out)
	if err := steps.Write(e.Out, e.width()); err != nil {
		return err
	}
	if err := e.printVerification(s.Verification); err != nil {
		return err
	}
	if err := e.printOperations(s.Operations); err != nil {
		return err
	}
	return e.printNextSteps(s.NextSteps)
}

// printVerification says what the test of a session's connection found.
func (e *environment) printVerification(v *client.Verification) error {
	if v == nil || v.State == "running" {
		return nil
	}
	if v.Explanation != "" {
		fmt.Fprintf(e.Out, "\n%s: %s\n", output.Clean(reasonText(v.ShortReason, v.ReasonCode)), output.Clean(v.Explanation))
	}
	return e.printOutlook(v.Remediation, v.Streams)
}

func (e *environment) printOperations(operations []client.OnboardingOperation) error {
	if len(operations) == 0 {
		return nil
	}
	t := output.Table{Header: []string{"Operation", "State", "Outcome", "Reason", "Run", "Waits for"}}
	for _, o := range operations {
		t.Rows = append(t.Rows, []string{
			o.OperationType, o.State, output.OrNone(o.Outcome), output.OrNone(reasonText(o.ShortReason, o.ReasonCode)), output.OrNone(o.RunID), output.OrNone(o.WaitsFor),
		})
	}
	fmt.Fprintln(e.Out)
	return t.Write(e.Out, e.width())
}
