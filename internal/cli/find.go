package cli

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/client"
)

// candidatesShown bounds the list of an ambiguous name.
const candidatesShown = 20

// findConnection returns the connection with an id or a unique name.
func findConnection(ctx context.Context, c *client.Client, idOrName string) (client.Answer[client.Connection], error) {
	var none client.Answer[client.Connection]
	if regexp.MustCompile(`^conn_[0-9]+$`).MatchString(idOrName) {
		return c.Connection(ctx, idOrName)
	}
	all, err := c.Connections(ctx, "", client.Pages{})
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

func shorten(candidates []string) []string {
	if len(candidates) <= candidatesShown {
		return candidates
	}
	return append(candidates[:candidatesShown:candidatesShown], fmt.Sprintf("and %d more", len(candidates)-candidatesShown))
}

// findEntity returns the entity with an id, an exact provider id such as an ARN,
// or an exact name. When several fit, those of the first wanted kind that
// any is of are meant.
func findEntity(ctx context.Context, c *client.Client, text string, kinds ...string) (client.Entity, error) {
	if regexp.MustCompile(`^ent_[0-9a-f]{32}$`).MatchString(text) {
		a, err := c.Entity(ctx, text)
		return a.Value, err
	}
	for _, f := range []client.EntityFilter{{ProviderID: text}, {Name: text}} {
		l, err := c.Entities(ctx, f, client.Pages{Limit: 10 * candidatesShown})
		if err != nil {
			return client.Entity{}, err
		}
		switch found := ofKinds(l.Items, kinds); len(found) {
		case 0:
		case 1:
			return found[0], nil
		default:
			var candidates []string
			for _, item := range found {
				candidates = append(candidates, fmt.Sprintf("%s (%s %s)", item.EntityID, item.Kind, item.ProviderID))
			}
			return client.Entity{}, fmt.Errorf("%d entities are called %q; name one by its id: %s", len(found), text, strings.Join(shorten(candidates), ", "))
		}
	}
	return client.Entity{}, &notFoundError{fmt.Sprintf("nothing in the graph has the id, provider id or name %q; gatehouse entities list --prefix finds names", text)}
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
