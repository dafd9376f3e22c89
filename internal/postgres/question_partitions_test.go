package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// touching notes which graphs questions read: a statement locks every table that
// its plan names, until the end of the transaction.
type touching struct {
	*discovery
	touched map[string]bool
}

// Snapshot is that of the database.
func (q *touching) Snapshot(ctx context.Context, w id.Workspace, fn func(v graph.View) error) error {
	return q.db.Snapshot(ctx, w, func(v graph.View) error {
		asked := fn(v)
		rows, err := q.super.Query(ctx, `
			select distinct c.relname
			from pg_locks l
			join pg_stat_activity a using (pid)
			join pg_class c on c.oid = l.relation
			where l.database = (select oid from pg_database where datname = current_database())
			  and a.usename = 'svc_discovery' and c.relname ~ '^(entities|relationships)_[0-9]+$'`)
		if err != nil {
			return errors.Join(asked, err)
		}
		names, err := pgx.CollectRows(rows, pgx.RowTo[string])
		for _, name := range names {
			q.touched[name] = true
		}
		return errors.Join(asked, err)
	})
}

// A question costs as much as the graphs it is about, however many connections the
// data plane has: those of others are neither planned for nor locked.
func TestQuestionsTouchOnlyGraphsOfTheirConnections(t *testing.T) {
	t.Parallel()
	j := newJoining(t)
	d, mine, theirs := j.discovery, j.scope, j.newScope(t)
	c, other, foreign := d.connect(t, mine), d.connect(t, mine), d.connect(t, theirs)
	ref := func(kind connector.EntityKind, name string) connector.Ref { return connector.Ref{Kind: kind, ID: name} }
	ann, account := ref(connector.Principal, "ann"), ref(connector.Account, "ann")
	group, bucket := ref(connector.Entitlement, "group"), ref(connector.Resource, "bucket")
	page := connector.Page{
		Entities: []connector.Entity{
			person("ann", email("ann@example.com")),
			{Ref: account, Name: "ann", Type: "user"},
			{Ref: group, Name: "group", Type: "group"},
			{Ref: bucket, Name: "bucket", Type: "bucket"},
		},
		Relationships: []connector.Relationship{
			{Kind: connector.PrincipalRepresentsAccount, From: ann, To: account},
			{Kind: connector.AccountAssignedEntitlement, From: account, To: group},
			{Kind: connector.EntitlementGrantsResource, From: group, To: bucket},
		},
	}
	d.discover(t, mine, c, reading{"alpha", "", page, connector.Complete})
	d.discover(t, theirs, foreign, reading{"alpha", "", page, connector.Complete})
	d.discover(t, mine, other, whole("alpha", "", []connector.Entity{person("bob", email("bob@example.com"))}))
	then := d.moment(t)
	page.Relationships = page.Relationships[:2]
	d.discover(t, mine, c, reading{"alpha", "", page, connector.Complete})

	of := func(r connector.Ref) graph.EntityID { return graph.NewEntityID(mine.Workspace, c, r) }
	ctx, me, identity := t.Context(), viewer(mine.Workspace), j.identityOf(t, of(ann))
	questions := map[string]func(q *graph.Questions, at graph.Moment) error{
		"list": func(q *graph.Questions, at graph.Moment) error {
			_, err := q.ListEntities(ctx, me, graph.EntityFilter{Limit: 10, AsOf: at})
			return err
		},
		"show": func(q *graph.Questions, at graph.Moment) error {
			_, err := q.ShowEntity(ctx, me, of(ann), at)
			return err
		},
		"who can": func(q *graph.Questions, at graph.Moment) error {
			_, err := q.WhoCan(ctx, me, of(bucket), graph.AccessFilter{Limit: 10, Count: true, AsOf: at})
			return err
		},
		"who can by identity": func(q *graph.Questions, at graph.Moment) error {
			_, err := q.WhoCanByIdentity(ctx, me, of(bucket), graph.AccessFilter{Limit: 10, Count: true, AsOf: at})
			return err
		},
		"what can": func(q *graph.Questions, at graph.Moment) error {
			_, err := q.WhatCan(ctx, me, of(ann), graph.AccessFilter{Limit: 10, Count: true, AsOf: at})
			return err
		},
		"what identity can": func(q *graph.Questions, at graph.Moment) error {
			_, err := q.WhatIdentityCan(ctx, me, identity, graph.AccessFilter{Limit: 10, AsOf: at})
			return err
		},
		"paths": func(q *graph.Questions, at graph.Moment) error {
			_, err := q.Paths(ctx, me, graph.PathQuery{From: of(ann), To: of(bucket), Depth: 8, Limit: 5, AsOf: at})
			return err
		},
		"changes": func(q *graph.Questions, at graph.Moment) error {
			_, err := q.Changes(ctx, me, graph.ChangeFilter{From: at, Limit: 10})
			return err
		},
		"changes of one": func(q *graph.Questions, at graph.Moment) error {
			_, err := q.Changes(ctx, me, graph.ChangeFilter{From: at, Subject: of(account), Limit: 10})
			return err
		},
		"since": func(q *graph.Questions, _ graph.Moment) error {
			_, err := q.Since(ctx, me, graph.SinceQuery{From: of(ann), Resource: of(bucket)})
			return err
		},
	}
	for name, ask := range questions {
		for _, at := range []graph.Moment{{}, {At: then}} {
			q := &touching{d, map[string]bool{}}
			require.NoError(t, ask(&graph.Questions{Store: q}, at), name)
			require.NotEmpty(t, q.touched, name)
			for _, table := range []string{"entities", "relationships"} {
				require.NotContains(t, q.touched, fmt.Sprintf("%s_%d", table, foreign), "%s, at %v", name, at)
			}
		}
	}
}
