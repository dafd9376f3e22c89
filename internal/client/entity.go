package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
)

// Entity is a node of the access graph.
type Entity struct {
	EntityID     string          `json:"entity_id"`
	Kind         string          `json:"kind"`
	Type         string          `json:"type"`
	Name         string          `json:"name"`
	ProviderID   string          `json:"provider_id"`
	ConnectionID string          `json:"connection_id"`
	Attributes   json.RawMessage `json:"attributes"`
	// Identity is the person or workload that a principal is; nil for other kinds.
	Identity *IdentityRef `json:"identity"`
}

// EntityDetail is an entity, whose it is, and what the answer rests on.
type EntityDetail struct {
	Entity
	// Principals are those that an account represents, or the others of a
	// principal's identity.
	Principals     []PrincipalRef `json:"principals"`
	MorePrincipals bool           `json:"more_principals"`
	Basis
}

// EntityList is entities and what the list rests on.
type EntityList struct {
	List[Entity]
	Basis Basis
}

// EntityFilter narrows a list of entities; empty fields do not narrow. Name and
// ProviderID match exactly, NamePrefix how a name begins. AsOf is the moment to
// list: a time as RFC 3339 writes it, or the id of a run.
type EntityFilter struct {
	Connection, Kind, Type, Name, NamePrefix, ProviderID, AsOf string
}

// Entities lists entities of the graph.
func (c *Client) Entities(ctx context.Context, f EntityFilter, pages Pages) (EntityList, error) {
	q := url.Values{}
	for name, value := range map[string]string{
		"connection_id": f.Connection, "kind": f.Kind, "type": f.Type, "name": f.Name, "name_prefix": f.NamePrefix, "provider_id": f.ProviderID,
		"as_of": f.AsOf,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	l, err := list[Entity](ctx, c, "/v1/entities", "entities", q, pages)
	if err != nil {
		return EntityList{}, err
	}
	found := EntityList{List: l}
	if err := json.Unmarshal(l.Raw, &found.Basis); err != nil {
		return found, fmt.Errorf("read what the list rests on: %w", err)
	}
	return found, nil
}

// Entity returns an entity by its id, as it was at a moment; now when that is
// empty.
func (c *Client) Entity(ctx context.Context, id, asOf string) (Answer[EntityDetail], error) {
	return send[EntityDetail](ctx, c, call{method: http.MethodGet, path: "/v1/entities/" + url.PathEscape(id), query: dated(url.Values{}, asOf)})
}

// dated adds the moment that a question is about, if there is one.
func dated(q url.Values, asOf string) url.Values {
	if asOf != "" {
		q.Set("as_of", asOf)
	}
	return q
}
