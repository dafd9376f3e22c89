package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/client"
)

// candidatesShown bounds the list of an ambiguous name.
const candidatesShown = 20

// connection returns a client, and the connection that a command is about.
func (arg connectionArg) connection(ctx context.Context, e *environment, r *Remote) (*client.Client, client.Answer[client.Connection], error) {
	c, err := r.client(e.services.Version)
	if err != nil {
		return nil, client.Answer[client.Connection]{}, err
	}
	found, err := findConnection(ctx, c, arg.Connection)
	return c, found, err
}

// findConnection returns the connection with an id or a unique name.
func findConnection(ctx context.Context, c *client.Client, idOrName string) (client.Answer[client.Connection], error) {
	var none client.Answer[client.Connection]
	if isConnectionID(idOrName) {
		return c.Connection(ctx, idOrName)
	}
	all, err := c.Connections(ctx, client.ConnectionFilter{NamePrefix: idOrName}, client.Pages{})
	if err != nil {
		return none, err
	}
	var ids []string
	for _, item := range all.Items {
		if item.Name == idOrName {
			ids = append(ids, item.ConnectionID)
		}
	}
	switch len(ids) {
	case 0:
		return none, &notFoundError{fmt.Sprintf("there is no connection %q; gatehouse connections list shows all", idOrName)}
	case 1:
		return c.Connection(ctx, ids[0])
	}
	return none, fmt.Errorf("%d connections are called %q; name one by its id: %s", len(ids), idOrName, strings.Join(shorten(ids), ", "))
}

func isConnectionID(text string) bool { return regexp.MustCompile(`^conn_[0-9]+$`).MatchString(text) }

// connectionID returns an id as it is, since what a deleted connection did is
// still there to be asked for, and otherwise the id of a unique name.
func connectionID(ctx context.Context, c *client.Client, idOrName string) (string, error) {
	if isConnectionID(idOrName) {
		return idOrName, nil
	}
	found, err := findConnection(ctx, c, idOrName)
	return found.Value.ConnectionID, err
}

func shorten(candidates []string) []string {
	if len(candidates) <= candidatesShown {
		return candidates
	}
	return append(candidates[:candidatesShown:candidatesShown], fmt.Sprintf("and %d more", len(candidates)-candidatesShown))
}

// findEntityAt returns the entity with an id, an exact provider id, an exact name,
// or an exact value of an attribute that ends in the name, as the ARN of an IAM
// user does. When several fit, those of the first wanted kind that any is of are
// meant.
//
// It is looked for among what was there at a moment; now when that is empty.
func findEntityAt(ctx context.Context, c *client.Client, asOf, text string, kinds ...string) (client.Entity, error) {
	if isEntityID(text) {
		a, err := c.Entity(ctx, text, asOf)
		return a.Value.Entity, err
	}
	for _, look := range []func(ctx context.Context, c *client.Client, asOf, text string) ([]client.Entity, error){byProviderID, byName, byAttribute} {
		all, err := look(ctx, c, asOf, text)
		if err != nil {
			return client.Entity{}, err
		}
		switch found := ofKinds(all, kinds); len(found) {
		case 0:
		case 1:
			return found[0], nil
		default:
			names, err := connectionNames(ctx, c)
			if err != nil {
				return client.Entity{}, err
			}
			var candidates []string
			for _, item := range found {
				// Two connections may have read the same thing.
				candidates = append(candidates, fmt.Sprintf("%s (%s %s of %s)", item.EntityID, item.Kind, item.ProviderID, named(item.ConnectionID, names)))
			}
			return client.Entity{}, fmt.Errorf("%d entities are called %q; name one by its id: %s", len(found), text, strings.Join(shorten(candidates), ", "))
		}
	}
	return client.Entity{}, &notFoundError{fmt.Sprintf("nothing in the graph has the id, provider id or name %q; gatehouse entities list --prefix finds names", text)}
}

// connectionNames returns the connections' names by id.
func connectionNames(ctx context.Context, c *client.Client) (map[string]string, error) {
	all, err := c.Connections(ctx, client.ConnectionFilter{}, client.Pages{})
	if err != nil {
		return nil, err
	}
	names := make(map[string]string, len(all.Items))
	for _, item := range all.Items {
		names[item.ConnectionID] = item.Name
	}
	return names, nil
}

// named is an id with its name behind it, if it has one.
func named(id string, names map[string]string) string {
	if names[id] == "" {
		return id
	}
	return fmt.Sprintf("%s %q", id, names[id])
}

func byProviderID(ctx context.Context, c *client.Client, asOf, text string) ([]client.Entity, error) {
	l, err := c.Entities(ctx, client.EntityFilter{ProviderID: text, AsOf: asOf}, client.Pages{})
	return l.Items, err
}

func byName(ctx context.Context, c *client.Client, asOf, text string) ([]client.Entity, error) {
	l, err := c.Entities(ctx, client.EntityFilter{Name: text, AsOf: asOf}, client.Pages{})
	return l.Items, err
}

// byAttribute finds what has the text as a whole attribute and its last part as
// the name. Graphs are looked up by name, not by attribute.
func byAttribute(ctx context.Context, c *client.Client, asOf, text string) ([]client.Entity, error) {
	i := strings.LastIndexAny(text, "/:")
	if i < 0 || i == len(text)-1 {
		return nil, nil
	}
	named, err := byName(ctx, c, asOf, text[i+1:])
	if err != nil {
		return nil, err
	}
	var found []client.Entity
	for _, item := range named {
		var attributes map[string]any
		if json.Unmarshal(item.Attributes, &attributes) != nil {
			continue
		}
		for _, value := range attributes {
			if s, ok := value.(string); ok && s == text {
				found = append(found, item)
				break
			}
		}
	}
	return found, nil
}

func ofKinds(found []client.Entity, kinds []string) []client.Entity {
	for _, k := range kinds {
		var fitting []client.Entity
		for _, item := range found {
			if item.Kind == k {
				fitting = append(fitting, item)
			}
		}
		if len(fitting) > 0 {
			return fitting
		}
	}
	return found
}

func isEntityID(text string) bool {
	return regexp.MustCompile(`^ent_[0-9a-f]{32}$`).MatchString(text)
}
