package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/cli/form"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// resume goes on with a session that was left.
func (w *wizard) resume(ctx context.Context) error {
	integration, err := w.c.Integration(ctx, w.session.IntegrationID)
	if err != nil {
		return err
	}
	w.integration = integration.Value
	if w.session.Status == "open" && w.session.ConnectionID == "" {
		if !w.e.interactive() {
			return usagef("%s has no connection yet, and nobody can be asked here; make one with gatehouse connections create %s, and begin again with gatehouse onboard %s --connection",
				w.session.SessionID, w.session.IntegrationID, w.session.IntegrationID)
		}
		create := &ConnectionsCreateCmd{Remote: w.remote, Integration: w.session.IntegrationID}
		draft, _, err := create.draft(ctx, w.e, w.c)
		if err != nil {
			return err
		}
		connection, err := w.connect(ctx, &OnboardStartCmd{}, create, draft)
		if err != nil {
			return err
		}
		return w.pick(ctx, connection)
	}
	return w.goOn(ctx)
}

// goOn takes the steps that are left.
func (w *wizard) goOn(ctx context.Context) error {
	switch w.session.Status {
	case "open":
		if err := w.verify(ctx); err != nil {
			return err
		}
		if err := w.begin(ctx); err != nil {
			return err
		}
	case "stopped":
		if err := w.verify(ctx); err != nil {
			return err
		}
		resumed, err := w.c.ResumeOnboarding(ctx, w.session.SessionID)
		if err != nil {
			return err
		}
		w.session = resumed.Value.Session
		w.say("%s", resumed.Value.OperatorMessage)
	}
	return w.watch(ctx)
}

// verifyState is how far the session's verification is.
func (w *wizard) verifyState() string {
	for _, step := range w.session.Steps {
		if step.Step == "verify" {
			return step.State
		}
	}
	return ""
}

// verify tests the connection until it works, or whoever is asked gives up.
func (w *wizard) verify(ctx context.Context) error {
	fresh := true
	for w.verifyState() != "done" {
		if w.verifyState() != "running" {
			if w.verifyState() == "failed" && !fresh {
				again, err := w.mend(ctx)
				if err != nil {
					return err
				}
				if !again {
					w.say("Nothing is started. Mend it, such as with gatehouse connections edit %s --set-env FIELD=VARIABLE, then go on: gatehouse onboard resume %s",
						w.session.ConnectionID, w.session.SessionID)
					return &stopped{exitStopped}
				}
			}
			if _, err := w.c.VerifyOnboarding(ctx, w.session.SessionID); err != nil {
				return err
			}
		}
		if err := w.load(ctx, w.session.SessionID); err != nil {
			return err
		}
		if v := w.session.Verification; v != nil && v.State == "running" {
			w.say("Testing %s ...", w.session.ConnectionName)
			if _, err := w.e.followRun(ctx, w.c, v.RunID); err != nil {
				return err
			}
			if err := w.load(ctx, w.session.SessionID); err != nil {
				return err
			}
		}
		fresh = false
		if err := w.onErr().printVerification(w.session.Verification); err != nil {
			return err
		}
	}
	w.say("%s works.", w.session.ConnectionName)
	return nil
}

// mend asks what to do about a test that failed; again says to try once more.
func (w *wizard) mend(ctx context.Context) (again bool, err error) {
	if !w.e.interactive() || w.flags.Yes {
		return false, nil
	}
	err = w.ask(ctx, func(ask *prompt) error {
		answer, err := ask.Ask("\nEdit the configuration and try again, try again as it is, or leave? [e/t/l] ", false)
		if err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		switch answer {
		case "t":
			again = true
		case "e":
			again = true
			return w.edit(ctx, ask)
		}
		return nil
	})
	return again, err
}

// edit asks for fields of the configuration anew.
func (w *wizard) edit(ctx context.Context, ask *prompt) error {
	schema, err := form.Compile("configuration", w.integration.Configuration)
	if err != nil {
		return err
	}
	found, err := w.c.Connection(ctx, w.session.ConnectionID)
	if err != nil {
		return err
	}
	ask.Say("Fields: " + strings.Join(schema.Names(), ", "))
	chosen, err := ask.Ask("Which of them to enter anew, commas between them: ", false)
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	values := map[string]json.RawMessage{}
	if err := form.Ask(schema, namesIn(chosen), values, ask); err != nil {
		return err
	}
	if len(values) == 0 {
		return nil
	}
	_, err = w.c.EditConnection(ctx, found.Value.ConnectionID, found.Value.Version, client.ConnectionPatch{Configuration: values})
	return err
}

// begin starts the operations that the flags or whoever is asked choose.
func (w *wizard) begin(ctx context.Context) error {
	chosen := w.flags.Operations
	if len(chosen) == 0 {
		chosen = []string{discovery}
		if !w.flags.Yes {
			err := w.ask(ctx, func(ask *prompt) error {
				ask.Say("Operations that can be started, one after the other: " + strings.Join(w.session.OfferedOperations, ", "))
				answer, err := ask.Ask("Which, in order, commas between them (Enter for "+discovery+", none to leave): ", false)
				if err != nil {
					return fmt.Errorf("read the answer: %w", err)
				}
				if answer != "" {
					chosen = namesIn(answer)
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	if len(chosen) == 1 && chosen[0] == "none" {
		return nil
	}
	begun, err := w.c.Bootstrap(ctx, w.session.SessionID, w.session.ConnectionID, chosen)
	if err != nil {
		return err
	}
	w.session = begun.Value.Session
	w.say("%s", begun.Value.OperatorMessage)
	return nil
}

// watch follows the operations until the session waits for nobody, and shows it.
func (w *wizard) watch(ctx context.Context) error {
	told := ""
	for w.session.Status == "bootstrapping" {
		for _, o := range w.session.Operations {
			under := o.RunID
			if o.State == "waiting" {
				under = o.WaitsFor
			}
			if o.State != "started" && o.State != "waiting" || under == "" || under == told {
				continue
			}
			w.say("%s: %s as %s", o.OperationType, o.State, under)
			if _, err := w.e.followRun(ctx, w.c, under); err != nil {
				return err
			}
			told = under
		}
		// The session goes on by itself, a moment after the run has ended.
		pause := time.NewTimer(pollLeast)
		select {
		case <-ctx.Done():
			pause.Stop()
			return context.Cause(ctx)
		case <-pause.C:
		}
		if err := w.load(ctx, w.session.SessionID); err != nil {
			return err
		}
	}
	a, err := w.c.Onboarding(ctx, w.session.SessionID)
	if err != nil {
		return err
	}
	if err := w.e.printOnboarding(w.remote, a); err != nil {
		return err
	}
	switch a.Value.Status {
	case "stopped":
		w.pause()
		w.say("When it is mended: gatehouse onboard resume %s", a.Value.SessionID)
		return &stopped{exitStopped}
	case "open":
		w.pause()
		w.say("Nothing was started. Go on: gatehouse onboard resume %s", a.Value.SessionID)
	case "completed":
		w.pause()
		w.say("Now ask: gatehouse entities list --kind Resource, then gatehouse access who-can RESOURCE. Keep it fresh: gatehouse connections edit %s --schedule daily@02:00", a.Value.ConnectionID)
	}
	return nil
}
