package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"
)

// EntityRef names an entity in an answer.
type EntityRef struct {
	EntityID   string `json:"entity_id"`
	Kind       string `json:"kind"`
	Type       string `json:"type"`
	Name       string `json:"name"`
	ProviderID string `json:"provider_id"`
}

// IdentityRef names a person or workload in an answer.
type IdentityRef struct {
	IdentityID     string `json:"identity_id"`
	Name           string `json:"name"`
	PrincipalCount int    `json:"principal_count"`
}

// PrincipalRef names a principal in an answer, and whose it is.
type PrincipalRef struct {
	EntityRef
	ConnectionID string      `json:"connection_id"`
	Identity     IdentityRef `json:"identity"`
}

// Access is that an account reaches a resource.
type Access struct {
	Principals []PrincipalRef `json:"principals"`
	Account    EntityRef      `json:"account"`
	Resource   EntityRef      `json:"resource"`
	// Access is direct or inherited.
	Access string `json:"access"`
	// Decision is allowed, conditional or denied.
	Decision string    `json:"decision"`
	Via      EntityRef `json:"via"`
	// ActingAs is the account that is assumed on the shortest way; nil when none is.
	ActingAs    *EntityRef `json:"acting_as"`
	Hops        int        `json:"hops"`
	Actions     []string   `json:"actions"`
	MoreActions bool       `json:"more_actions"`
	// Effective is what would become of the account's request; nil unless asked
	// for.
	Effective *Route `json:"effective"`
}

// Basis is what an answer about access rests on.
type Basis struct {
	AsOf time.Time `json:"as_of"`
	// Observed is false when nothing behind the answer was ever read completely.
	Observed  bool            `json:"observed"`
	Truncated bool            `json:"truncated"`
	Coverage  []GraphCoverage `json:"coverage"`
	// Count is the number of rows of all pages, nil unless asked for.
	Count             *int `json:"count"`
	CountIsLowerBound bool `json:"count_is_lower_bound"`
	// HistoryBegins is from when on history is kept; nil where nothing is missing.
	HistoryBegins *time.Time `json:"history_begins_at"`
}

// GraphCoverage is how completely a connection was read.
type GraphCoverage struct {
	ConnectionID string `json:"connection_id"`
	// Observation is complete, partial or not_observed.
	Observation string           `json:"observation"`
	Streams     []StreamCoverage `json:"streams"`
	Gaps        []Gap            `json:"gaps"`
	MoreGaps    bool             `json:"more_gaps"`
}

// StreamCoverage is how completely a stream was read.
type StreamCoverage struct {
	Stream         string     `json:"stream"`
	OldestComplete *time.Time `json:"oldest_complete_at"`
}

// Gap is a part that was not read completely.
type Gap struct {
	Stream    string `json:"stream"`
	Partition string `json:"partition"`
	// Coverage is partial or skipped.
	Coverage   string `json:"coverage"`
	ReasonCode string `json:"reason_code"`
	Message    string `json:"message"`
}

// AccessList is an answer to who-can or what-can.
type AccessList struct {
	List[Access]
	// Subject is what was asked about; an identity has the kind Identity.
	Subject EntityRef
	Basis   Basis
}

// asked is what was asked about: an entity, or an identity when that is set.
func asked(e EntityRef, i *IdentityRef) EntityRef {
	if i != nil {
		return EntityRef{EntityID: i.IdentityID, Kind: "Identity", Name: i.Name}
	}
	return e
}

// AccessFilter narrows a question; empty fields do not narrow.
type AccessFilter struct {
	// Action is one action of the provider, such as s3:GetObject.
	Action string
	// Access is direct or inherited.
	Access string
	// Type is the provider's term for the accounts or resources of the answer.
	Type string
	// Count asks for the number of all rows.
	Count bool
	// Effective asks for what would become of each row's request; it needs an
	// Action.
	Effective bool
	// Context is as in [DecisionQuery], for Effective.
	Context []string
	// AsOf is the moment to ask about: a time as RFC 3339 writes it, or the id
	// of a run; now when empty.
	AsOf string
}

func (f AccessFilter) query() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{"action": f.Action, "access": f.Access, "type": f.Type, "as_of": f.AsOf} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if f.Count {
		q.Set("count", "true")
	}
	if f.Effective {
		q.Set("effective", "true")
	}
	if len(f.Context) > 0 {
		q["context"] = f.Context
	}
	return q
}

// WhoCan lists who can reach a resource.
func (c *Client) WhoCan(ctx context.Context, resource string, f AccessFilter, pages Pages) (AccessList, error) {
	return c.ask(ctx, "/v1/access/resources/"+url.PathEscape(resource)+"/principals", "principals", "resource", f, pages)
}

// WhatCan lists what a principal or an account can reach.
func (c *Client) WhatCan(ctx context.Context, principal string, f AccessFilter, pages Pages) (AccessList, error) {
	return c.ask(ctx, "/v1/access/principals/"+url.PathEscape(principal)+"/resources", "resources", "principal", f, pages)
}

// WhatIdentityCan lists what a person or workload can reach.
func (c *Client) WhatIdentityCan(ctx context.Context, identity string, f AccessFilter, pages Pages) (AccessList, error) {
	return c.ask(ctx, "/v1/access/identities/"+url.PathEscape(identity)+"/resources", "resources", "principal", f, pages)
}

func (c *Client) ask(ctx context.Context, path, plural, subject string, f AccessFilter, pages Pages) (AccessList, error) {
	l, err := list[Access](ctx, c, path, plural, f.query(), pages)
	if err != nil {
		return AccessList{}, err
	}
	answer := AccessList{List: l}
	if err := json.Unmarshal(l.Raw, &answer.Basis); err != nil {
		return answer, fmt.Errorf("read what the answer rests on: %w", err)
	}
	var about struct {
		Identity *IdentityRef `json:"identity"`
	}
	if err := errors.Join(json.Unmarshal(l.Last[subject], &answer.Subject), json.Unmarshal(l.Raw, &about)); err != nil {
		return answer, fmt.Errorf("read what the answer is about: %w", err)
	}
	answer.Subject = asked(answer.Subject, about.Identity)
	return answer, nil
}
