package graph

import (
	"context"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// maxOthers bounds how many principals an entity's answer names.
const maxOthers = 20

// EntityList is a page of entities.
type EntityList struct {
	Entities []Entity
	// Identities are those of the principals among them.
	Identities    Described
	AsOf          time.Time
	HistoryBegins *time.Time
	// Coverage is that of the connections that were looked in, of those of the page
	// at first: at most [MaxCoverages]. MoreCoverage says that there are more.
	Coverage     []Coverage
	MoreCoverage bool
}

// EntityAnswer is one entity and whose it is.
type EntityAnswer struct {
	Entity Entity
	// Principals are, of an account, those that it represents; of a principal, the
	// others of its identity, of any connection. At most 20; MorePrincipals says
	// that there are more.
	Principals     []Entity
	MorePrincipals bool
	// Identities are those of all principals that the answer names.
	Identities    Described
	AsOf          time.Time
	HistoryBegins *time.Time
	Coverage      []Coverage
}

// ListEntities returns the entities that pass the filter.
func (q *Questions) ListEntities(ctx context.Context, c workspace.Caller, f EntityFilter) (EntityList, error) {
	var l EntityList
	err := q.ask(ctx, c, f.AsOf, func(v View) (err error) {
		l.AsOf, l.HistoryBegins = v.Moment(), v.HistoryBegins()
		if l.Entities, err = v.List(ctx, f); err != nil {
			return err
		}
		var principals []EntityID
		for i := range l.Entities {
			if l.Entities[i].Kind == connector.Principal {
				principals = append(principals, l.Entities[i].ID)
			}
		}
		if l.Identities, err = v.Identities(ctx, principals); err != nil {
			return err
		}
		var of []id.Connection
		for i := range l.Entities {
			of = append(of, l.Entities[i].Connection)
		}
		l.Coverage, l.MoreCoverage, err = v.Coverages(ctx, f.Connection, of)
		return err
	})
	return l, err
}

// ShowEntity returns one entity as it was at a moment, and whose it is; or
// NotFound.
func (q *Questions) ShowEntity(ctx context.Context, c workspace.Caller, e EntityID, at Moment) (EntityAnswer, error) {
	var a EntityAnswer
	err := q.ask(ctx, c, at, func(v View) (err error) {
		a = EntityAnswer{AsOf: v.Moment(), HistoryBegins: v.HistoryBegins()}
		if a.Entity, err = v.Entity(ctx, e); err != nil {
			return err
		}
		switch a.Entity.Kind {
		case connector.Account:
			err = a.addRepresented(ctx, v)
		case connector.Principal:
			err = a.addFellows(ctx, v)
		}
		if err != nil {
			return err
		}
		coverage, err := v.Coverage(ctx, a.Entity.Connection)
		a.Coverage = []Coverage{coverage}
		return err
	})
	return a, err
}

// addRepresented names the principals that act through the account.
func (a *EntityAnswer) addRepresented(ctx context.Context, v View) error {
	read, err := v.Walk(ctx, a.Entity.Connection, []EntityID{a.Entity.ID}, []Hop{{Kind: connector.PrincipalRepresentsAccount, Side: To}})
	if err != nil {
		return err
	}
	who := represented{}
	who.add(read[1].Edges, v.Moment())
	ids := distinct(who[a.Entity.ID])
	a.MorePrincipals = len(ids) > maxOthers
	ids = ids[:min(len(ids), maxOthers)]
	d, err := v.Describe(ctx, a.Entity.Connection, ids, ids)
	if err != nil {
		return err
	}
	a.Identities = d.Identities
	for _, p := range ids {
		if e, ok := d.Entities[p]; ok {
			a.Principals = append(a.Principals, e)
		}
	}
	return nil
}

// addFellows names the others of the principal's identity.
func (a *EntityAnswer) addFellows(ctx context.Context, v View) (err error) {
	if a.Identities, err = v.Identities(ctx, []EntityID{a.Entity.ID}); err != nil {
		return err
	}
	joined, ok := a.Identities[a.Entity.ID]
	if !ok {
		return nil
	}
	_, all, err := v.Identity(ctx, joined.ID)
	if err != nil {
		return err
	}
	for _, p := range all {
		if p.ID == a.Entity.ID {
			continue
		}
		if len(a.Principals) == maxOthers {
			break
		}
		a.Principals = append(a.Principals, p)
		a.Identities[p.ID] = joined
	}
	a.MorePrincipals = len(a.Principals) < joined.Principals-1
	return nil
}
