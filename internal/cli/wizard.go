package cli

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/cli/form"
	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// discovery is what a bootstrap starts unless somebody says otherwise.
const discovery = "discovery.run"

// wizard leads through an onboarding session. What it knows is the server's; it
// keeps nothing itself, so that it can be left at any moment.
type wizard struct {
	e           *environment
	c           *client.Client
	remote      Remote
	flags       wizardFlags
	session     client.Onboarding
	integration client.Integration
}

// start begins a session and leads through it.
func (w *wizard) start(ctx context.Context, cmd *OnboardStartCmd, create *ConnectionsCreateCmd) error {
	// What can be wrong with the command line is found before a session is made.
	draft, integration, err := create.draft(ctx, w.e, w.c)
	if err != nil {
		return err
	}
	w.integration = integration
	var connection client.Connection
	if cmd.Connection != "" {
		found, err := findConnection(ctx, w.c, cmd.Connection)
		if err != nil {
			return err
		}
		connection = found.Value
	} else if !w.e.interactive() {
		if err := create.complete(ctx, w.e, integration, &draft); err != nil {
			return err
		}
	}
	begun, err := w.c.StartOnboarding(ctx, integration.IntegrationID)
	if err != nil {
		return err
	}
	w.session = begun.Value
	w.say("Session %s. Leave it at any time with Ctrl-C; gatehouse onboard resume %s goes on.", w.session.SessionID, w.session.SessionID)
	if connection.ConnectionID == "" {
		if connection, err = w.connect(ctx, cmd, create, draft); err != nil {
			return err
		}
	} else if err := w.showPacks(ctx, cmd, nil, nil); err != nil {
		return err
	}
	return w.pick(ctx, connection)
}

// pick gives the session its connection and goes on.
func (w *wizard) pick(ctx context.Context, connection client.Connection) error {
	picked, err := w.c.PickConnection(ctx, w.session.SessionID, connection.ConnectionID)
	if err != nil {
		return err
	}
	w.session = picked.Value
	return w.goOn(ctx)
}

// connect asks for the connection and makes it, the permissions shown first.
func (w *wizard) connect(ctx context.Context, cmd *OnboardStartCmd, create *ConnectionsCreateCmd, draft client.ConnectionDraft) (client.Connection, error) {
	if draft.Configuration == nil {
		draft.Configuration = map[string]json.RawMessage{}
	}
	if err := w.askFurther(ctx, draft.Configuration); err != nil {
		return client.Connection{}, err
	}
	if err := w.showPacks(ctx, cmd, draft.Configuration, draft.Scope); err != nil {
		return client.Connection{}, err
	}
	if err := create.complete(ctx, w.e, w.integration, &draft); err != nil {
		return client.Connection{}, err
	}
	made, err := w.c.CreateConnection(ctx, draft, rand.Text())
	if err != nil {
		return client.Connection{}, err
	}
	w.say("Connection %s (%s) is made.", made.Value.ConnectionID, made.Value.Name)
	return made.Value, nil
}

// askFurther offers the fields that may be left out, which nobody would know of.
func (w *wizard) askFurther(ctx context.Context, configuration map[string]json.RawMessage) error {
	if !w.e.interactive() || w.flags.Yes {
		return nil
	}
	schema, err := form.Compile("configuration", w.integration.Configuration)
	if err != nil {
		return err
	}
	needed, err := schema.Missing(configuration)
	if err != nil {
		return err
	}
	var further []string
	for _, name := range schema.Names() {
		if _, given := configuration[name]; !given && !slices.Contains(needed, name) {
			further = append(further, name)
		}
	}
	if len(further) == 0 {
		return nil
	}
	return w.ask(ctx, func(ask *prompt) error {
		ask.Say("These can be set, too: " + strings.Join(further, ", "))
		chosen, err := ask.Ask("Which of them, commas between them (Enter for none): ", false)
		if err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		return form.Ask(schema, namesIn(chosen), configuration, ask)
	})
}

// showPacks shows or saves what to grant, as the flags say, or else as whoever is
// asked does.
func (w *wizard) showPacks(ctx context.Context, cmd *OnboardStartCmd, configuration, scope map[string]json.RawMessage) error {
	show, save := cmd.ShowPolicy, cmd.SavePolicy
	if !show && save == "" {
		if !w.e.interactive() || w.flags.Yes {
			return nil
		}
		err := w.ask(ctx, func(ask *prompt) error {
			answer, err := ask.Ask("Permissions to grant at the provider: show them, save them to files, or go on? [s/f/Enter] ", false)
			if err != nil {
				return fmt.Errorf("read the answer: %w", err)
			}
			show = answer == "s"
			if answer == "f" {
				save, err = ask.Ask("Directory (Enter for the current one): ", false)
				if save == "" {
					save = "."
				}
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	if !show && save == "" {
		return nil
	}
	a, err := permissionsFor(ctx, w.c, w.integration, configuration, scope)
	if err != nil {
		return err
	}
	if save != "" {
		if err := w.e.savePacks(save, a.Value.PermissionPacks); err != nil {
			return err
		}
	}
	if !show {
		return nil
	}
	return w.onErr().printPacks(a.Value.PermissionPacks)
}

// ask runs a dialogue on the terminal.
func (w *wizard) ask(ctx context.Context, dialogue func(*prompt) error) error {
	ask, err := w.e.newPrompt(ctx)
	if err != nil {
		return err
	}
	defer ask.done()
	return dialogue(ask)
}

// say tells what happens; never on standard output, where the result goes.
func (w *wizard) say(format string, args ...any) {
	fmt.Fprintln(w.e.Err, output.Clean(fmt.Sprintf(format, args...)))
}

// pause is an empty line before what is said next.
func (w *wizard) pause() { fmt.Fprintln(w.e.Err) }

// onErr is the environment for what is no result: printed as a table and on
// standard error where standard output is for the API's own answer.
func (w *wizard) onErr() *environment {
	if !w.remote.json() {
		return w.e
	}
	told := *w.e
	told.Out = told.Err
	return &told
}

// load reads the session as it is now.
func (w *wizard) load(ctx context.Context, id string) error {
	a, err := w.c.Onboarding(ctx, id)
	if err != nil {
		return err
	}
	w.session = a.Value
	return nil
}

// leave says how to come back, when somebody goes.
func (w *wizard) leave(ctx context.Context, err error) error {
	if err == nil || w.session.SessionID == "" {
		return err
	}
	if ctx.Err() != nil || errors.Is(err, io.EOF) || statusOf(err) == exitUnavailable {
		w.pause()
		w.say("%s is kept by the server; what it has started goes on. Come back: gatehouse onboard resume %s", w.session.SessionID, w.session.SessionID)
	}
	return err
}

// namesIn are the names in an answer.
func namesIn(answer string) []string {
	return slices.DeleteFunc(strings.FieldsFunc(answer, func(r rune) bool { return r == ',' || r == ' ' }), func(s string) bool { return s == "" })
}
