package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// ConnectionsTestsCmd is `gatehouse connections tests`.
type ConnectionsTestsCmd struct {
	Remote
	Paging
	connectionArg
}

// Help returns examples.
func (ConnectionsTestsCmd) Help() string {
	return `Shows what each test found, newest first.

    gatehouse connections tests "Prod AWS" --limit 5`
}

// Run lists tests.
func (cmd *ConnectionsTestsCmd) Run(ctx context.Context, e *environment) error {
	c, pages, err := open(e, &cmd.Remote, cmd.Paging)
	if err != nil {
		return err
	}
	found, err := findConnection(ctx, c, cmd.Connection)
	if err != nil {
		return err
	}
	l, err := c.ConnectionTests(ctx, found.Value.ConnectionID, pages)
	if err != nil {
		return err
	}
	t := output.Table{Header: []string{"Test", "Checked", "Status", "Reason", "To do"}, Empty: "The connection was never tested."}
	return printList(e, cmd.Remote, l, t, func(t client.ConnectionTest) []string {
		var gaps []string
		for _, r := range t.Remediation {
			gaps = append(gaps, r.Message)
		}
		return []string{t.TestID, output.Time(&t.CheckedAt), t.Status, output.OrNone(t.ReasonCode), strings.Join(gaps, "; ")}
	})
}

// ConnectionsTestCmd is `gatehouse connections test`.
type ConnectionsTestCmd struct {
	Remote
	connectionArg
}

// Help returns examples.
func (ConnectionsTestCmd) Help() string {
	return `A worker tries the credentials and every permission that can be tried without changing anything. What is missing is listed with what to do about it. Exits with 5 when the test fails.

    gatehouse connections test "Prod AWS"`
}

// Run tests a connection.
func (cmd *ConnectionsTestCmd) Run(ctx context.Context, e *environment) error {
	c, found, err := cmd.connection(ctx, e, &cmd.Remote)
	if err != nil {
		return err
	}
	if !cmd.json() && e.animated() {
		fmt.Fprintf(e.Err, "Testing %s ...\n", output.Clean(found.Value.Name))
	}
	a, err := c.TestConnection(ctx, found.Value.ConnectionID)
	if err != nil {
		return err
	}
	if err := e.printTest(cmd.Remote, a); err != nil {
		return err
	}
	if a.Value.Status != "success" {
		return &stopped{exitStopped}
	}
	return nil
}

func (e *environment) printTest(r Remote, a client.Answer[client.ConnectionTest]) error {
	if r.json() {
		return e.printJSON(a.Raw)
	}
	err := output.Fields(e.Out, []output.Field{
		{Name: "Result", Value: a.Value.Status}, {Name: "Checked", Value: output.Time(&a.Value.CheckedAt)}, {Name: "Reason", Value: a.Value.ReasonCode},
	})
	if err != nil {
		return err
	}
	return e.printOutlook(a.Value.Remediation, a.Value.Streams)
}

// printOutlook prints what a test found missing, and what a discovery would read;
// nothing of what is empty.
func (e *environment) printOutlook(remediation []client.Remediation, outlook []client.StreamOutlook) error {
	gaps := output.Table{Header: []string{"What", "Found", "To do"}}
	for _, gap := range remediation {
		gaps.Rows = append(gaps.Rows, []string{gap.Category, gap.Message, gap.Action})
	}
	streams := output.Table{Header: []string{"Stream", "Will be read", "Missing permissions"}}
	for _, s := range outlook {
		streams.Rows = append(streams.Rows, []string{s.Stream, s.Coverage, strings.Join(s.Missing, ", ")})
	}
	for _, t := range []output.Table{gaps, streams} {
		if len(t.Rows) == 0 {
			continue
		}
		fmt.Fprintln(e.Out)
		if err := t.Write(e.Out, e.width()); err != nil {
			return err
		}
	}
	return nil
}
