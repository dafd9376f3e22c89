package cli

import (
	"context"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// AuditCmd is `gatehouse audit`.
type AuditCmd struct {
	List AuditListCmd `cmd:"" default:"withargs" help:"List audit events, newest first."`
}

// AuditListCmd is `gatehouse audit list`.
type AuditListCmd struct {
	Remote
	Paging
	Action     string `placeholder:"ACTION" help:"Only this action, such as connection_created."`
	Actor      string `placeholder:"ID" help:"Only what this member did, such as mem_1."`
	TargetType string `placeholder:"TYPE" help:"Only events about this sort of thing, such as connection."`
	TargetID   string `placeholder:"ID" help:"Only events about this, such as conn_12."`
}

// Help returns examples.
func (AuditListCmd) Help() string {
	return `Shows the newest events first; payloads are in the JSON.

    gatehouse audit list --action connection_created
    gatehouse audit list --target-id conn_12 --all -o json`
}

// Run lists audit events.
func (cmd *AuditListCmd) Run(ctx context.Context, e *environment) error {
	c, pages, err := open(e, &cmd.Remote, cmd.Paging)
	if err != nil {
		return err
	}
	f := client.AuditFilter{Action: cmd.Action, Actor: cmd.Actor, TargetType: cmd.TargetType, TargetID: cmd.TargetID}
	l, err := c.AuditEvents(ctx, f, pages)
	if err != nil {
		return err
	}
	t := output.Table{Header: []string{"Event", "At", "Actor", "Action", "Outcome", "Target", "Details"}, Empty: "There are no such events."}
	return printList(e, cmd.Remote, l, t, func(a client.AuditEvent) []string {
		details := string(a.Payload)
		if details == "{}" || details == "null" {
			details = ""
		}
		return []string{a.EventID, output.Time(&a.CreatedAt), a.ActorID, a.Action, a.Outcome, output.OrNone(a.TargetID), details}
	})
}
