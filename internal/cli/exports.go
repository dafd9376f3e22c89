package cli

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/cli/output"
	"github.com/gatehouse-project/gatehouse/internal/client"
)

// ExportsCmd is `gatehouse exports`.
type ExportsCmd struct {
	List     ExportsListCmd     `cmd:"" default:"withargs" help:"List exports."`
	Show     ExportsShowCmd     `cmd:"" help:"Show one export, or its manifest."`
	Create   ExportsCreateCmd   `cmd:"" help:"Take data out of the access graph."`
	Download ExportsDownloadCmd `cmd:"" help:"Download an export's file, or the rest of it."`
	Cancel   ExportsCancelCmd   `cmd:"" help:"Cancel an export."`
	Delete   ExportsDeleteCmd   `cmd:"" help:"Delete an export and its file."`
}

// ExportsListCmd is `gatehouse exports list`.
type ExportsListCmd struct {
	Remote
	Paging
	Status string `enum:"queued,running,completed,failed,cancelled," default:"" placeholder:"STATUS" help:"Only exports with this status: queued, running, completed, failed or cancelled."`
	Mine   bool   `help:"Only exports that you requested."`
}

// Help returns examples.
func (ExportsListCmd) Help() string {
	return "The newest first.\n\n    gatehouse exports list --mine"
}

// Run lists exports.
func (cmd *ExportsListCmd) Run(ctx context.Context, e *environment) error {
	c, pages, err := open(e, &cmd.Remote, cmd.Paging)
	if err != nil {
		return err
	}
	l, err := c.Exports(ctx, cmd.Status, cmd.Mine, pages)
	if err != nil {
		return err
	}
	t := output.Table{Header: []string{"Export", "What", "Format", "Status", "Rows", "Size", "Requested"}, Empty: "There are no exports."}
	return printList(e, cmd.Remote, l, t, func(x client.Export) []string {
		return []string{x.ExportID, x.Query.What, x.Query.Format, x.Status, fmt.Sprint(x.Rows), size(x.Bytes), output.Time(&x.CreatedAt)}
	})
}

// size is a number of bytes for people.
func size(bytes int64) string {
	switch {
	case bytes >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(bytes)/(1<<30))
	case bytes >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
	case bytes >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(bytes)/(1<<10))
	}
	return fmt.Sprintf("%d B", bytes)
}

// exportArg names an export.
type exportArg struct {
	Export string `arg:"" help:"Id of the export, such as exp_3."`
}

// ExportsShowCmd is `gatehouse exports show`.
type ExportsShowCmd struct {
	Remote
	exportArg
	Manifest bool `help:"Print the manifest: what the file holds, as of when, and how completely was looked."`
}

// Help returns examples.
func (ExportsShowCmd) Help() string {
	return "Without --manifest, what was asked for and how far it is; with it, what the file holds and rests on.\n\n" +
		"    gatehouse exports show exp_3\n    gatehouse exports show exp_3 --manifest"
}

// Run shows an export.
func (cmd *ExportsShowCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	if cmd.Manifest {
		manifest, err := c.ExportManifest(ctx, cmd.Export)
		if err != nil {
			return err
		}
		return e.printJSON(manifest)
	}
	a, err := c.Export(ctx, cmd.Export)
	if err != nil {
		return err
	}
	return e.printExport(cmd.Remote, a)
}

func (e *environment) printExport(r Remote, a client.Answer[client.Export]) error {
	if r.json() {
		return e.printJSON(a.Raw)
	}
	x := a.Value
	return output.Fields(e.Out, []output.Field{
		{Name: "Export", Value: x.ExportID},
		{Name: "What", Value: x.Query.What},
		{Name: "Format", Value: x.Query.Format},
		{Name: "As of", Value: x.Query.AsOf},
		{Name: "Status", Value: x.Status},
		{Name: "Why", Value: x.Failure},
		{Name: "Rows", Value: fmt.Sprint(x.Rows)},
		{Name: "Size", Value: size(x.Bytes)},
		{Name: "SHA-256", Value: orEmpty(x.SHA256)},
		{Name: "Requested", Value: output.Time(&x.CreatedAt)},
		{Name: "Requested by", Value: x.RequestedBy},
		{Name: "Ended", Value: orNoTime(x.EndedAt)},
		{Name: "Kept until", Value: orNoTime(x.ExpiresAt)},
	})
}

// exportQuery is the flags and arguments that say what to export.
type exportQuery struct {
	dating
	What       string   `arg:"" enum:"entities,relationships,graph,who-can,what-can,why,changes,identities" help:"entities, relationships, graph, changes or identities; or an answer: who-can, what-can, why."`
	About      []string `arg:"" optional:"" help:"What the answer is about, as in gatehouse access: a resource, a principal, or for why both; of changes, an entity or nothing."`
	Kind       string   `placeholder:"KIND" help:"Only entities, relationships or changes of this kind."`
	Type       string   `placeholder:"TYPE" help:"Only entities, or rows of an answer, of this type, the provider's own term."`
	Connection string   `placeholder:"NAME" complete:"connections" help:"Only what this connection read: its id or name."`
	Action     string   `placeholder:"ACTION" help:"Of answers: only access to do this, such as s3:GetObject."`
	From       string   `placeholder:"WHEN" help:"Of changes: those after this moment, written as that of --as-of, up to which they are told. Without it, what the last publication of each connection changed."`
	Of         string   `name:"run" placeholder:"RUN" help:"Of changes: only what this run changed, as run_12."`
	Access     string   `enum:"direct,inherited," default:"" placeholder:"HOW" help:"Of answers: only access held so, direct or inherited."`
}

