package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"time"
)

// Change is one difference that one publication made.
type Change struct {
	// Change is added, first_observed, changed, removed or no_longer_observed.
	Change string `json:"change"`
	// Of is entity, relationship or connection.
	Of           string    `json:"of"`
	At           time.Time `json:"at"`
	RunID        string    `json:"run_id"`
	ConnectionID string    `json:"connection_id"`
	// Entity is nil for a relationship, and Relationship for an entity.
	Entity       *EntityRef          `json:"entity"`
	Relationship *ChangeRelationship `json:"relationship"`
	Fields       []ChangeField       `json:"fields"`
}

// ChangeRelationship names a relationship.
type ChangeRelationship struct {
	Kind   string    `json:"kind"`
	From   EntityRef `json:"from"`
	To     EntityRef `json:"to"`
	Key    string    `json:"key"`
	Effect string    `json:"effect"`
}

// ChangeField is what one field was and is; null where there is none.
type ChangeField struct {
	Field  string          `json:"field"`
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
}

// ChangeSummary counts what changed over all pages.
type ChangeSummary struct {
	Publications  int64        `json:"publications"`
	Entities      ChangeCounts `json:"entities"`
	Relationships ChangeCounts `json:"relationships"`
}

// ChangeCounts are the numbers of rows.
type ChangeCounts struct {
	New     int64 `json:"new"`
	Changed int64 `json:"changed"`
	Removed int64 `json:"removed"`
}

// ChangeList is a list of changes.
type ChangeList struct {
	List[Change]
	// Summary is nil when a subject was asked about.
	Summary *ChangeSummary
	Basis   Basis
}

// ChangeFilter narrows a list of changes; empty fields do not narrow. From and To
// are times as RFC 3339 writes them, or ids of runs. Without From, it is what the
// last publication of each connection changed.
type ChangeFilter struct {
	From, To, Run, Connection, Kind, Subject string
}

// Changes lists what publications changed.
func (c *Client) Changes(ctx context.Context, f ChangeFilter, pages Pages) (ChangeList, error) {
	q := url.Values{}
	for name, value := range map[string]string{
		"from": f.From, "to": f.To, "run_id": f.Run, "connection_id": f.Connection, "kind": f.Kind, "subject": f.Subject,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	l, err := list[Change](ctx, c, "/v1/changes", "changes", q, pages)
	if err != nil {
		return ChangeList{}, err
	}
	answer := ChangeList{List: l}
	if err := json.Unmarshal(l.Raw, &answer.Basis); err != nil {
		return answer, fmt.Errorf("read what the answer rests on: %w", err)
	}
	if err := json.Unmarshal(l.Last["summary"], &answer.Summary); err != nil {
		return answer, fmt.Errorf("read the summary of changes: %w", err)
	}
	return answer, nil
}
