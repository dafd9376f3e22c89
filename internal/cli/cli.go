package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
)

// grammar is all commands. Its order is that of the help.
type grammar struct {
	Help helpFlag `short:"h" help:"Show what a command does and how."`

	Demo DemoCmd `cmd:"" set:"loglevel=warn" group:"Start here:" help:"From nothing to the first answers, on simulated data."`
	Dev  DevCmd  `cmd:"" group:"Start here:" help:"Run everything, empty, on this machine."`

	Onboard      OnboardCmd      `cmd:"" group:"Connect:" help:"Connect a provider, step by step."`
	Integrations IntegrationsCmd `cmd:"" group:"Connect:" help:"What can be connected."`
	Connections  ConnectionsCmd  `cmd:"" group:"Connect:" help:"Connect a provider, test it, change it."`
	Targets      TargetsCmd      `cmd:"" group:"Connect:" help:"The organisations that connections reach."`
	Operations   OperationsCmd   `cmd:"" group:"Connect:" help:"What can be started."`
	Runs         RunsCmd         `cmd:"" group:"Connect:" help:"Start discovery and watch it."`
	Inbox        InboxCmd        `cmd:"" group:"Connect:" help:"What you are told, such as how your runs ended."`

	Access     AccessCmd     `cmd:"" group:"Ask:" help:"Who can reach what, and why."`
	Entities   EntitiesCmd   `cmd:"" group:"Ask:" help:"Find people, accounts, entitlements and resources."`
	Changes    ChangesCmd    `cmd:"" group:"Ask:" help:"What changed, and which run saw it."`
	Audit      AuditCmd      `cmd:"" group:"Ask:" help:"What was done, by whom."`
	Exports    ExportsCmd    `cmd:"" group:"Ask:" help:"Take the graph and answers out, as files."`
	Evidence   EvidenceCmd   `cmd:"" group:"Ask:" help:"Answers with a proof that others can check."`
	Identities IdentitiesCmd `cmd:"" group:"Ask:" help:"Who is the same person or workload, over all connections."`

	Workspaces    WorkspacesCmd    `cmd:"" group:"Administer:" help:"Workspaces: yours, and all of the tenant."`
	Members       MembersCmd       `cmd:"" group:"Administer:" help:"People and keys of the workspace, and their roles."`
	Invitations   InvitationsCmd   `cmd:"" group:"Administer:" help:"Invitations to the workspace."`
	ClaimMappings ClaimMappingsCmd `cmd:"" group:"Administer:" help:"Roles by what the identity provider says."`
	APIKeys       APIKeysCmd       `cmd:"" name:"api-keys" group:"Administer:" help:"API keys of the workspace."`
	Webhooks      WebhooksCmd      `cmd:"" group:"Administer:" help:"Endpoints that are told of events."`

	Serve     ServeCmd     `cmd:"" group:"Operate:" help:"Run one service."`
	Worker    WorkerCmd    `cmd:"" group:"Operate:" help:"Run a worker, which reads from providers."`
	Migrate   MigrateCmd   `cmd:"" group:"Operate:" help:"Create or upgrade the database."`
	Keys      KeysCmd      `cmd:"" group:"Operate:" help:"Keys that protect stored credentials."`
	Connector ConnectorCmd `cmd:"" group:"Operate:" help:"Connectors of your own, as programs."`
	Throttle  ThrottleCmd  `cmd:"" group:"Operate:" help:"How much of what providers allow is used."`
	Licence   LicenceCmd   `cmd:"" group:"Operate:" help:"What this tenant may use."`
	Simulate  SimulateCmd  `cmd:"" group:"Operate:" help:"Serve a made-up enterprise over a provider's protocols."`
	OpenAPI   OpenAPICmd   `cmd:"" name:"openapi" group:"Operate:" help:"Print the OpenAPI document."`

	Login      LoginCmd      `cmd:"" group:"This command line:" help:"Sign in at a server."`
	Logout     LogoutCmd     `cmd:"" group:"This command line:" help:"Sign out."`
	Whoami     WhoamiCmd     `cmd:"" group:"This command line:" help:"Show who you are to a server."`
	ContextCmd ContextCmd    `cmd:"" name:"context" group:"This command line:" help:"Servers you work with, by name."`
	Completion CompletionCmd `cmd:"" group:"This command line:" help:"Print a shell's completion script."`
	Version    VersionCmd    `cmd:"" group:"This command line:" help:"Print the version."`
	Complete   CompleteCmd   `cmd:"" name:"__complete" group:"This command line:" hidden:"" passthrough:"" help:"Print completions; called by the completion scripts."`
}

