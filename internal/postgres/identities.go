package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/identifier"
	"github.com/gatehouse-project/gatehouse/internal/identity"
)

// Identities keeps who is the same, and what people decided about it. It is the
// discovery service's.
type Identities struct{ db *DB }

var _ identity.Store = (*Identities)(nil)

// NewIdentities returns the store on a pool.
func NewIdentities(db *DB) *Identities { return &Identities{db: db} }

// view is the workspace at one moment.
func (s *Identities) view(ctx context.Context, w id.Workspace, asOf graph.Moment, fn func(v *identityView) error) error {
	return s.db.snapshot(ctx, w, func(now *graphView) error {
		v, err := now.at(ctx, asOf)
		if err != nil {
			return err
		}
		return fn(&identityView{v})
	})
}

// identityView asks the graph of one moment about identities.
type identityView struct{ *graphView }

// identityHolders is how many holders of an identifier a list looks at.
const identityHolders = 1000

// ListIdentities goes through the principals in order of name. An identity of
// several comes once: for that one of its principals that fit with the least id.
func (s *Identities) ListIdentities(ctx context.Context, w id.Workspace, f identity.Filter) ([]identity.Summary, error) {
	var found []identity.Summary
	err := s.view(ctx, w, f.AsOf, func(v *identityView) (err error) {
		found, err = v.list(ctx, f)
		return err
	})
	return found, err
}

func (v *identityView) list(ctx context.Context, f identity.Filter) ([]identity.Summary, error) {
	connections := v.connections
	if f.Connection != 0 {
		if !slices.Contains(v.connections, int64(f.Connection)) {
			return nil, nil
		}
		connections = []int64{int64(f.Connection)}
	}
	// Versions of an earlier moment are looked up by the place of a connection
	// among all of the view, which the second parameter has to be.
	args := []any{v.workspace, v.connections, connections}
	var fits []string
	demand := func(condition string, value any) {
		args = append(args, value)
		fits = append(fits, fmt.Sprintf(condition, len(args)))
	}
	if f.Name != "" {
		demand(`name collate "C" = $%d`, f.Name)
	}
	if f.NamePrefix != "" {
		demand(`name collate "C" ^@ $%d`, f.NamePrefix)
	}
	if f.Identifier != "" {
		holders, err := v.holders(ctx, f.Identifier)
		if err != nil {
			return nil, err
		}
		demand("entity_id = any ($%d)", holders)
	}
	fitting := func(row string) string {
		var all strings.Builder
		for _, condition := range fits {
			all.WriteString(" and " + row + "." + condition)
		}
		return all.String()
	}
	where := fitting("e")
	if f.After != nil {
		args = append(args, f.After.Name, [16]byte(f.After.ID))
		where += fmt.Sprintf(` and (e.name collate "C", e.entity_id) > ($%d, $%d)`, len(args)-1, len(args))
	}
	if f.Joined {
		where += ` and exists (
		    select from {members} m
		    join {members} o on o.workspace_id = m.workspace_id and o.identity_id = m.identity_id
		    where m.workspace_id = $1 and m.principal_id = e.entity_id and o.principal_id <> m.principal_id)`
	}
	rows, err := v.ask(ctx, fmt.Sprintf(`
		select page.entity_id, page.name, coalesce(m.identity_id, page.entity_id), coalesce(o.principals, 1), coalesce(o.connections, array[page.connection_id])
		from (
		  select e.entity_id, e.name, e.connection_id
		  from {entities} e
		  where e.workspace_id = $1 and e.connection_id = any ($3) and e.kind = 'Principal' %[1]s
		    and not exists (
		      select
		      from {members} m
		      join {members} o on o.workspace_id = m.workspace_id and o.identity_id = m.identity_id
		      join {entities} l on l.workspace_id = o.workspace_id and l.connection_id = o.connection_id and l.entity_id = o.principal_id
		      where m.workspace_id = $1 and m.principal_id = e.entity_id and o.principal_id < e.entity_id and l.connection_id = any ($3) %[2]s)
		  order by e.name collate "C", e.entity_id
		  limit %[3]d) page
		left join {members} m on m.workspace_id = $1 and m.principal_id = page.entity_id
		left join lateral (
		  select count(*) as principals, array_agg(distinct o.connection_id) as connections
		  from {members} o
		  where o.workspace_id = $1 and o.identity_id = m.identity_id and o.connection_id = any ($2)
		) o on m.identity_id is not null
		order by page.name collate "C", page.entity_id`, where, fitting("l"), f.Limit), args...)
	if err != nil {
		return nil, fmt.Errorf("list identities: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (i identity.Summary, err error) {
		return i, row.Scan((*[16]byte)(&i.Lead), &i.Name, (*[16]byte)(&i.ID), &i.Principals, &i.Connections)
	})
	if err != nil {
		return nil, fmt.Errorf("list identities: %w", err)
	}
	return found, nil
}

// holders finds principals by an identifier of any type and form.
func (v *identityView) holders(ctx context.Context, text string) ([][16]byte, error) {
	var types, values []string
	for _, t := range []connector.IdentifierType{connector.Email, connector.UserPrincipalName, connector.EmployeeID, connector.ImmutableID} {
		if f, ok := identifier.Of(connector.Identifier{Type: t, Value: text}); ok {
			types, values = append(types, string(t)), append(values, f.Value)
		}
	}
	rows, err := v.ask(ctx, `
		select distinct i.principal_id
		from unnest($3::text[], $4::text[]) as asked (type, value)
		cross join lateral (
		  select i.principal_id
		  from {identifiers} i
		  where i.workspace_id = $1 and i.type = asked.type and i.value = asked.value and i.connection_id = any ($2)
		  limit $5) i`, v.workspace, v.connections, types, values, identityHolders)
	if err != nil {
		return nil, fmt.Errorf("find by identifier: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[[16]byte])
	if err != nil {
		return nil, fmt.Errorf("find by identifier: %w", err)
	}
	return found, nil
}
