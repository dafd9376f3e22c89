package export

import (
	"encoding/hex"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/api/entity"
	domain "github.com/gatehouse-project/gatehouse/internal/export"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
)

// Query says what an export holds.
type Query struct {
	What         string        `json:"what" enum:"entities,relationships,graph,who_can,what_can,why,changes,identities" doc:"Entities and relationships are tables, graph is both in one file; who_can, what_can and why are the whole answers of the questions about access; changes is what publications changed, up to as_of, and identities a table of principals with the identity that each belongs to."`
	Format       string        `json:"format" enum:"csv,jsonl,parquet,opengraph,evidence" doc:"csv, jsonl and parquet hold tables and answers, opengraph the graph and answers, evidence an answer with every edge behind it."`
	Kind         string        `json:"kind,omitempty" maxLength:"64" doc:"Of entities, relationships or changes: only those of this kind." example:"Account"`
	Type         string        `json:"type,omitempty" maxLength:"256" doc:"Only entities of this type, the provider's own term; of answers, only accounts (who_can) or resources (what_can)." example:"iam_role"`
	ConnectionID id.Connection `json:"connection_id,omitempty" doc:"Only what this connection read."`
	Provider     string        `json:"provider,omitempty" maxLength:"64" doc:"Of answers: only access found through this integration." example:"aws"`
	Action       string        `json:"action,omitempty" maxLength:"256" doc:"Of answers: only grants that speak of this action of the provider, without wildcards." example:"s3:GetObject"`
	Access       string        `json:"access,omitempty" enum:"direct,inherited" doc:"Of answers: only access held so."`
	ResourceID   string        `json:"resource_id,omitempty" pattern:"^ent_[0-9a-f]{32}$" doc:"The resource of who_can."`
	PrincipalID  string        `json:"principal_id,omitempty" pattern:"^ent_[0-9a-f]{32}$" doc:"The principal or account of what_can."`
	From         string        `json:"from,omitempty" pattern:"^ent_[0-9a-f]{32}$" doc:"Where the ways of why begin."`
	To           string        `json:"to,omitempty" pattern:"^ent_[0-9a-f]{32}$" doc:"Where the ways of why end."`
	Since        string        `json:"since,omitempty" maxLength:"64" doc:"Of changes: those after this moment, a time or a run. Without it and run_id, what the last publication of each connection changed." example:"2026-01-01T00:00:00Z"`
	RunID        id.Run        `json:"run_id,omitempty" doc:"Of changes: only what this run changed; goes without since."`
	SubjectID    string        `json:"subject_id,omitempty" pattern:"^ent_[0-9a-f]{32}$" doc:"Of changes: only this entity, which may have left the graph, and the relationships at it; of a principal, also those at its accounts."`
	AsOf         string        `json:"as_of,omitempty" maxLength:"64" doc:"The moment that the export shows: a time that is not in the future, or a run, which stands for when what it read became visible. When left out, the moment at which its making begins." example:"2026-01-31T08:00:00Z"`
}

func (q Query) domain() (domain.Query, error) {
	found := domain.Query{
		Subject: domain.Subject(q.What), Format: domain.Format(q.Format), Kind: q.Kind, Type: q.Type, Connection: q.ConnectionID,
		Integration: integration.ID(q.Provider), Action: q.Action, Access: graph.AccessKind(q.Access), Run: q.RunID,
	}
	for _, e := range []struct {
		name, text string
		into       *graph.EntityID
	}{
		{"resource_id", q.ResourceID, &found.Resource},
		{"principal_id", q.PrincipalID, &found.Principal},
		{"from", q.From, &found.From},
		{"to", q.To, &found.To},
		{"subject_id", q.SubjectID, &found.About},
	} {
		if e.text == "" {
			continue
		}
		if err := e.into.UnmarshalText([]byte(e.text)); err != nil {
			return found, fault.InvalidField(e.name, "%s", err.Error())
		}
	}
	var err error
	if found.AsOf, found.AsOfRun, err = moment("as_of", q.AsOf); err == nil {
		found.Since, found.SinceRun, err = moment("since", q.Since)
	}
	return found, err
}

