package cli

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// RunsStartCmd is `gatehouse runs start`.
type RunsStartCmd struct {
	Remote
	Operation   string   `arg:"" complete:"operations" help:"The operation, such as discovery.run; gatehouse operations lists them."`
	Connection  string   `placeholder:"CONNECTION" complete:"connections" xor:"on" help:"Id or unique name of the connection; this or --target is needed."`
	Target      string   `placeholder:"TARGET" xor:"on" help:"Id or unique name of the target, whose default connection is used."`
	Integration string   `placeholder:"INTEGRATION" complete:"integrations" help:"With --target: the integration whose default connection is used, where several have one."`
	Input       []string `placeholder:"NAME=VALUE" sep:"none" help:"What the operation takes, such as streams=iam,lambda; values of a list are separated by commas. May be repeated."`
	Key         string   `name:"idempotency-key" placeholder:"KEY" help:"At least 16 characters of your own: for 24 hours the same command with the same key starts nothing more, and is answered as before."`
	Watch       bool     `short:"w" help:"Follow the run until it ends."`
}

// Help returns examples.
func (RunsStartCmd) Help() string {
	return `The gate answers accepted; deduped, when the same is already under way; scope_busy, when something else has the connection or the organisation to itself; or blocked, when something is missing. Exits with 0 for accepted and deduped, with 5 for scope_busy and blocked, and with --watch with 5 for a run that does not succeed.

A discovery reads the connection's scope. With --input it reads chosen streams, with those that they depend on, or chosen parts of them; the rest stays as it was.

    gatehouse runs start discovery.run --connection "Prod AWS" --watch
    gatehouse runs start discovery.run --connection "Prod AWS" --input streams=iam --input partitions=111122223333
    gatehouse runs start discovery.run --target tgt_3 --integration aws`
}

// Run starts an operation.
func (cmd *RunsStartCmd) Run(ctx context.Context, e *environment) error {
	if cmd.Connection == "" && cmd.Target == "" {
		return usagef("say on what: --connection CONNECTION, or --target TARGET for its default connection")
	}
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	req, err := cmd.request(ctx, c)
	if err != nil {
		return err
	}
	a, err := c.Start(ctx, cmd.Operation, req)
	if err != nil {
		return err
	}
	started := a.Value.Status == "accepted" || a.Value.Status == "deduped"
	if started && cmd.Watch {
		fmt.Fprintln(e.Err, output.Clean(a.Value.OperatorMessage))
		return watchRun(ctx, e, c, cmd.Remote, a.Value.Run.ID)
	}
	if err := e.printStart(cmd.Remote, a); err != nil {
		return err
	}
	if !started {
		return &stopped{exitStopped}
	}
	return nil
}

func (cmd *RunsStartCmd) request(ctx context.Context, c *client.Client) (req client.StartRequest, err error) {
	req.Integration, req.Key = cmd.Integration, cmd.Key
	if cmd.Connection != "" {
		found, err := findConnection(ctx, c, cmd.Connection)
		if err != nil {
			return req, err
		}
		req.Connection = found.Value.ConnectionID
	}
	if cmd.Target != "" {
		if req.Target, err = targetID(ctx, c, cmd.Target); err != nil {
			return req, err
		}
	}
	if len(cmd.Input) > 0 {
		req.Input, err = cmd.input(ctx, c)
	}
	return req, err
}

// input reads the inputs by what the server says that the operation takes.
func (cmd *RunsStartCmd) input(ctx context.Context, c *client.Client) (map[string]any, error) {
	known, err := c.Operations(ctx)
	if err != nil {
		return nil, err
	}
	kinds := map[string]string{}
	for _, o := range known.Value.Operations {
		for _, f := range o.Inputs {
			if o.OperationType == cmd.Operation {
				kinds[f.Name] = f.Kind
			}
		}
	}
	said := map[string]any{}
	for _, pair := range cmd.Input {
		name, value, ok := strings.Cut(pair, "=")
		switch {
		case !ok:
			return nil, usagef("--input %s: write NAME=VALUE; gatehouse operations lists what %s takes", pair, cmd.Operation)
		case said[name] != nil:
			return nil, usagef("--input %s is given twice; separate the values of a list by commas", name)
		case kinds[name] == "list":
			said[name] = strings.Split(value, ",")
		default:
			said[name] = value
		}
	}
	return said, nil
}

// targetID returns the id of a target with an id or a unique name.
func targetID(ctx context.Context, c *client.Client, idOrName string) (string, error) {
	if regexp.MustCompile(`^tgt_[0-9]+$`).MatchString(idOrName) {
		return idOrName, nil
	}
	all, err := c.Targets(ctx, client.Pages{})
	if err != nil {
		return "", err
	}
	var ids []string
	for _, t := range all.Items {
		if t.Name == idOrName || t.ProviderID == idOrName {
			ids = append(ids, t.TargetID)
		}
	}
	switch len(ids) {
	case 0:
		return "", &notFoundError{fmt.Sprintf("there is no target %q; gatehouse targets list shows all", idOrName)}
	case 1:
		return ids[0], nil
	}
	return "", fmt.Errorf("%d targets are called %q; name one by its id: %s", len(ids), idOrName, strings.Join(shorten(ids), ", "))
}

func (e *environment) printStart(r Remote, a client.Answer[client.StartResult]) error {
	if r.json() {
		return e.printJSON(a.Raw)
	}
	s := a.Value
	connection := ""
	if s.ProviderConnection != nil {
		connection = s.ProviderConnection.ID + " " + s.ProviderConnection.Label
	}
	err := output.Fields(e.Out, []output.Field{
		{Name: "Answer", Value: s.Status},
		{Name: "Message", Value: s.OperatorMessage},
		{Name: "Reason", Value: reasonText(s.ShortReason, s.ReasonCode)},
		{Name: "Connection", Value: connection},
		{Name: "Run", Value: s.Run.ID},
	})
	if err != nil {
		return err
	}
	return e.printNextSteps(s.NextSteps)
}
