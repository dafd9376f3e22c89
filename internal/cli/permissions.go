package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/cli/form"
	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// IntegrationsPermissionsCmd is `gatehouse integrations permissions`.
type IntegrationsPermissionsCmd struct {
	Remote
	Integration string   `arg:"" complete:"integrations" help:"Id of the integration, such as aws."`
	Set         []string `sep:"none" placeholder:"FIELD=VALUE" help:"A field of the configuration that permissions depend on; repeat for more. No secrets."`
	Scope       []string `sep:"none" placeholder:"FIELD=VALUE" help:"A field of the scope, or the whole scope as JSON."`
	Kind        string   `placeholder:"KIND" help:"Print only this one, as it is, such as aws_iam_policy."`
	Save        string   `placeholder:"DIRECTORY" type:"path" complete:"files" help:"Write each into a file of this directory."`
}

// Help returns examples.
func (IntegrationsPermissionsCmd) Help() string {
	return `Shows the permissions of everything that is read in the provider's own form, such as IAM policies, ready to paste. They follow the configuration and the scope, as far as you give them.

    gatehouse integrations permissions aws
    gatehouse integrations permissions aws --set organizations_enabled=true --set external_id=contoso-1 --save policies
    gatehouse integrations permissions aws --kind aws_iam_policy`
}

// Run shows what to grant.
func (cmd *IntegrationsPermissionsCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	integration, err := c.Integration(ctx, cmd.Integration)
	if err != nil {
		return err
	}
	given := settings{Set: cmd.Set, Scope: cmd.Scope}
	configuration, scope, err := given.read(e, integration.Value)
	if err != nil {
		return err
	}
	a, err := permissionsFor(ctx, c, integration.Value, configuration, scope)
	if err != nil {
		return err
	}
	if cmd.Save != "" {
		if err := e.savePacks(cmd.Save, a.Value.PermissionPacks); err != nil {
			return err
		}
	}
	switch {
	case cmd.json():
		return e.printJSON(a.Raw)
	case cmd.Kind != "":
		return e.printPack(a.Value.PermissionPacks, cmd.Kind)
	case cmd.Save != "":
		return nil
	}
	return e.printPacks(a.Value.PermissionPacks)
}

// permissionsFor asks what to grant for settings of which secrets are left out.
func permissionsFor(ctx context.Context, c *client.Client, integration client.Integration, configuration, scope map[string]json.RawMessage) (a client.Answer[client.Permissions], err error) {
	schema, err := form.Compile("configuration", integration.Configuration)
	if err != nil {
		return a, err
	}
	readable := maps.Clone(configuration)
	maps.DeleteFunc(readable, func(name string, _ json.RawMessage) bool {
		field, _ := schema.Field(name)
		return field.Secret
	})
	encode := func(fields map[string]json.RawMessage) string {
		if len(fields) == 0 {
			return ""
		}
		text, failed := json.Marshal(fields)
		if failed != nil && err == nil {
			err = fmt.Errorf("encode settings: %w", failed)
		}
		return string(text)
	}
	readableText, scopeText := encode(readable), encode(scope)
	if err != nil {
		return a, err
	}
	return c.Permissions(ctx, integration.IntegrationID, readableText, scopeText)
}

// printPack prints one as it is, so that it can go into a file.
func (e *environment) printPack(packs []client.PermissionPack, kind string) error {
	var kinds []string
	for _, p := range packs {
		if p.Kind == kind {
			_, err := fmt.Fprintln(e.Out, strings.TrimSuffix(p.Content, "\n"))
			return err
		}
		kinds = append(kinds, p.Kind)
	}
	return usagef("--kind: there is no %s with these settings; there is %s", kind, strings.Join(kinds, ", "))
}

func (e *environment) printPacks(packs []client.PermissionPack) error {
	for i, p := range packs {
		gap := "\n"
		if i == 0 {
			gap = ""
		}
		_, err := fmt.Fprintf(e.Out, "%s%s (%s)\n%s\n\n%s\n", gap, output.Clean(p.Title), output.Clean(p.Kind), output.Clean(p.Instructions), cleanLines(p.Content))
		if err != nil {
			return err
		}
	}
	return nil
}

// cleanLines keeps the lines of a text and nothing that a terminal would obey.
func cleanLines(text string) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i, line := range lines {
		lines[i] = output.Clean(line)
	}
	return strings.Join(lines, "\n")
}

// savePacks writes each into a file, under its own name and nowhere else.
func (e *environment) savePacks(directory string, packs []client.PermissionPack) error {
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return fmt.Errorf("make the directory: %w", err)
	}
	root, err := os.OpenRoot(directory)
	if err != nil {
		return fmt.Errorf("open the directory: %w", err)
	}
	defer func() { _ = root.Close() }()
	names := make([]string, 0, len(packs))
	for _, p := range packs {
		name := filepath.Base(p.FileName)
		if slices.Contains(names, name) {
			return fmt.Errorf("the server names two files %s", name)
		}
		names = append(names, name)
		if err := root.WriteFile(name, []byte(p.Content), 0o644); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
		fmt.Fprintf(e.Err, "%s: %s\n", filepath.Join(directory, name), output.Clean(p.Title))
	}
	return nil
}
