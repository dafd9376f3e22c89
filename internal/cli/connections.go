package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// ConnectionsCmd is `gatehouse connections`.
type ConnectionsCmd struct {
	List   ConnectionsListCmd   `cmd:"" default:"withargs" help:"List the connections."`
	Show   ConnectionsShowCmd   `cmd:"" help:"Show one connection."`
	Create ConnectionsCreateCmd `cmd:"" help:"Connect a provider."`
	Edit   ConnectionsEditCmd   `cmd:"" help:"Change a connection."`
	Export ConnectionsExportCmd `cmd:"" help:"Write a connection as JSON, without its secrets."`

	Enable      ConnectionsEnableCmd      `cmd:"" help:"Let a connection be used again."`
	Disable     ConnectionsDisableCmd     `cmd:"" help:"Let nothing use a connection."`
	Pause       ConnectionsPauseCmd       `cmd:"" help:"Pause a schedule."`
	Resume      ConnectionsResumeCmd      `cmd:"" help:"Resume a schedule that was paused."`
	MakeDefault ConnectionsMakeDefaultCmd `cmd:"" help:"Make a connection the default of its target."`

	Delete ConnectionsDeleteCmd `cmd:"" help:"Delete a connection and its credential."`
	Test   ConnectionsTestCmd   `cmd:"" help:"Test credentials and permissions."`
	Tests  ConnectionsTestsCmd  `cmd:"" help:"List earlier tests of a connection."`
}

// connectionArg is the connection a command is about.
type connectionArg struct {
	Connection string `arg:"" complete:"connections" help:"Id (conn_12) or unique name of the connection."`
}

// ConnectionsListCmd is `gatehouse connections list`.
type ConnectionsListCmd struct {
	Remote
	Paging
	Integration string `placeholder:"ID" complete:"integrations" help:"Only connections of this integration."`
	Target      string `placeholder:"ID" help:"Only connections for this target, such as tgt_3; gatehouse targets list shows them."`
	Status      string `enum:",healthy,degraded,unknown" default:"" help:"Only connections that fared so: healthy, degraded or unknown."`
	Lifecycle   string `enum:",needs_consent,active,disabled" default:"" help:"Only connections in this lifecycle: needs_consent, active or disabled."`
	Prefix      string `placeholder:"TEXT" help:"Only connections whose name begins so."`
	Default     bool   `help:"Only connections that are the default of their target."`
	Paused      bool   `help:"Only connections whose schedule is paused."`
}

// Help returns examples.
func (ConnectionsListCmd) Help() string {
	return `Shows each connection with its state, its schedule, and when it was and will be discovered.

    gatehouse connections list
    gatehouse connections list --integration aws -o json
    gatehouse connections list --status degraded --prefix Prod
    gatehouse connections list --paused`
}

// Run lists the connections.
func (cmd *ConnectionsListCmd) Run(ctx context.Context, e *environment) error {
	c, pages, err := open(e, &cmd.Remote, cmd.Paging)
	if err != nil {
		return err
	}
	l, err := c.Connections(ctx, client.ConnectionFilter{
		Integration: cmd.Integration, Target: cmd.Target, Status: cmd.Status, Lifecycle: cmd.Lifecycle, NamePrefix: cmd.Prefix, Default: cmd.Default, Paused: cmd.Paused,
	}, pages)
	if err != nil {
		return err
	}
	empty := "There are no connections yet. Make one: gatehouse connections create aws --help"
	if cmd.Integration != "" || cmd.Target != "" || cmd.Status != "" || cmd.Lifecycle != "" || cmd.Prefix != "" || cmd.Default || cmd.Paused {
		empty = "No connection fits these filters; gatehouse connections list shows all."
	}
	t := output.Table{
		Header: []string{"Connection", "Name", "Integration", "Status", "Lifecycle", "Schedule", "Last run", "Next run"},
		Empty:  empty,
	}
	return printList(e, cmd.Remote, l, t, func(c client.Connection) []string {
		return []string{
			c.ConnectionID, c.Name, c.IntegrationID, c.Status, c.Lifecycle, scheduleState(c),
			output.Time(c.LastRunAt), output.Time(c.NextRunAt),
		}
	})
}

// ConnectionsShowCmd is `gatehouse connections show`.
type ConnectionsShowCmd struct {
	Remote
	connectionArg
}

// Help returns examples.
func (ConnectionsShowCmd) Help() string {
	return `Shows everything about a connection but its secrets, which nobody can read back. Of one that is kept elsewhere it says in what, and not where: that is sealed, too.

    gatehouse connections show "Prod AWS"`
}

// Run shows one connection.
func (cmd *ConnectionsShowCmd) Run(ctx context.Context, e *environment) error {
	_, found, err := cmd.connection(ctx, e, &cmd.Remote)
	if err != nil {
		return err
	}
	return e.printConnection(cmd.Remote, found)
}