const description = "Gatehouse connects identity, cloud and SaaS systems, discovers who can reach what, and answers why."

// environment is what every command runs in.
type environment struct {
	Streams
	services Services
	model    *kong.Application
}

// Main runs the command line args, without the program's name, and returns the
// status to exit with. An interrupt or SIGTERM ends ctx for the command; the
// second one ends the process.
func Main(ctx context.Context, args []string, streams Streams, services Services) int {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	go func() {
		select {
		case s := <-signals:
			signal.Stop(signals)
			if number, ok := s.(syscall.Signal); ok {
				cancel(&interrupted{signal: number})
			}
		case <-ctx.Done():
		}
	}()
	return run(ctx, args, streams, services)
}

func run(ctx context.Context, args []string, streams Streams, services Services) int {
	env := &environment{Streams: streams, services: services}
	parser, err := newParser(ctx, env)
	if err != nil {
		fmt.Fprintf(streams.Err, "gatehouse: %v\n", err)
		return exitFailure
	}
	env.model = parser.Model
	args = askedForHelp(args)
	parsed, err := parser.Parse(args)
	if err == nil {
		err = parsed.Run()
	}
	return report(ctx, streams.Err, parsed, err)
}

func newParser(ctx context.Context, env *environment) (*kong.Kong, error) {
	parser, err := kong.New(&grammar{},
		kong.Name("gatehouse"),
		kong.Description(description),
		kong.NoDefaultHelp(),
		kong.Writers(env.Out, env.Err),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, FlagsLast: true, WrapUpperBound: 100}),
		kong.Help(printHelp),
		kong.Bind(env),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Vars{"listen": defaultListen, "devdata": devDataDir, "demodata": demoDataDir, "loglevel": "info"},
	)
	if err != nil {
		return nil, fmt.Errorf("build the command line: %w", err)
	}
	return parser, nil
}

// report prints an error and returns the status to exit with.
func report(ctx context.Context, w io.Writer, parsed *kong.Context, err error) int {
	var by *interrupted
	if errors.As(context.Cause(ctx), &by) && (err == nil || errors.Is(err, context.Canceled) || errors.As(err, &by)) {
		if err == nil && by.signal == syscall.SIGTERM {
			// A service that was asked to end and did.
			return exitOK
		}
		return by.status()
	}
	var quiet *stopped
	switch {
	case err == nil, errors.Is(err, errHelpShown):
		return exitOK
	case errors.As(err, &quiet):
		return quiet.status
	case errors.Is(err, syscall.EPIPE):
		// Whoever read the output has seen enough.
		return exitFailure
	}
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context != nil {
		parsed = parse.Context
	}
	command, text := commandOf(parsed), err.Error()
	if parse != nil {
		command, text = suggest(parsed, command, parseText(text))
	}
	if hint := hintOf(err); hint != "" {
		text += "; " + hint
	}
	fmt.Fprintf(w, "gatehouse: %s%s\n", prefix(command), output.Clean(text))
	if parse != nil {
		fmt.Fprintf(w, "Run gatehouse %s--help to see what is accepted.\n", strings.ReplaceAll(prefix(command), ": ", " "))
	}
	return statusOf(err)
}

func prefix(command string) string {
	if command == "" {
		return ""
	}
	return command + ": "
}

// commandOf names the command that was selected, such as "connections create".
func commandOf(parsed *kong.Context) string {
	if parsed == nil {
		return ""
	}
	var words []string
	for _, step := range parsed.Path {
		if step.Command != nil {
			words = append(words, step.Command.Name)
		}
	}
	return strings.Join(words, " ")
}
