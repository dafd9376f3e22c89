package cli

import (
	"context"
	"fmt"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// InboxCmd is `gatehouse inbox`.
type InboxCmd struct {
	List InboxListCmd `cmd:"" default:"withargs" help:"List what you were told."`
	Read InboxReadCmd `cmd:"" help:"Mark notifications as read."`
}

// InboxListCmd is `gatehouse inbox list`.
type InboxListCmd struct {
	Remote
	Paging
	Unread bool `help:"Only what has not been read."`
}

// Help returns examples.
func (InboxListCmd) Help() string {
	return `You are told when a run that you started has ended; admins, also when a webhook was switched off or failures have paused a schedule. The newest come first, and are kept for 90 days.

    gatehouse inbox
    gatehouse inbox --unread -o json`
}

// Run lists notifications.
func (cmd *InboxListCmd) Run(ctx context.Context, e *environment) error {
	c, pages, err := open(e, &cmd.Remote, cmd.Paging)
	if err != nil {
		return err
	}
	l, err := c.Notifications(ctx, cmd.Unread, pages)
	if err != nil {
		return err
	}
	t := output.Table{Header: []string{"Notification", "When", "Read", "What", "Run"}, Empty: "There is nothing in your inbox."}
	return printList(e, cmd.Remote, l, t, func(n client.Notification) []string {
		read := "no"
		if n.ReadAt != nil {
			read = "yes"
		}
		return []string{n.NotificationID, output.Time(&n.CreatedAt), read, n.Title, output.OrNone(orEmpty(n.RunID))}
	})
}

// InboxReadCmd is `gatehouse inbox read`.
type InboxReadCmd struct {
	Remote
	Notification string `arg:"" optional:"" help:"Id of a notification, such as ntf_3."`
	All          bool   `help:"Mark everything as read."`
}

// Help returns examples.
func (InboxReadCmd) Help() string {
	return `Shows the notification, and marks it as read.

    gatehouse inbox read ntf_3
    gatehouse inbox read --all`
}

// Run marks notifications as read.
func (cmd *InboxReadCmd) Run(ctx context.Context, e *environment) error {
	if (cmd.Notification == "") != cmd.All {
		return usagef("name one notification, or all of them with --all")
	}
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	if cmd.All {
		a, err := c.ReadAllNotifications(ctx)
		if err != nil {
			return err
		}
		if cmd.json() {
			return e.printJSON(a.Raw)
		}
		fmt.Fprintf(e.Err, "%d marked as read.\n", a.Value.Read)
		return nil
	}
	a, err := c.ReadNotification(ctx, cmd.Notification)
	if err != nil {
		return err
	}
	if cmd.json() {
		return e.printJSON(a.Raw)
	}
	n := a.Value
	return output.Fields(e.Out, []output.Field{
		{Name: "Notification", Value: n.NotificationID},
		{Name: "When", Value: output.Time(&n.CreatedAt)},
		{Name: "What", Value: n.Title},
		{Name: "More", Value: n.Message},
		{Name: "Run", Value: orEmpty(n.RunID)},
		{Name: "Webhook", Value: orEmpty(n.WebhookID)},
	})
}
