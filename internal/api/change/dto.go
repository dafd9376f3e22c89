package change

import (
	"time"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/api/coverage"
	"github.com/gatehouse-project/gatehouse/internal/api/entity"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Change is one difference that one publication made.
type Change struct {
	Change       string                     `json:"change" enum:"added,first_observed,changed,removed,no_longer_observed" doc:"First observed: its part of a stream had never been read completely, so it may have been there before. No longer observed: its part went out of scope, so it may still be there."`
	Of           string                     `json:"of" enum:"entity,relationship,connection" doc:"Connection: the whole of a connection was first observed; its entities are not listed one by one."`
	At           time.Time                  `json:"at" doc:"When it became visible."`
	RunID        id.Run                     `json:"run_id" doc:"The run that saw it." example:"run_123"`
	ConnectionID id.Connection              `json:"connection_id" example:"conn_12"`
	Stream       string                     `json:"stream,omitempty"`
	Partition    string                     `json:"partition,omitempty"`
	Entity       api.Nullable[entity.Ref]   `json:"entity" doc:"As it is after the change, or was before it was removed; null for a relationship."`
	Relationship api.Nullable[Relationship] `json:"relationship" doc:"Null for an entity."`
	Fields       []Field                    `json:"fields" nullable:"false" doc:"What differs, when it was changed."`
}

// Relationship names a relationship.
type Relationship struct {
	Kind   string     `json:"kind" example:"account_assigned_entitlement"`
	From   entity.Ref `json:"from"`
	To     entity.Ref `json:"to"`
	Key    string     `json:"key,omitempty" doc:"Tells apart several between the same two ends."`
	Effect string     `json:"effect" enum:"allow,deny"`
}

// Field is what one field was and is.
type Field struct {
	Field  string    `json:"field" example:"attributes.path" doc:"name, type, identifiers, effect, or a field of terms or attributes."`
	Before api.Value `json:"before" doc:"Null when there was none."`
	After  api.Value `json:"after" doc:"Null when there is none."`
}

// Summary counts what changed over all pages.
type Summary struct {
	Publications  int64  `json:"publications" doc:"How many changed anything."`
	Entities      Counts `json:"entities"`
	Relationships Counts `json:"relationships"`
}

// Counts are the numbers of rows.
type Counts struct {
	New     int64 `json:"new" doc:"Added or first observed, those of a connection's first load included."`
	Changed int64 `json:"changed"`
	Removed int64 `json:"removed" doc:"Removed or no longer observed."`
}

// Changes is a page of changes.
type Changes struct {
	From       *time.Time            `json:"from" doc:"Changes after this moment; null when each connection's last publication was asked for, or one run."`
	To         time.Time             `json:"to"`
	Changes    []Change              `json:"changes" nullable:"false"`
	NextCursor string                `json:"next_cursor,omitempty" doc:"A page may have fewer changes than its limit, even none, while there is a next one."`
	Summary    api.Nullable[Summary] `json:"summary" doc:"Of all kinds, narrowed by connection and run only; null when a subject was asked about."`
	coverage.Basis
}

func show(answer graph.ChangeAnswer) Changes {
	shown := Changes{
		To: answer.To.UTC(), Changes: make([]Change, len(answer.Changes)), NextCursor: cursor(answer.Next),
		Basis: coverage.BasisOf(answer.To, answer.HistoryBegins, false, answer.Coverage).Bounded(answer.MoreCoverage),
	}
	if answer.From != nil {
		from := answer.From.UTC()
		shown.From = &from
	}
	if s := answer.Summary; s != nil {
		shown.Summary.Value = &Summary{Publications: s.Publications, Entities: Counts(s.Entities), Relationships: Counts(s.Relationships)}
	}
	for i := range answer.Changes {
		shown.Changes[i] = showOne(&answer, &answer.Changes[i])
	}
	return shown
}

func showOne(answer *graph.ChangeAnswer, c *graph.Change) Change {
	read := answer.Partitions[c.Partition]
	shown := Change{
		Change: string(c.What), Of: "connection", At: c.At.UTC(), RunID: c.Run, ConnectionID: c.Connection,
		Stream: read.Stream, Partition: read.Partition, Fields: make([]Field, len(c.Fields)),
	}
	if e := c.Entity(); e != nil {
		named := entity.RefTo(*e)
		shown.Of, shown.Entity.Value = "entity", &named
	}
	if r := c.Edge(); r != nil {
		shown.Of, shown.Relationship.Value = "relationship", &Relationship{
			Kind: string(r.Kind), From: refTo(answer, r.From), To: refTo(answer, r.To), Key: r.Key, Effect: string(r.Effect),
		}
	}
	for i, f := range c.Fields {
		shown.Fields[i] = Field{Field: f.Field, Before: api.Value(f.Before), After: api.Value(f.After)}
	}
	return shown
}

func refTo(answer *graph.ChangeAnswer, e graph.EntityID) entity.Ref {
	if found, ok := answer.Entities[e]; ok {
		return entity.RefTo(found)
	}
	return entity.Ref{EntityID: e.String()}
}
