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
	// Changes is what publications changed between two moments, or of one run.
	Changes Subject = "changes"
	// Identities is who is one with whom, a row for each principal.
	Identities Subject = "identities"
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
	case Entities, Relationships, Changes, Identities:
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
	// Kind is a kind of entity or of relationship; of changes, of either.
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
	// Since, or the run whose publication it was, is the moment after which changes
	// are told; they are told up to the moment that the export shows.
	Since    time.Time `json:"since,omitzero"`
	SinceRun id.Run    `json:"since_run_id,omitzero"`
	// Run is the run whose changes alone are told, and About the entity.
	Run   id.Run         `json:"run_id,omitzero"`
	About graph.EntityID `json:"subject_id,omitzero"`
	// AsOf, or the run whose publication it was, is the moment that the export
	// shows; with neither, that at which its making begins.
	AsOf    time.Time `json:"as_of,omitzero"`
	AsOfRun id.Run    `json:"as_of_run_id,omitzero"`
}

// moment is what the export is of.
func (q *Query) moment() graph.Moment {
	return graph.Moment{At: q.AsOf, Run: q.AsOfRun, Parameter: "as_of"}
}

// changes is the question whose whole answer an export of [Changes] is.
func (q *Query) changes() graph.ChangeFilter {
	f := graph.ChangeFilter{From: graph.Moment{At: q.Since, Run: q.SinceRun, Parameter: "since"}, Run: q.Run, Connection: q.Connection, Subject: q.About}
	if slices.Contains(connector.EntityKinds(), connector.EntityKind(q.Kind)) {
		f.EntityKind = connector.EntityKind(q.Kind)
	} else {
		f.RelationshipKind = connector.RelationshipKind(q.Kind)
	}
	return f
}

// takes are the fields that a subject can be narrowed by, and those that it needs,
// by their names in the API.
func takes(s Subject) (may, must []string) {
	switch s {
	case Entities:
		return []string{"kind", "type", "connection_id"}, nil
	case Relationships:
		return []string{"kind", "connection_id"}, nil
	case Graph, Identities:
		return []string{"connection_id"}, nil
	case Changes:
		return []string{"kind", "connection_id", "since", "run_id", "subject_id"}, nil
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
		{"since", !q.Since.IsZero() || q.SinceRun != 0},
		{"run_id", q.Run != 0},
		{"subject_id", q.About != graph.EntityID{}},
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
		return fault.InvalidField("what", "must be entities, relationships, graph, who_can, what_can, why, changes or identities")
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
	if slices.Contains(given, "run_id") && slices.Contains(given, "since") {
		wrong = append(wrong, fault.Field{Path: "run_id", Message: "goes without since: a run stands for what it changed, at one moment"})
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
	entity := slices.Contains(connector.EntityKinds(), connector.EntityKind(q.Kind))
	relationship := slices.Contains(connector.RelationshipKinds(), connector.RelationshipKind(q.Kind))
	switch {
	case q.Kind == "":
	case q.Subject == Entities && !entity:
		return "must be one of " + list(connector.EntityKinds())
	case q.Subject == Relationships && !relationship:
		return "must be one of " + list(connector.RelationshipKinds())
	case q.Subject == Changes && !entity && !relationship:
		return "must be one of " + list(connector.EntityKinds()) + ", " + list(connector.RelationshipKinds())
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
