package cli

import (
	"context"

	"github.com/gatehouse-project/gatehouse/internal/client"
)

// ConnectionsEnableCmd is `gatehouse connections enable`.
type ConnectionsEnableCmd struct {
	Remote
	connectionArg
}

// Help returns examples.
func (ConnectionsEnableCmd) Help() string {
	return "Also says that the provider's administrator has given consent, where a connection waited for it; a test finds that by itself.\n\n    gatehouse connections enable \"Prod AWS\""
}

// Run enables a connection.
func (cmd *ConnectionsEnableCmd) Run(ctx context.Context, e *environment) error {
	return cmd.setLifecycle(ctx, e, cmd.Remote, "active")
}

// ConnectionsDisableCmd is `gatehouse connections disable`.
type ConnectionsDisableCmd struct {
	Remote
	connectionArg
}

// Help returns examples.
func (ConnectionsDisableCmd) Help() string {
	return "Runs that wait for a worker end as blocked; one that is under way goes on. Nothing is deleted.\n\n    gatehouse connections disable conn_12"
}

// Run disables a connection.
func (cmd *ConnectionsDisableCmd) Run(ctx context.Context, e *environment) error {
	return cmd.setLifecycle(ctx, e, cmd.Remote, "disabled")
}

func (arg connectionArg) setLifecycle(ctx context.Context, e *environment, r Remote, lifecycle string) error {
	return arg.change(ctx, e, r, func(c *client.Client, found client.Connection) (client.Answer[client.Connection], error) {
		return c.EditConnection(ctx, found.ConnectionID, found.Version, client.ConnectionPatch{Lifecycle: &lifecycle})
	})
}

// change changes the connection that a command is about, and prints what became of it.
func (arg connectionArg) change(
	ctx context.Context, e *environment, r Remote, to func(c *client.Client, found client.Connection) (client.Answer[client.Connection], error),
) error {
	c, found, err := arg.connection(ctx, e, &r)
	if err != nil {
		return err
	}
	a, err := to(c, found.Value)
	if err != nil {
		return err
	}
	return e.printConnection(r, a)
}

// ConnectionsMakeDefaultCmd is `gatehouse connections make-default`.
type ConnectionsMakeDefaultCmd struct {
	Remote
	connectionArg
}

// Help returns examples.
func (ConnectionsMakeDefaultCmd) Help() string {
	return "Operations that name a target and no connection use its default. Another one stops being it in the same step.\n\n    gatehouse connections make-default \"Prod AWS\""
}

// Run makes a connection the default.
func (cmd *ConnectionsMakeDefaultCmd) Run(ctx context.Context, e *environment) error {
	return cmd.change(ctx, e, cmd.Remote, func(c *client.Client, found client.Connection) (client.Answer[client.Connection], error) {
		return c.MakeDefault(ctx, found.ConnectionID)
	})
}

// ConnectionsPauseCmd is `gatehouse connections pause`.
type ConnectionsPauseCmd struct {
	Remote
	connectionArg
}

// Help returns examples.
func (ConnectionsPauseCmd) Help() string {
	return "The schedule starts nothing until somebody resumes it; people may still start the connection. To have nobody start it, disable it.\n\n    gatehouse connections pause \"Prod AWS\""
}

// Run pauses a schedule.
func (cmd *ConnectionsPauseCmd) Run(ctx context.Context, e *environment) error {
	return cmd.change(ctx, e, cmd.Remote, func(c *client.Client, found client.Connection) (client.Answer[client.Connection], error) {
		return c.PauseSchedule(ctx, found.ConnectionID)
	})
}

// ConnectionsResumeCmd is `gatehouse connections resume`.
type ConnectionsResumeCmd struct {
	Remote
	connectionArg
}

// Help returns examples.
func (ConnectionsResumeCmd) Help() string {
	return "Ten scheduled runs that fail in a row pause the schedule, and so does gatehouse connections pause. After failures, other settings, other credentials and a run that succeeds resume it as well. What came due meanwhile is made up for by one run, in a moment.\n\n    gatehouse connections resume \"Prod AWS\""
}

// Run resumes a schedule.
func (cmd *ConnectionsResumeCmd) Run(ctx context.Context, e *environment) error {
	return cmd.change(ctx, e, cmd.Remote, func(c *client.Client, found client.Connection) (client.Answer[client.Connection], error) {
		return c.ResumeSchedule(ctx, found.ConnectionID)
	})
}
