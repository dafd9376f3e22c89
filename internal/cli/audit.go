package cli

import (
	"context"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
	"github.com/gatehouse-project/gatehouse/internal/fault"
)

// AuditCmd is `gatehouse audit`.
type AuditCmd struct {
	List       AuditListCmd       `cmd:"" default:"withargs" help:"List audit events, newest first."`
	Export     AuditExportCmd     `cmd:"" help:"Write sealed events as OCSF in CloudEvents, one a line."`
	Verify     AuditVerifyCmd     `cmd:"" help:"Check that no event was changed, removed or added behind the log's back."`
	Checkpoint AuditCheckpointCmd `cmd:"" help:"Print the log's last signed checkpoint, to keep elsewhere."`
	Key        AuditKeyCmd        `cmd:"" help:"Print the public key of the log's signatures, to keep elsewhere."`
}

// auditFilter is the flags that narrow events; list and export have them.
type auditFilter struct {
	Action     string `placeholder:"ACTION" complete:"actions" help:"Only this action, such as connection_created."`
	Actor      string `placeholder:"ID" help:"Only what this member, worker or part of the system did, such as mem_1."`
	Outcome    string `enum:",succeeded,failed,denied" default:"" placeholder:"OUTCOME" help:"Only this outcome: succeeded, failed or denied."`
	TargetType string `placeholder:"TYPE" complete:"target_types" help:"Only events about this sort of thing, such as connection."`
	TargetID   string `placeholder:"ID" help:"Only events about this, such as conn_12."`
	Since      string `placeholder:"WHEN" help:"Only from this moment on: 2026-01-31, 2026-01-31T08:00:00Z, or how long ago, as 90m, 24h or 7d."`
	Until      string `placeholder:"WHEN" help:"Only before this moment."`
}

func (f auditFilter) filter(now time.Time) (client.AuditFilter, error) {
	c := client.AuditFilter{Action: f.Action, Outcome: f.Outcome, TargetType: f.TargetType, TargetID: f.TargetID, Actor: f.Actor}
	var err error
	if c.Since, err = parseMoment("--since", f.Since, now); err != nil {
		return c, err
	}
	if c.Until, err = parseMoment("--until", f.Until, now); err != nil {
		return c, err
	}
	check := audit.Filter{Action: audit.Action(f.Action), TargetType: f.TargetType}
	if c.Since != nil && c.Until != nil {
		check.Since, check.Until = *c.Since, *c.Until
	}
	return c, checkAuditFilter(check)
}

// checkAuditFilter says here what the server would say, in terms of the flags.
func checkAuditFilter(f audit.Filter) error {
	refused, wrong := fault.As(f.Check())
	if !wrong {
		return nil
	}
	said := make([]string, len(refused.Fields))
	for i, field := range refused.Fields {
		said[i] = "--" + strings.ReplaceAll(strings.TrimPrefix(field.Path, "query."), "_", "-") + ": " + field.Message
	}
	return usagef("%s", strings.Join(said, "; "))
}

// AuditListCmd is `gatehouse audit list`.
type AuditListCmd struct {
	Remote
	Paging
	auditFilter
}

// Help returns examples.
func (AuditListCmd) Help() string {
	return `Shows the newest events first; payloads are in the JSON. Filters can be combined.

    gatehouse audit list --action connection_created
    gatehouse audit list --target-id conn_12 --all -o json
    gatehouse audit list --outcome denied --since 24h`
}

// Run lists audit events.
func (cmd *AuditListCmd) Run(ctx context.Context, e *environment) error {
	f, err := cmd.filter(time.Now())
	if err != nil {
		return err
	}
	c, pages, err := open(e, &cmd.Remote, cmd.Paging)
	if err != nil {
		return err
	}
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
