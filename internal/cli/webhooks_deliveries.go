package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/internal/webhook"
)

// WebhooksTestCmd is `gatehouse webhooks test`.
type WebhooksTestCmd struct {
	Remote
	Webhook string `arg:"" help:"Id of the webhook, such as wh_3."`
}

// Help returns examples.
func (WebhooksTestCmd) Help() string {
	return `Sends webhook.ping in a moment; the deliveries tell how that went.

    gatehouse webhooks test wh_3
    gatehouse webhooks deliveries wh_3 --limit 1`
}

// Run tries an endpoint.
func (cmd *WebhooksTestCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	a, err := c.TestWebhook(ctx, cmd.Webhook)
	if err != nil {
		return err
	}
	if cmd.json() {
		return e.printJSON(a.Raw)
	}
	fmt.Fprintf(e.Err, "%s is on its way; see: gatehouse webhooks deliveries %s\n", a.Value.DeliveryID, cmd.Webhook)
	return nil
}

// WebhooksDeliveriesCmd is `gatehouse webhooks deliveries`.
type WebhooksDeliveriesCmd struct {
	Remote
	Paging
	Webhook string `arg:"" help:"Id of the webhook, such as wh_3."`
	Status  string `enum:",pending,succeeded,failed" default:"" placeholder:"STATUS" help:"Only pending, succeeded or failed ones."`
}

// Help returns examples.
func (WebhooksDeliveriesCmd) Help() string {
	return `The newest first, of the last 30 days.

    gatehouse webhooks deliveries wh_3
    gatehouse webhooks deliveries wh_3 --status failed --all -o json`
}

// Run lists deliveries.
func (cmd *WebhooksDeliveriesCmd) Run(ctx context.Context, e *environment) error {
	c, pages, err := open(e, &cmd.Remote, cmd.Paging)
	if err != nil {
		return err
	}
	l, err := c.Deliveries(ctx, cmd.Webhook, cmd.Status, pages)
	if err != nil {
		return err
	}
	t := output.Table{Header: []string{"Delivery", "Event", "When", "Status", "Attempts", "Answer", "Next", "Problem"}, Empty: "Nothing was sent to this webhook."}
	return printList(e, cmd.Remote, l, t, func(d client.Delivery) []string {
		answer := ""
		if d.LastStatus != nil {
			answer = strconv.Itoa(*d.LastStatus)
		}
		return []string{
			d.DeliveryID, d.EventType, output.Time(&d.OccurredAt), d.Status, strconv.Itoa(d.Attempts), output.OrNone(answer), output.Time(d.NextAttemptAt), output.OrNone(orEmpty(d.Problem)),
		}
	})
}

// WebhooksReplayCmd is `gatehouse webhooks replay`.
type WebhooksReplayCmd struct {
	Remote
	Webhook  string `arg:"" help:"Id of the webhook, such as wh_3."`
	Delivery string `arg:"" optional:"" help:"Id of one delivery, such as dlv_9."`
	Since    string `placeholder:"MOMENT" help:"In place of a delivery: all of events since then that failed; 2026-01-31, 2026-01-31T08:00:00Z, or how long ago, such as 24h."`
	Also     bool   `name:"also-succeeded" help:"With --since: those that succeeded, too."`
}

// Help returns examples.
func (WebhooksReplayCmd) Help() string {
	return `Deliveries are made again at once, under the id they had, with their retries from the beginning. A webhook that was switched off has to be enabled first.

    gatehouse webhooks replay wh_3 dlv_9
    gatehouse webhooks replay wh_3 --since 7d`
}

// Run replays deliveries.
func (cmd *WebhooksReplayCmd) Run(ctx context.Context, e *environment) error {
	if (cmd.Delivery == "") == (cmd.Since == "") {
		return usagef("name one delivery, or since when with --since")
	}
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	if cmd.Delivery != "" {
		a, err := c.ReplayDelivery(ctx, cmd.Webhook, cmd.Delivery)
		if err != nil {
			return err
		}
		if cmd.json() {
			return e.printJSON(a.Raw)
		}
		fmt.Fprintf(e.Err, "%s is on its way again.\n", a.Value.DeliveryID)
		return nil
	}
	since, err := parseMoment("--since", cmd.Since, time.Now())
	if err != nil {
		return err
	}
	a, err := c.ReplayWebhook(ctx, cmd.Webhook, client.WebhookReplay{Since: *since, All: cmd.Also})
	if err != nil {
		return err
	}
	if cmd.json() {
		return e.printJSON(a.Raw)
	}
	fmt.Fprintf(e.Err, "%d deliveries are on their way again.\n", a.Value.Deliveries)
	return nil
}

// WebhooksVerifyCmd is `gatehouse webhooks verify`.
type WebhooksVerifyCmd struct {
	SecretFile string        `required:"" type:"path" complete:"files" placeholder:"PATH" help:"File with the secret, whsec_…"`
	ID         string        `name:"id" required:"" placeholder:"ID" help:"The header webhook-id."`
	Timestamp  string        `required:"" placeholder:"SECONDS" help:"The header webhook-timestamp."`
	Signature  string        `required:"" placeholder:"SIGNATURES" help:"The header webhook-signature."`
	Body       string        `arg:"" complete:"files" help:"File with the body exactly as it came; - for standard input."`
	Tolerance  time.Duration `default:"5m" help:"How far the timestamp may be from now (${default})."`
}

// Help returns examples.
func (WebhooksVerifyCmd) Help() string {
	return `For whoever writes a receiver: says whether a delivery is good, and what is wrong with one that is not. Nothing is sent anywhere.

    gatehouse webhooks verify body.json --secret-file webhook.secret --id evt_12 --timestamp 1674087231 --signature "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="`
}

// maxDeliveryBytes is far above any delivery.
const maxDeliveryBytes = 1 << 20

// Run checks a signature.
func (cmd *WebhooksVerifyCmd) Run(_ context.Context, e *environment) error {
	text, err := os.ReadFile(cmd.SecretFile)
	if err != nil {
		return fmt.Errorf("read the secret: %w", err)
	}
	from := e.In
	if cmd.Body != "-" {
		file, err := os.Open(cmd.Body)
		if err != nil {
			return fmt.Errorf("read the body: %w", err)
		}
		defer file.Close()
		from = file
	}
	body, err := io.ReadAll(io.LimitReader(from, maxDeliveryBytes))
	if err != nil {
		return fmt.Errorf("read the body: %w", err)
	}
	if err := webhook.Verify(cmd.ID, cmd.Timestamp, cmd.Signature, body, secret.FromBytes(text), time.Now(), cmd.Tolerance); err != nil {
		return err
	}
	fmt.Fprintln(e.Err, "The signature is good.")
	return nil
}
