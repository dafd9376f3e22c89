package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// WebhooksCmd is `gatehouse webhooks`.
type WebhooksCmd struct {
	List         WebhooksListCmd         `cmd:"" default:"withargs" help:"List endpoints that are told of events."`
	Show         WebhooksShowCmd         `cmd:"" help:"Show one endpoint."`
	Create       WebhooksCreateCmd       `cmd:"" help:"Have an endpoint told of events."`
	Update       WebhooksUpdateCmd       `cmd:"" help:"Change an endpoint, or switch it on or off."`
	Delete       WebhooksDeleteCmd       `cmd:"" help:"Delete an endpoint and its deliveries."`
	RotateSecret WebhooksRotateSecretCmd `cmd:"" name:"rotate-secret" help:"Give an endpoint another secret."`
	Test         WebhooksTestCmd         `cmd:"" help:"Send an endpoint an event that means nothing."`
	Deliveries   WebhooksDeliveriesCmd   `cmd:"" help:"List what was sent to an endpoint."`
	Replay       WebhooksReplayCmd       `cmd:"" help:"Send again what an endpoint missed."`
	Verify       WebhooksVerifyCmd       `cmd:"" help:"Check a delivery's signature, on this machine."`
}

// WebhooksListCmd is `gatehouse webhooks list`.
type WebhooksListCmd struct {
	Remote
	Paging
}

// Help returns examples.
func (WebhooksListCmd) Help() string {
	return "It needs the role admin: an address may hold a token.\n\n    gatehouse webhooks list"
}

// Run lists endpoints.
func (cmd *WebhooksListCmd) Run(ctx context.Context, e *environment) error {
	c, pages, err := open(e, &cmd.Remote, cmd.Paging)
	if err != nil {
		return err
	}
	l, err := c.Webhooks(ctx, pages)
	if err != nil {
		return err
	}
	t := output.Table{Header: []string{"Webhook", "State", "URL", "Events"}, Empty: "There are no webhooks."}
	return printList(e, cmd.Remote, l, t, func(w client.Webhook) []string {
		return []string{w.WebhookID, webhookState(w), w.URL, strings.Join(w.EventTypes, ", ")}
	})
}

// webhookState says in a word how an endpoint fares.
func webhookState(w client.Webhook) string {
	switch {
	case !w.Enabled && w.DisabledReason != nil && *w.DisabledReason != "requested":
		return "disabled: " + *w.DisabledReason
	case !w.Enabled:
		return "disabled"
	case w.Failures > 0:
		return "failing"
	}
	return "enabled"
}

// WebhooksShowCmd is `gatehouse webhooks show`.
type WebhooksShowCmd struct {
	Remote
	Webhook string `arg:"" help:"Id of the webhook, such as wh_3."`
}

// Help returns examples.
func (WebhooksShowCmd) Help() string {
	return "Without its secret, which was shown when it was made.\n\n    gatehouse webhooks show wh_3"
}

// Run shows an endpoint.
func (cmd *WebhooksShowCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	a, err := c.Webhook(ctx, cmd.Webhook)
	if err != nil {
		return err
	}
	return e.printWebhook(cmd.Remote, a)
}

func (e *environment) printWebhook(r Remote, a client.Answer[client.Webhook]) error {
	if r.json() {
		return e.printJSON(a.Raw)
	}
	w := a.Value
	return output.Fields(e.Out, []output.Field{
		{Name: "Webhook", Value: w.WebhookID},
		{Name: "URL", Value: w.URL},
		{Name: "Description", Value: w.Description},
		{Name: "Events", Value: strings.Join(w.EventTypes, ", ")},
		{Name: "State", Value: webhookState(w)},
		{Name: "Disabled", Value: orNoTime(w.DisabledAt)},
		{Name: "Failing since", Value: orNoTime(w.FailingSince)},
		{Name: "Failures", Value: strconv.Itoa(w.Failures)},
		{Name: "Created", Value: output.Time(&w.CreatedAt)},
		{Name: "Created by", Value: orEmpty(w.CreatedBy)},
	})
}

// WebhooksCreateCmd is `gatehouse webhooks create`.
type WebhooksCreateCmd struct {
	Remote
	URL         string   `arg:"" help:"Where to send events, https://…"`
	Events      []string `name:"event" required:"" placeholder:"TYPE" help:"Type of event to send, such as run.completed; repeat for more."`
	Description string   `placeholder:"TEXT" help:"What the endpoint is for."`
}

