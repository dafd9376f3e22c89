package cli

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/cli/form"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// settings is the flags that fill a configuration and a scope.
type settings struct {
	Set      []string `sep:"none" placeholder:"FIELD=VALUE" help:"A field of the configuration; repeat for more. Lists: a,b,c. No secrets here."`
	SetFile  []string `sep:"none" placeholder:"FIELD=PATH" help:"A field whose value is in a file; - is standard input. For secrets."`
	SetEnv   []string `sep:"none" placeholder:"FIELD=VARIABLE" help:"A field whose value is in an environment variable. For secrets."`
	Ref      []string `sep:"none" placeholder:"FIELD=REF" help:"A secret field that refers to a secret kept elsewhere: env:NAME or file:/PATH of the integrations service, awssm:ARN#KEY."`
	Scope    []string `sep:"none" placeholder:"FIELD=VALUE" help:"A field of the scope, or the whole scope as JSON."`
	Schedule string   `placeholder:"WHEN" complete:"schedules" help:"When discovery starts by itself: manual, hourly@15, daily@02:00, weekly@mon@02:00, cron@30 2 * * 1-5, each with @Europe/Paris behind it for a time zone; and ~30 at the end to have starts spread over 30 minutes, ~0 for none."`
}

// ConnectionsCreateCmd is `gatehouse connections create`.
type ConnectionsCreateCmd struct {
	Remote
	settings
	draftFile
	Integration string `arg:"" optional:"" complete:"integrations" help:"Id of the integration, such as aws; needed unless a file says it."`
	Name        string `placeholder:"NAME" help:"Name of the connection, such as Prod AWS."`
	Target      string `placeholder:"ID" help:"Organisation that the credentials must reach, such as tgt_3 (gatehouse targets list shows them); found by the first test when left out."`
}

// Help returns examples.
func (ConnectionsCreateCmd) Help() string {
	return `Secrets are never given as arguments, which every process of the machine can see. On a terminal you are asked for whatever is missing; secrets are not shown while you type. Elsewhere use --set-file, --set-env or --ref.

    gatehouse connections create aws --name "Prod AWS" \
      --set access_key_id=AKIAIOSFODNN7EXAMPLE --set region=us-east-1

    gatehouse connections create aws --name "Prod AWS" \
      --set access_key_id=AKIAIOSFODNN7EXAMPLE --set-env secret_access_key=AWS_SECRET_ACCESS_KEY \
      --set organizations_enabled=true --scope aws_accounts=111122223333,444455556666 \
      --schedule daily@02:00@Europe/Paris

    gatehouse connections create aws --name "Prod AWS" \
      --set access_key_id=AKIAIOSFODNN7EXAMPLE --ref secret_access_key=file:/run/secrets/gatehouse/aws

A whole connection comes from a file; connections export writes one without its secrets:

    gatehouse connections create --from-file prod-aws.json --set-env secret_access_key=AWS_SECRET_ACCESS_KEY

With --ref the secret stays where it is, and is looked up by the integrations service whenever it is needed, if its operator allows (--allow-ref). The fields are listed by: gatehouse integrations show aws`
}

// Run creates a connection.
func (cmd *ConnectionsCreateCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	draft, integration, err := cmd.draft(ctx, e, c)
	if err != nil {
		return err
	}
	if err := cmd.complete(ctx, e, integration, &draft); err != nil {
		return err
	}
	a, err := c.CreateConnection(ctx, draft, rand.Text())
	if err != nil {
		return err
	}
	if err := e.printConnection(cmd.Remote, a); err != nil {
		return err
	}
	fmt.Fprintf(e.Err, "\nNext: gatehouse connections test %s\n", a.Value.ConnectionID)
	return nil
}