// query looks up what is named.
func (q exportQuery) query(ctx context.Context, c *client.Client, format string) (client.ExportQuery, error) {
	asOf, err := q.moment()
	if err != nil {
		return client.ExportQuery{}, err
	}
	found := client.ExportQuery{
		What: strings.ReplaceAll(q.What, "-", "_"), Format: format, Kind: q.Kind, Type: q.Type, Action: q.Action, Access: q.Access, AsOf: asOf,
		RunID: q.Of,
	}
	if found.Since, err = momentOf("--from", q.From); err != nil {
		return found, err
	}
	if q.Connection != "" {
		if found.ConnectionID, err = connectionID(ctx, c, q.Connection); err != nil {
			return found, err
		}
	}
	return found, q.name(ctx, c, &found)
}

// name finds the entities that an answer is about.
func (q exportQuery) name(ctx context.Context, c *client.Client, found *client.ExportQuery) error {
	holders, reached := []string{"Principal", "Account", "Entitlement"}, []string{"Resource", "Entitlement", "Account"}
	type place struct {
		into  *string
		kinds []string
	}
	var places []place
	switch q.What {
	case "who-can":
		places = []place{{&found.ResourceID, reached}}
	case "what-can":
		places = []place{{&found.PrincipalID, holders}}
	case "why":
		places = []place{{&found.From, holders}, {&found.To, reached}}
	case "changes":
		return q.nameChanged(ctx, c, found)
	}
	if len(q.About) != len(places) {
		return usagef("%s is about %d things; %d are named", q.What, len(places), len(q.About))
	}
	for i, p := range places {
		entity, err := findEntityAt(ctx, c, found.AsOf, q.About[i], p.kinds...)
		if err != nil {
			return err
		}
		*p.into = entity.EntityID
	}
	return nil
}

// nameChanged finds what changes are told of. An id is taken as it is, since what
// it names may have left the graph.
func (q exportQuery) nameChanged(ctx context.Context, c *client.Client, found *client.ExportQuery) error {
	switch {
	case len(q.About) > 1:
		return usagef("changes are about one thing, or all; %d are named", len(q.About))
	case len(q.About) == 1 && strings.HasPrefix(q.About[0], "ent_"):
		found.SubjectID = q.About[0]
	case len(q.About) == 1:
		entity, err := findEntityAt(ctx, c, found.AsOf, q.About[0])
		if err != nil {
			return err
		}
		found.SubjectID = entity.EntityID
	}
	return nil
}

// ExportsCreateCmd is `gatehouse exports create`.
type ExportsCreateCmd struct {
	Remote
	exportQuery
	Format string `enum:"csv,jsonl,parquet,opengraph,evidence" default:"csv" placeholder:"FORMAT" help:"csv, jsonl or parquet for tables and answers, opengraph for BloodHound, evidence for gatehouse evidence (${default})."`
	To     string `type:"path" complete:"files" placeholder:"PATH" help:"Wait, and download to this file."`
	Watch  bool   `help:"Wait until the file is made, showing progress."`
}

// Help returns examples.
func (ExportsCreateCmd) Help() string {
	return `The file is made by the server, in the background, and kept for some days. In CSV, a text that a spreadsheet would take for a formula has an apostrophe before it.

    gatehouse exports create entities --kind Account --format parquet --to accounts.parquet
    gatehouse exports create graph --format opengraph --to graph.json
    gatehouse exports create who-can payroll --as-of 30d --watch
    gatehouse exports create changes --from 30d --kind account_assigned_entitlement --to changes.csv
    gatehouse exports create identities --format jsonl --to identities.jsonl`
}

// Run requests an export.
func (cmd *ExportsCreateCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	query, err := cmd.query(ctx, c, cmd.Format)
	if err != nil {
		return err
	}
	a, err := c.CreateExport(ctx, query, rand.Text())
	if err != nil {
		return err
	}
	if cmd.Watch || cmd.To != "" {
		if a, err = e.awaitExport(ctx, c, a.Value.ExportID); err != nil {
			return err
		}
	}
	if cmd.To != "" {
		if err := e.download(ctx, c, a.Value, cmd.To); err != nil {
			return err
		}
	}
	return e.printExport(cmd.Remote, a)
}

// ExportsCancelCmd is `gatehouse exports cancel`.
type ExportsCancelCmd struct {
	Remote
	exportArg
}

// Help returns examples.
func (ExportsCancelCmd) Help() string {
	return "What was written of the file is thrown away.\n\n    gatehouse exports cancel exp_3"
}

// Run cancels an export.
func (cmd *ExportsCancelCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	a, err := c.CancelExport(ctx, cmd.Export)
	if err != nil {
		return err
	}
	return e.printExport(cmd.Remote, a)
}

// ExportsDeleteCmd is `gatehouse exports delete`.
type ExportsDeleteCmd struct {
	Remote
	exportArg
	Yes bool `short:"y" help:"Do not ask."`
}

// Help returns examples.
func (ExportsDeleteCmd) Help() string {
	return "Files that were downloaded stay, and so does what the audit record says.\n\n    gatehouse exports delete exp_3 --yes"
}

// Run deletes an export.
func (cmd *ExportsDeleteCmd) Run(ctx context.Context, e *environment) error {
	c, err := cmd.client(e.services.Version)
	if err != nil {
		return err
	}
	if err := e.confirm(ctx, cmd.Yes, fmt.Sprintf("Delete %s and its file?", cmd.Export)); err != nil {
		return err
	}
	if err := c.DeleteExport(ctx, cmd.Export); err != nil {
		return err
	}
	fmt.Fprintf(e.Err, "%s is deleted.\n", output.Clean(cmd.Export))
	return nil
}