// Help returns examples.
func (WebhooksCreateCmd) Help() string {
	return `The secret that deliveries are signed with is printed once, and cannot be shown again. Types of events: run.completed, run.blocked, access.changed, connection.created, connection.updated, connection.deleted, connection.tested, connection.health_changed, connection.schedule_paused, connection.schedule_resumed.

    gatehouse webhooks create https://hooks.example.com/gatehouse --event run.completed --event access.changed > webhook.secret`
}

// Run makes an endpoint.
func (cmd *WebhooksCreateCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	a, err := c.CreateWebhook(ctx, client.WebhookDraft{URL: cmd.URL, Description: cmd.Description, EventTypes: cmd.Events})
	if err != nil {
		return err
	}
	return e.printWebhookSecret(cmd.Remote, a, "is made. Its secret, shown this once:")
}

// printWebhookSecret prints the secret alone to standard output, so that it can go
// into a file.
func (e *environment) printWebhookSecret(r Remote, a client.Answer[client.WebhookWithSecret], what string) error {
	if r.json() {
		return e.printJSON(a.Raw)
	}
	fmt.Fprintf(e.Err, "%s %s\n", a.Value.WebhookID, what)
	_, err := fmt.Fprintln(e.Out, a.Value.Secret)
	return err
}

// WebhooksUpdateCmd is `gatehouse webhooks update`.
type WebhooksUpdateCmd struct {
	Remote
	Webhook     string   `arg:"" help:"Id of the webhook, such as wh_3."`
	URL         *string  `name:"set-url" placeholder:"URL" help:"Another address."`
	Events      []string `name:"event" placeholder:"TYPE" help:"The types of events to send from now on; repeat for more."`
	Description *string  `placeholder:"TEXT" help:"Another description."`
	Enable      bool     `xor:"state" help:"Switch it on, and forget its failures."`
	Disable     bool     `xor:"state" help:"Switch it off; what waits for it fails."`
}

// Help returns examples.
func (WebhooksUpdateCmd) Help() string {
	return `What is not named stays as it is. Another address is --set-url, because --url is that of the server. Once a webhook that was switched off is enabled, replay what it missed.

    gatehouse webhooks update wh_3 --enable
    gatehouse webhooks update wh_3 --set-url https://hooks.example.com/gatehouse/2
    gatehouse webhooks update wh_3 --event run.completed --event run.blocked`
}

// Run changes an endpoint.
func (cmd *WebhooksUpdateCmd) Run(ctx context.Context, e *environment) error {
	p := client.WebhookPatch{URL: cmd.URL, Description: cmd.Description}
	if len(cmd.Events) > 0 {
		p.EventTypes = &cmd.Events
	}
	if cmd.Enable || cmd.Disable {
		p.Enabled = &cmd.Enable
	}
	if p == (client.WebhookPatch{}) {
		return usagef("nothing to change is named; see gatehouse webhooks update --help")
	}
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	a, err := c.UpdateWebhook(ctx, cmd.Webhook, p)
	if err != nil {
		return err
	}
	return e.printWebhook(cmd.Remote, a)
}

// WebhooksDeleteCmd is `gatehouse webhooks delete`.
type WebhooksDeleteCmd struct {
	Remote
	Webhook string `arg:"" help:"Id of the webhook, such as wh_3."`
}

// Help returns examples.
func (WebhooksDeleteCmd) Help() string {
	return "Its secrets and its deliveries go with it.\n\n    gatehouse webhooks delete wh_3"
}

// Run deletes an endpoint.
func (cmd *WebhooksDeleteCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	if err := c.DeleteWebhook(ctx, cmd.Webhook); err != nil {
		return err
	}
	fmt.Fprintf(e.Err, "%s is deleted.\n", cmd.Webhook)
	return nil
}

// WebhooksRotateSecretCmd is `gatehouse webhooks rotate-secret`.
type WebhooksRotateSecretCmd struct {
	Remote
	Webhook string `arg:"" help:"Id of the webhook, such as wh_3."`
}

// Help returns examples.
func (WebhooksRotateSecretCmd) Help() string {
	return `The new secret is printed once. For 24 hours deliveries carry signatures of both, so the receiver can change over in that time.

    gatehouse webhooks rotate-secret wh_3 > webhook.secret`
}

// Run rotates a secret.
func (cmd *WebhooksRotateSecretCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	a, err := c.RotateWebhookSecret(ctx, cmd.Webhook)
	if err != nil {
		return err
	}
	return e.printWebhookSecret(cmd.Remote, a, "has another secret, shown this once; the former one is good for 24 hours:")
}
