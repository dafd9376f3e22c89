package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// RunsCmd is `gatehouse runs`.
type RunsCmd struct {
	List   RunsListCmd   `cmd:"" default:"withargs" help:"List runs, newest first."`
	Start  RunsStartCmd  `cmd:"" help:"Start an operation, such as discovery.run."`
	Show   RunsShowCmd   `cmd:"" help:"Show one run."`
	Watch  RunsWatchCmd  `cmd:"" help:"Follow a run until it ends."`
	Cancel RunsCancelCmd `cmd:"" help:"Ask a run to end."`
}

// runArg is the run a command is about.
type runArg struct {
	ID string `arg:"" name:"run" complete:"runs" help:"Id of the run, such as run_12."`
}

// RunsListCmd is `gatehouse runs list`.
type RunsListCmd struct {
	Remote
	Paging
	Connection string `placeholder:"CONNECTION" complete:"connections" help:"Only runs of this connection (id or name)."`
	Operation  string `placeholder:"TYPE" complete:"operations" help:"Only runs of this operation, such as discovery.run."`
	Status     string `placeholder:"STATUS" enum:"queued,running,completed," default:"" help:"Only runs with this status: queued, running or completed."`
	Outcome    string `placeholder:"OUTCOME" enum:"pending,succeeded,partially_succeeded,failed,cancelled,blocked," default:"" help:"Only runs that ended so: succeeded, partially_succeeded, failed, cancelled or blocked."`
}

// Help returns examples.
func (RunsListCmd) Help() string {
	return `Shows each run with how it ended and why.

    gatehouse runs list --connection "Prod AWS" --limit 10
    gatehouse runs list --outcome failed`
}

// Run lists runs.
func (cmd *RunsListCmd) Run(ctx context.Context, e *environment) error {
	c, pages, err := open(e, &cmd.Remote, cmd.Paging)
	if err != nil {
		return err
	}
	f := client.RunFilter{Operation: cmd.Operation, Status: cmd.Status, Outcome: cmd.Outcome}
	if cmd.Connection != "" {
		if f.Connection, err = connectionID(ctx, c, cmd.Connection); err != nil {
			return err
		}
	}
	l, err := c.Runs(ctx, f, pages)
	if err != nil {
		return err
	}
	t := output.Table{
		Header: []string{"Run", "Operation", "Connection", "Status", "Outcome", "Reason", "Created", "Completed"},
		Empty:  "There are no such runs.",
	}
	return printList(e, cmd.Remote, l, t, func(r client.Run) []string {
		connection := r.ConnectionName
		if connection == "" {
			connection = r.ConnectionID
		}
		return []string{
			r.RunID, r.OperationType, output.OrNone(connection), r.Status, r.Outcome, output.OrNone(r.ReasonCode),
			output.Time(&r.CreatedAt), output.Time(r.CompletedAt),
		}
	})
}

// RunsShowCmd is `gatehouse runs show`.
type RunsShowCmd struct {
	Remote
	runArg
}

// Help returns examples.
func (RunsShowCmd) Help() string {
	return `Shows how a run went: what was read and changed, what was not seen, and what to do next.

    gatehouse runs show run_12`
}

// Run shows one run.
func (cmd *RunsShowCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	a, err := c.Run(ctx, cmd.ID, 0)
	if err != nil {
		return err
	}
	return e.printRun(cmd.Remote, a)
}

func (e *environment) printRun(r Remote, a client.Answer[client.Run]) error {
	if r.json() {
		return e.printJSON(a.Raw)
	}
	run := a.Value
	fields := []output.Field{
		{Name: "Run", Value: run.RunID},
		{Name: "Operation", Value: run.OperationType},
		{Name: "Connection", Value: strings.TrimSpace(run.ConnectionID + " " + run.ConnectionName)},
		{Name: "Status", Value: run.Status},
		{Name: "Outcome", Value: run.Outcome},
		{Name: "Reason", Value: reasonText(run.ShortReason, run.ReasonCode)},
		{Name: "Explanation", Value: run.Explanation},
		{Name: "Created", Value: output.Time(&run.CreatedAt)},
		{Name: "Started", Value: output.Time(run.StartedAt)},
		{Name: "Completed", Value: output.Time(run.CompletedAt)},
	}
	if run.Status == "running" {
		fields = append(fields, output.Field{Name: "Progress", Value: progressText(run)})
	}
	if run.CancelRequestedAt != nil && run.Status != "completed" {
		fields = append(fields, output.Field{Name: "Cancel asked", Value: output.Time(run.CancelRequestedAt) + "; it ends at its next step"})
	}
	if run.RerunRequested {
		fields = append(fields, output.Field{Name: "Afterwards", Value: "one more run, which was asked for while this one was under way"})
	}
	if f := run.FailureSummary; f != nil {
		fields = append(fields, output.Field{Name: "Failure", Value: f.Message})
		for _, detail := range f.Details {
			fields = append(fields, output.Field{Name: "Detail", Value: detail})
		}
	}
	if err := output.Fields(e.Out, fields); err != nil {
		return err
	}
	if err := e.printCounts(run.SummaryCounts); err != nil {
		return err
	}
	if err := e.printGaps(run.Coverage); err != nil {
		return err
	}
	return e.printNextSteps(run.NextSteps)
}

func reasonText(short, code string) string {
	switch "" {
	case short:
		return code
	case code:
		return short
	}
	return fmt.Sprintf("%s (%s)", short, code)
}

func (e *environment) printCounts(counts map[string]int64) error {
	if len(counts) == 0 {
		return nil
	}
	t := output.Table{Header: []string{"Count", "Number"}}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		t.Rows = append(t.Rows, []string{strings.ReplaceAll(name, "_", " "), fmt.Sprint(counts[name])})
	}
	fmt.Fprintln(e.Out)
	return t.Write(e.Out, e.width())
}

// printGaps lists what was not read completely.
func (e *environment) printGaps(coverage []client.Coverage) error {
	t := output.Table{Header: []string{"Not seen completely", "Part", "Coverage", "Reason", "Message"}}
	for _, row := range coverage {
		if row.Coverage != "complete" {
			t.Rows = append(t.Rows, []string{row.Stream, output.OrNone(row.Partition), row.Coverage, output.OrNone(row.ReasonCode), row.Message})
		}
	}
	if len(t.Rows) == 0 {
		return nil
	}
	fmt.Fprintln(e.Out)
	return t.Write(e.Out, e.width())
}

// RunsCancelCmd is `gatehouse runs cancel`.
type RunsCancelCmd struct {
	Remote
	runArg
}

// Help returns examples.
func (RunsCancelCmd) Help() string {
	return `The run ends at its next step; the graph keeps what it had. If the same was
started again while it was under way, that run comes all the same.

    gatehouse runs cancel run_12`
}

// Run cancels a run.
func (cmd *RunsCancelCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	a, err := c.CancelRun(ctx, cmd.ID)
	if err != nil {
		return err
	}
	return e.printRun(cmd.Remote, a)
}
