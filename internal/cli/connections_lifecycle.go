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
	return e.setLifecycle(ctx, cmd.Remote, cmd.Connection, "active")
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
	return e.setLifecycle(ctx, cmd.Remote, cmd.Connection, "disabled")
}

func (e *environment) setLifecycle(ctx context.Context, r Remote, connection, lifecycle string) error {
	c, err := r.client(e.services.Version)
	if err != nil {
		return err
	}
	found, err := findConnection(ctx, c, connection)
	if err != nil {
		return err
	}
	a, err := c.EditConnection(ctx, found.Value.ConnectionID, found.Value.Version, client.ConnectionPatch{Lifecycle: &lifecycle})
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
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	found, err := findConnection(ctx, c, cmd.Connection)
	if err != nil {
		return err
	}
	a, err := c.MakeDefault(ctx, found.Value.ConnectionID)
	if err != nil {
		return err
	}
	return e.printConnection(cmd.Remote, a)
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
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	found, err := findConnection(ctx, c, cmd.Connection)
	if err != nil {
		return err
	}
	a, err := c.PauseSchedule(ctx, found.Value.ConnectionID)
	if err != nil {
		return err
	}
	return e.printConnection(cmd.Remote, a)
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
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	found, err := findConnection(ctx, c, cmd.Connection)
	if err != nil {
		return err
	}
	a, err := c.ResumeSchedule(ctx, found.Value.ConnectionID)
	if err != nil {
		return err
	}
	return e.printConnection(cmd.Remote, a)
}