// moment reads a time or a run; nothing gives neither.
func moment(field, text string) (time.Time, id.Run, error) {
	if text == "" {
		return time.Time{}, 0, nil
	}
	var at entity.QueryMoment
	if err := at.UnmarshalText([]byte(text)); err != nil {
		return time.Time{}, 0, fault.InvalidField(field, "%s", err.Error())
	}
	return at.At.UTC(), at.Run, nil
}

// momentText is what moment reads.
func momentText(at time.Time, run id.Run) string {
	switch {
	case run != 0:
		return run.String()
	case at.IsZero():
		return ""
	}
	return at.UTC().Format(time.RFC3339Nano)
}

func fromQuery(q domain.Query) Query {
	return Query{
		AsOf: momentText(q.AsOf, q.AsOfRun), Since: momentText(q.Since, q.SinceRun), RunID: q.Run, SubjectID: text(q.About),
		What: string(q.Subject), Format: string(q.Format), Kind: q.Kind, Type: q.Type, ConnectionID: q.Connection, Provider: string(q.Integration),
		Action: q.Action, Access: string(q.Access), ResourceID: text(q.Resource), PrincipalID: text(q.Principal), From: text(q.From), To: text(q.To),
	}
}

func text(e graph.EntityID) string {
	if e == (graph.EntityID{}) {
		return ""
	}
	return e.String()
}

// Export is an export as the API shows it.
type Export struct {
	ExportID    id.Export  `json:"export_id" example:"exp_123"`
	RequestedBy id.Member  `json:"requested_by" example:"mem_123"`
	Query       Query      `json:"query"`
	Status      string     `json:"status" enum:"queued,running,completed,failed,cancelled"`
	Rows        int64      `json:"rows" doc:"How many were written up to now; of graphs, nodes and edges."`
	Bytes       int64      `json:"bytes" doc:"How many were written up to now."`
	SHA256      *string    `json:"sha256" doc:"Of the whole file, in hexadecimal; null until it is completed."`
	FileName    string     `json:"file_name" example:"gatehouse-exp_123-entities.csv"`
	MediaType   string     `json:"media_type" example:"text/csv; charset=utf-8; header=present"`
	Failure     string     `json:"failure,omitempty" doc:"Why there is no file."`
	CreatedAt   time.Time  `json:"created_at"`
	StartedAt   *time.Time `json:"started_at"`
	EndedAt     *time.Time `json:"ended_at"`
	ExpiresAt   *time.Time `json:"expires_at" doc:"When the export and its file are removed; null until it has ended."`
}

func fromDomain(x domain.Export) Export {
	shown := Export{
		ExportID: x.ID, RequestedBy: x.RequestedBy, Query: fromQuery(x.Query), Status: string(x.Status), Rows: x.Rows, Bytes: x.Bytes,
		FileName: fileName(x), MediaType: x.Query.Format.MediaType(), Failure: x.Failure,
		CreatedAt: x.CreatedAt.UTC(), StartedAt: api.UTC(x.StartedAt), EndedAt: api.UTC(x.EndedAt), ExpiresAt: api.UTC(x.ExpiresAt),
	}
	if x.SHA256 != nil {
		sum := hex.EncodeToString(x.SHA256)
		shown.SHA256 = &sum
	}
	return shown
}

// fileName has no character that would need quoting in a header.
func fileName(x domain.Export) string {
	name := "gatehouse-" + x.ID.String() + "-" + string(x.Query.Subject)
	if x.Query.Format == domain.Evidence {
		name += "-evidence"
	}
	return name + x.Query.Format.Extension()
}

// List is a page of exports.
type List struct {
	Exports    []Export `json:"exports" nullable:"false"`
	NextCursor string   `json:"next_cursor,omitempty"`
}

type createInput struct {
	api.Again
	Body Query
}

type createdOutput struct {
	Location string `header:"Location"`
	api.Replayed
	Body Export
}

type listInput struct {
	api.Page
	Status string `query:"status" enum:"queued,running,completed,failed,cancelled" doc:"Only exports with this status."`
	Mine   bool   `query:"mine" doc:"Only exports that the caller requested."`
}

type listOutput struct{ Body List }

type oneInput struct {
	ExportID api.PathID[id.Export] `path:"export_id"`
}

type oneOutput struct{ Body Export }
