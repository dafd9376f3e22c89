package export

import (
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
)

// Subject is what an export is of.
type Subject string

// The subjects.
const (
	// Entities and Relationships are the graph's nodes and edges as tables.
	Entities      Subject = "entities"
	Relationships Subject = "relationships"
	// Graph is both in one file.
	Graph Subject = "graph"
	// WhoCan, WhatCan and Why are the whole answers of the questions about access.
	WhoCan  Subject = "who_can"
	WhatCan Subject = "what_can"
	Why     Subject = "why"
)

// Format is how a file is written.
type Format string

// The formats.
const (
	CSV       Format = "csv"
	JSONLines Format = "jsonl"
	Parquet   Format = "parquet"
	// OpenGraph is BloodHound's generic graph.
	OpenGraph Format = "opengraph"
	// Evidence is an answer with every edge behind it, for package evidence.
	Evidence Format = "evidence"
)

// formatsOf is the one table of which subject can be had how.
func formatsOf(s Subject) []Format {
	switch s {
	case Entities, Relationships:
		return []Format{CSV, JSONLines, Parquet}
	case Graph:
		return []Format{OpenGraph}
	case WhoCan, WhatCan, Why:
		return []Format{CSV, JSONLines, Parquet, OpenGraph, Evidence}
	}
	return nil
}

// Query says what an export holds. Its JSON form is what is stored. Which fields
// a subject takes is said by [Query.Check]; others must be zero.
type Query struct {
	Subject Subject `json:"what"`
	Format  Format  `json:"format"`
	// Kind is a kind of entity or of relationship.
	Kind        string         `json:"kind,omitzero"`
	Type        string         `json:"type,omitzero"`
	Connection  id.Connection  `json:"connection_id,omitzero"`
	Integration integration.ID `json:"provider,omitzero"`
	Action      string         `json:"action,omitzero"`
	// Access is direct or inherited.
	Access    graph.AccessKind `json:"access,omitzero"`
	Resource  graph.EntityID   `json:"resource_id,omitzero"`
	Principal graph.EntityID   `json:"principal_id,omitzero"`
	From      graph.EntityID   `json:"from,omitzero"`
	To        graph.EntityID   `json:"to,omitzero"`
	// AsOf, or the run whose publication it was, is the moment that the export
	// shows; with neither, that at which its making begins.
	AsOf    time.Time `json:"as_of,omitzero"`
	AsOfRun id.Run    `json:"as_of_run_id,omitzero"`
}

// moment is what the export is of.
func (q *Query) moment() graph.Moment {
	return graph.Moment{At: q.AsOf, Run: q.AsOfRun, Parameter: "as_of"}
}

// takes are the fields that a subject can be narrowed by, and those that it needs,
// by their names in the API.
func takes(s Subject) (may, must []string) {
	switch s {
	case Entities:
		return []string{"kind", "type", "connection_id"}, nil
	case Relationships:
		return []string{"kind", "connection_id"}, nil
	case Graph:
		return []string{"connection_id"}, nil
	case WhoCan:
		return []string{"type", "connection_id", "provider", "action", "access"}, []string{"resource_id"}
	case WhatCan:
		return []string{"type", "connection_id", "provider", "action", "access"}, []string{"principal_id"}
	case Why:
		return nil, []string{"from", "to"}
	}
	return nil, nil
}

// given are the names of the fields that are set, in the order of the table above.
func (q *Query) given() (names []string) {
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"kind", q.Kind != ""},
		{"type", q.Type != ""},
		{"connection_id", q.Connection != 0},
		{"provider", q.Integration != ""},
		{"action", q.Action != ""},
		{"access", q.Access != ""},
		{"resource_id", q.Resource != graph.EntityID{}},
		{"principal_id", q.Principal != graph.EntityID{}},
		{"from", q.From != graph.EntityID{}},
		{"to", q.To != graph.EntityID{}},
	} {
		if f.set {
			names = append(names, f.name)
		}
	}
	return names
}

// Check returns an Invalid error that names each field which is missing, or which
// the subject does not take.
func (q *Query) Check() error {
	formats := formatsOf(q.Subject)
	if formats == nil {
		return fault.InvalidField("what", "must be entities, relationships, graph, who_can, what_can or why")
	}
	var wrong []fault.Field
	if !slices.Contains(formats, q.Format) {
		wrong = append(wrong, fault.Field{Path: "format", Message: "of " + string(q.Subject) + " must be one of " + list(formats)})
	}
	may, must := takes(q.Subject)
	given := q.given()
	for _, name := range given {
		if !slices.Contains(may, name) && !slices.Contains(must, name) {
			wrong = append(wrong, fault.Field{Path: name, Message: "narrows no export of " + string(q.Subject) + "; leave it out"})
		}
	}
	for _, name := range must {
		if !slices.Contains(given, name) {
			wrong = append(wrong, fault.Field{Path: name, Message: "is needed for an export of " + string(q.Subject)})
		}
	}
	if message := q.wrongKind(); message != "" {
		wrong = append(wrong, fault.Field{Path: "kind", Message: message})
	}
	if len(wrong) > 0 {
		return fault.InvalidFields(wrong...)
	}
	return nil
}

func (q *Query) wrongKind() string {
	switch {
	case q.Kind == "":
	case q.Subject == Entities && !slices.Contains(connector.EntityKinds(), connector.EntityKind(q.Kind)):
		return "must be one of " + list(connector.EntityKinds())
	case q.Subject == Relationships && !slices.Contains(connector.RelationshipKinds(), connector.RelationshipKind(q.Kind)):
		return "must be one of " + list(connector.RelationshipKinds())
	}
	return ""
}

func list[T ~string](values []T) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = string(v)
	}
	return strings.Join(texts, ", ")
}