// draft is what the file and the flags say, and the integration it is for.
func (cmd *ConnectionsCreateCmd) draft(ctx context.Context, e *environment, c *client.Client) (d client.ConnectionDraft, of client.Integration, err error) {
	if d, err = cmd.draftFile.read(e, cmd.takesStdin()); err != nil {
		return d, of, err
	}
	switch {
	case cmd.Integration == "" && d.IntegrationID == "":
		return d, of, usagef("name an integration, such as: gatehouse connections create aws; gatehouse integrations list shows all")
	case cmd.Integration != "" && d.IntegrationID != "" && cmd.Integration != d.IntegrationID:
		return d, of, usagef("--from-file: is a connection to %s, not to %s", d.IntegrationID, cmd.Integration)
	}
	integration, err := c.Integration(ctx, cmp.Or(cmd.Integration, d.IntegrationID))
	if err != nil {
		return d, of, err
	}
	of = integration.Value
	// Before anything is asked for: the server would refuse it in the end.
	if !of.Licensed {
		return d, of, fmt.Errorf("%s cannot be connected: %s", of.IntegrationID, of.LicenceReason)
	}
	if err := checkDraft(of, d); err != nil {
		return d, of, err
	}
	configuration, scope, err := cmd.settings.read(e, of)
	if err != nil {
		return d, of, err
	}
	schedule, err := cmd.schedule()
	if err != nil {
		return d, of, err
	}
	d.IntegrationID, d.Name, d.TargetID = of.IntegrationID, cmp.Or(cmd.Name, d.Name), cmp.Or(cmd.Target, d.TargetID)
	d.Configuration, d.Schedule = over(d.Configuration, configuration), cmp.Or(schedule, d.Schedule)
	if scope != nil {
		d.Scope = scope
	}
	return d, of, nil
}

// complete asks for what is missing, or says all that is.
func (cmd *ConnectionsCreateCmd) complete(ctx context.Context, e *environment, integration client.Integration, draft *client.ConnectionDraft) error {
	schema, err := form.Compile("configuration", integration.Configuration)
	if err != nil {
		return err
	}
	if e.interactive() {
		ask, err := e.newPrompt(ctx)
		if err != nil {
			return err
		}
		defer ask.done()
		if draft.Name == "" {
			if draft.Name, err = ask.Ask("Name of the connection: ", false); err != nil {
				return fmt.Errorf("read the name: %w", err)
			}
		}
		return form.Complete(schema, draft.Configuration, ask)
	}
	missing, err := schema.Missing(draft.Configuration)
	if err != nil {
		return err
	}
	var lines []string
	if draft.Name == "" {
		lines = append(lines, "name: is missing; give it with --name")
	}
	for _, name := range missing {
		way := fmt.Sprintf("give it with --set %s=VALUE", name)
		if field, _ := schema.Field(name); field.Secret {
			way = form.Ways("--set", name)
		}
		lines = append(lines, fmt.Sprintf("configuration.%s: is missing; %s", name, way))
	}
	if len(lines) > 0 {
		return usagef("%s", strings.Join(lines, "; "))
	}
	return nil
}

// read returns what the flags say of the configuration and the scope.
func (s *settings) read(e *environment, integration client.Integration) (configuration, scope map[string]json.RawMessage, err error) {
	schema, err := form.Compile("configuration", integration.Configuration)
	if err != nil {
		return nil, nil, err
	}
	in := form.Input{Set: s.Set, Files: s.SetFile, Env: s.SetEnv, Refs: s.Ref, Flag: "--set", Stdin: e.In, Getenv: os.LookupEnv}
	if configuration, err = in.Read(schema); err != nil {
		return nil, nil, err
	}
	scope, err = s.readScope(integration)
	return configuration, scope, err
}

func (s *settings) readScope(integration client.Integration) (map[string]json.RawMessage, error) {
	if len(s.Scope) == 0 {
		return nil, nil
	}
	schema, err := form.Compile("scope", integration.Scope)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(strings.TrimSpace(s.Scope[0]), "{") {
		var scope map[string]json.RawMessage
		if err := json.Unmarshal([]byte(s.Scope[0]), &scope); err != nil || len(s.Scope) > 1 {
			return nil, usagef("scope: must be one JSON object, or FIELD=VALUE for each field")
		}
		return scope, schema.CheckNames(scope)
	}
	return form.Input{Set: s.Scope, Flag: "--scope", Getenv: os.LookupEnv}.Read(schema)
}

func (s *settings) schedule() (*client.Schedule, error) {
	if s.Schedule == "" {
		return nil, nil
	}
	return parseSchedule(s.Schedule)
}