func (e *environment) printConnection(r Remote, a client.Answer[client.Connection]) error {
	if r.json() {
		return e.printJSON(a.Raw)
	}
	c := a.Value
	fields := []output.Field{
		{Name: "Connection", Value: c.ConnectionID},
		{Name: "Name", Value: c.Name},
		{Name: "Integration", Value: c.IntegrationID},
		{Name: "Connector", Value: strings.TrimSpace(c.ConnectorID + " " + c.ConnectorVersion)},
		{Name: "Target", Value: targetText(c.Target)},
		{Name: "Acts as", Value: c.ActsAs},
		{Name: "Default of its target", Value: output.YesNo(c.IsDefault)},
		{Name: "Status", Value: c.Status},
		{Name: "Lifecycle", Value: c.Lifecycle},
		{Name: "Schedule", Value: formatSchedule(c.Schedule)},
	}
	fields = append(fields, objectFields("Configuration", c.Config)...)
	for _, name := range slices.Sorted(maps.Keys(c.ConfigRefs)) {
		fields = append(fields, output.Field{Name: "Configuration " + name, Value: "refers to a secret kept elsewhere (" + c.ConfigRefs[name] + ")"})
	}
	fields = append(fields, output.Field{Name: "Credential", Value: c.CredentialType})
	fields = append(fields, objectFields("Scope", c.Scope)...)
	fields = append(fields,
		output.Field{Name: "Last run", Value: output.Time(c.LastRunAt)}, output.Field{Name: "Next run", Value: output.Time(c.NextRunAt)},
		output.Field{Name: "Schedule paused", Value: pauseText(c)},
		output.Field{Name: "Last tested", Value: output.Time(c.LastHealthCheckAt)},
		output.Field{Name: "Last error", Value: strings.TrimPrefix(c.LastErrorReasonCode+": "+c.LastErrorMessage, ": ")},
		output.Field{Name: "Version", Value: fmt.Sprint(c.Version)},
	)
	return output.Fields(e.Out, fields)
}

// pauseText says since when and why a schedule is paused, and the way out.
func pauseText(c client.Connection) string {
	if c.SchedulePausedAt == nil {
		return ""
	}
	if c.SchedulePauseReasonCode == "requested" {
		return fmt.Sprintf("%s, by request; gatehouse connections resume %s", output.Time(c.SchedulePausedAt), c.ConnectionID)
	}
	return fmt.Sprintf("%s, after %d failures: %s; gatehouse connections resume %s",
		output.Time(c.SchedulePausedAt), c.ScheduleFailures, c.SchedulePauseReasonCode, c.ConnectionID)
}

func targetText(t *client.Target) string {
	if t == nil {
		return ""
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s (%s %s)", t.TargetID, t.Name, t.Type, t.ProviderID))
}

// objectFields shows a JSON object as one field for each of its own.
func objectFields(title string, raw json.RawMessage) []output.Field {
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) != nil {
		return nil
	}
	var fields []output.Field
	for _, name := range slices.Sorted(maps.Keys(object)) {
		value := string(object[name])
		var text string
		if json.Unmarshal(object[name], &text) == nil {
			value = text
		}
		fields = append(fields, output.Field{Name: title + " " + name, Value: value})
	}
	return fields
}

// ConnectionsDeleteCmd is `gatehouse connections delete`.
type ConnectionsDeleteCmd struct {
	Remote
	connectionArg
	Yes bool `short:"y" help:"Do not ask."`
}

// Help returns examples.
func (ConnectionsDeleteCmd) Help() string {
	return `The stored credential becomes unreadable at once. Runs and audit events stay. On a terminal you are asked first; without one, --yes is needed.

    gatehouse connections delete conn_12
    gatehouse connections delete "Prod AWS" --yes`
}

// Run deletes a connection.
func (cmd *ConnectionsDeleteCmd) Run(ctx context.Context, e *environment) error {
	c, found, err := cmd.connection(ctx, e, &cmd.Remote)
	if err != nil {
		return err
	}
	if err := e.confirm(ctx, cmd.Yes, fmt.Sprintf("Delete %s (%s) and its credential?", found.Value.ConnectionID, found.Value.Name)); err != nil {
		return err
	}
	if err := c.DeleteConnection(ctx, found.Value.ConnectionID, found.Value.Version); err != nil {
		return err
	}
	fmt.Fprintf(e.Err, "%s is deleted.\n", found.Value.ConnectionID)
	return nil
}

// confirm asks before something that is not to happen by accident.
func (e *environment) confirm(ctx context.Context, yes bool, question string) error {
	if yes {
		return nil
	}
	if !e.interactive() {
		return usagef("%s Nobody can be asked here; add --yes", question)
	}
	ask, err := e.newPrompt(ctx)
	if err != nil {
		return err
	}
	defer ask.done()
	answer, err := ask.Ask(question+" [y/N] ", false)
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if answer != "y" && answer != "yes" {
		return fmt.Errorf("nothing was changed")
	}
	return nil
}
