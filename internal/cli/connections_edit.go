package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	"github.com/gatehouse-project/gatehouse/internal/cli/form"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// ConnectionsEditCmd is `gatehouse connections edit`.
type ConnectionsEditCmd struct {
	Remote
	settings
	connectionArg
	Name     string   `placeholder:"NAME" help:"New name."`
	Ask      []string `placeholder:"FIELD" help:"A field of the configuration to be asked for, such as a renewed secret."`
	Unset    []string `placeholder:"FIELD" help:"A field of the configuration to take away; repeat for more."`
	Enabled  bool     `xor:"lifecycle" help:"Let the connection be used."`
	Disabled bool     `xor:"lifecycle" help:"Let nothing use the connection."`
	Default  bool     `help:"Make this the default connection of its target."`
}

// Help returns examples.
func (ConnectionsEditCmd) Help() string {
	return `Only what is given changes; secrets that are not named stay as they are. The change is refused when somebody else changed the connection in the meantime.

    gatehouse connections edit "Prod AWS" --schedule daily@03:30
    gatehouse connections edit "Prod AWS" --ask secret_access_key
    gatehouse connections edit "Prod AWS" --ref secret_access_key=env:PROD_AWS_SECRET
    gatehouse connections edit "Prod AWS" --unset region
    gatehouse connections edit "Prod AWS" --disabled`
}

// Run changes a connection.
func (cmd *ConnectionsEditCmd) Run(ctx context.Context, e *environment) error {
	c, found, err := cmd.connection(ctx, e, &cmd.Remote)
	if err != nil {
		return err
	}
	integration, err := c.Integration(ctx, found.Value.IntegrationID)
	if err != nil {
		return err
	}
	patch, err := cmd.patch(ctx, e, integration.Value, found.Value)
	if err != nil {
		return err
	}
	a, err := c.EditConnection(ctx, found.Value.ConnectionID, found.Value.Version, patch)
	if err != nil {
		return err
	}
	return e.printConnection(cmd.Remote, a)
}

func (cmd *ConnectionsEditCmd) patch(ctx context.Context, e *environment, integration client.Integration, now client.Connection) (client.ConnectionPatch, error) {
	var patch client.ConnectionPatch
	configuration, scope, err := cmd.read(e, integration)
	if err != nil {
		return patch, err
	}
	schema, err := form.Compile("configuration", integration.Configuration)
	if err != nil {
		return patch, err
	}
	for _, name := range cmd.Ask {
		if err := schema.CheckNames(map[string]json.RawMessage{name: nil}); err != nil {
			return patch, err
		}
	}
	if len(cmd.Ask) > 0 {
		if !e.interactive() {
			return patch, usagef("--ask: nobody can be asked here; use --set-file, --set-env or --ref")
		}
		ask, err := e.newPrompt(ctx)
		if err != nil {
			return patch, err
		}
		defer ask.done()
		if err := form.Ask(schema, cmd.Ask, configuration, ask); err != nil {
			return patch, err
		}
	}
	for _, name := range cmd.Unset {
		if _, given := configuration[name]; given {
			return patch, usagef("--unset: %s is given a value as well", name)
		}
		if configuration == nil {
			configuration = map[string]json.RawMessage{}
		}
		configuration[name] = json.RawMessage("null")
	}
	if err := schema.CheckNames(configuration); err != nil {
		return patch, err
	}
	if patch.Scope, err = replacing(now.Scope, scope); err != nil {
		return patch, err
	}
	if len(configuration) > 0 {
		patch.Configuration = configuration
	}
	schedule, err := cmd.schedule()
	if err != nil {
		return patch, err
	}
	patch.Schedule = (*client.SchedulePatch)(schedule)
	if cmd.Name != "" {
		patch.Name = &cmd.Name
	}
	lifecycle := map[bool]string{cmd.Enabled: "active", cmd.Disabled: "disabled"}[true]
	if lifecycle != "" {
		patch.Lifecycle = &lifecycle
	}
	if cmd.Default {
		patch.IsDefault = &cmd.Default
	}
	if patch.IsDefault == nil && patch.Name == nil && patch.Configuration == nil && patch.Scope == nil && patch.Schedule == nil && patch.Lifecycle == nil {
		return patch, usagef("nothing to change: give at least one of --name, --set, --set-file, --set-env, --ref, --ask, --unset, --scope, --schedule, --enabled, --disabled, --default")
	}
	return patch, nil
}

// replacing makes the merge patch that puts an object in the place of another:
// what the new one does not have is removed. Nil stays nil.
func replacing(before json.RawMessage, after map[string]json.RawMessage) (map[string]json.RawMessage, error) {
	if after == nil {
		return nil, nil
	}
	var had map[string]json.RawMessage
	if err := json.Unmarshal(before, &had); err != nil {
		return nil, fmt.Errorf("the server showed a scope that is no object: %w", err)
	}
	patch := maps.Clone(after)
	for name := range had {
		if _, kept := after[name]; !kept {
			patch[name] = json.RawMessage("null")
		}
	}
	return patch, nil
}
