package postgres_test

import (
	"context"
	"crypto/md5"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/graph"
)

// benchSizes are the sizes of the estates that questions are measured on, in
// entities; there are three edges for each.
func benchSizes() []int { return []int{200_000} }

// benchEstate is an estate with typical accounts and with extremes: resource 0
// is open to a group that half the accounts are in, and account 0 holds the
// entitlement to half of all resources.
type benchEstate struct {
	*estate
	accounts, entitlements, resources int
}

// nth is the id that the statements of the estate give.
func nth(kind connector.EntityKind, n int) graph.EntityID {
	return md5.Sum(fmt.Appendf(nil, "%s/%d", kind, n))
}

// newBenchEstate fills tables with rows that PostgreSQL makes itself; their ids
// are md5 instead of what publishing computes, because only their being random
// matters here.
func (b *accessBase) newBenchEstate(tb testing.TB, entities int) *benchEstate {
	tb.Helper()
	e := &benchEstate{estate: b.newWorkspace(tb), accounts: entities / 2, entitlements: entities / 100, resources: entities*49/100 - 1}
	require.NoError(tb, b.db.InWorkspace(tb.Context(), e.workspace, func(tx pgx.Tx) error {
		if _, err := tx.Exec(tb.Context(), `set local statement_timeout = 0`); err != nil {
			return err
		}
		if _, err := tx.Exec(tb.Context(), `call graph_prepare($1)`, e.connection); err != nil {
			return err
		}
		for _, sql := range e.statements() {
			if _, err := tx.Exec(tb.Context(), sql); err != nil {
				return fmt.Errorf("%s: %w", sql, err)
			}
		}
		_, err := tx.Exec(tb.Context(), `call graph_attach($1)`, e.connection)
		return err
	}))
	_, err := b.super.Exec(tb.Context(), `vacuum (analyze) entities, relationships`)
	require.NoError(tb, err)
	return e
}

func (e *benchEstate) statements() []string {
	entity := func(kind connector.EntityKind, typ string, n int) string {
		return fmt.Sprintf(`
			insert into entities_%[1]d (workspace_id, connection_id, entity_id, kind, provider_id, name, type, content_hash, partition_id, first_run_id, valid_from)
			select %[2]d, %[1]d, md5('%[3]s/' || i)::uuid, '%[3]s', '%[3]s/' || i, '%[3]s ' || i, '%[4]s', md5('')::uuid, %[5]d, 1, now()
			from generate_series(0, %[6]d - 1) i`, int64(e.connection), int64(e.workspace), kind, typ, e.partition, n)
	}
	edge := func(kind connector.RelationshipKind, from, to connector.EntityKind, fromN, toN string, n int, terms string) string {
		return fmt.Sprintf(`
			insert into relationships_%[1]d (workspace_id, connection_id, relationship_id, from_id, to_id, kind, key, effect, terms, content_hash, partition_id, first_run_id, valid_from)
			select distinct on (f, t) %[2]d, %[1]d, md5('%[3]s' || f || '/' || t)::uuid, md5('%[4]s/' || f)::uuid, md5('%[5]s/' || t)::uuid, '%[3]s', '', 'allow', %[6]s, md5('')::uuid, %[7]d, 1, now()
			from (select (%[8]s) f, (%[9]s) t from generate_series(0, %[10]d - 1) i) pairs`,
			int64(e.connection), int64(e.workspace), kind, from, to, terms, e.partition, fromN, toN, n)
	}
	random := func(salt string, below int) string {
		return fmt.Sprintf("(('x' || substr(md5('%s' || i), 1, 8))::bit(32)::bigint %% %d)", salt, below)
	}
	const terms = `'{"actions": ["s3:Get*", "s3:List*"]}'`
	a, n, r := connector.Account, connector.Entitlement, connector.Resource
	total := e.accounts + e.entitlements + e.resources
	return []string{
		entity(a, "iam_user", e.accounts), entity(n, "iam_policy", e.entitlements), entity(r, "s3_bucket", e.resources),
		// Entitlement 0 is the group of half of all accounts and grants resource
		// 0; entitlement 1 is account 0's and grants half of the resources.
		edge(connector.AccountAssignedEntitlement, a, n, "i", "0", e.accounts, "null"),
		edge(connector.EntitlementGrantsResource, n, r, "0", "0", 1, terms),
		edge(connector.AccountAssignedEntitlement, a, n, "0", "1", 1, "null"),
		edge(connector.EntitlementGrantsResource, n, r, "1", "i", e.resources, terms),
		// The rest is spread evenly; entitlements include others of higher number.
		edge(connector.AccountAssignedEntitlement, a, n, random("a", e.accounts), "2 + "+random("b", e.entitlements-2), total, "null"),
		edge(connector.EntitlementGrantsResource, n, r, "2 + "+random("c", e.entitlements-2), "1 + "+random("d", e.resources-1), total, terms),
		edge(connector.EntitlementIncludesEntitlement, n, n, "2 + "+random("e", (e.entitlements-2)/2), fmt.Sprintf("%d + ", e.entitlements/2)+random("f", e.entitlements/2-1), e.entitlements, "null"),
		edge(connector.AccountAssumesAccount, a, a, random("g", e.accounts), random("h", e.accounts/100), e.accounts/5, "null"),
	}
}

// BenchmarkFirstPage measures the first 100 rows of each question.
func BenchmarkFirstPage(b *testing.B) {
	for _, size := range benchSizes() {
		base := newAccessBase(b)
		e := base.newBenchEstate(b, size)
		q, me := base.questions(), viewer(e.workspace)
		who := func(n func(i int) int) func(ctx context.Context, i int) (int, error) {
			return func(ctx context.Context, i int) (int, error) {
				a, err := q.WhoCan(ctx, me, nth(connector.Resource, n(i)), graph.AccessFilter{Limit: 100})
				return len(a.Rows), err
			}
		}
		what := func(n func(i int) int) func(ctx context.Context, i int) (int, error) {
			return func(ctx context.Context, i int) (int, error) {
				a, err := q.WhatCan(ctx, me, nth(connector.Account, n(i)), graph.AccessFilter{Limit: 100})
				return len(a.Rows), err
			}
		}
		zero := func(int) int { return 0 }
		for i := range 50 { // connections learn the schema first
			_, err := who(zero)(b.Context(), i)
			require.NoError(b, err)
		}
		for name, ask := range map[string]func(ctx context.Context, i int) (int, error){
			"who-can/heaviest":  who(zero),
			"who-can/typical":   who(func(i int) int { return 1 + i*7919%(e.resources-1) }),
			"what-can/heaviest": what(zero),
			"what-can/typical":  what(func(i int) int { return 1 + i*7919%(e.accounts-1) }),
			// One look-up, to compare with: what a transaction alone costs.
			"limit/one-entity": func(ctx context.Context, i int) (int, error) {
				_, err := q.GetEntity(ctx, me, nth(connector.Account, i%e.accounts), graph.Moment{})
				return 1, err
			},
			"paths": func(ctx context.Context, i int) (int, error) {
				a, err := q.Paths(ctx, me, graph.PathQuery{
					From: nth(connector.Account, 1+i*7919%(e.accounts-1)), To: nth(connector.Resource, 0), Depth: 8, Limit: 5,
				})
				return len(a.Paths), err
			},
			"entities/page": func(ctx context.Context, i int) (int, error) {
				found, err := q.ListEntities(ctx, me, graph.EntityFilter{NamePrefix: fmt.Sprintf("Account %d", i%1000), Limit: 100})
				return len(found.Entities), err
			},
		} {
			b.Run(fmt.Sprintf("%s/%d", name, size), func(b *testing.B) { measure(b, ask) })
		}
	}
}

// measure reports percentiles beside the mean.
func measure(b *testing.B, ask func(ctx context.Context, i int) (int, error)) {
	var took []time.Duration
	rows := 0
	for i := 0; b.Loop(); i++ {
		begun := time.Now()
		n, err := ask(b.Context(), i)
		took = append(took, time.Since(begun))
		require.NoError(b, err)
		rows += n
	}
	slices.Sort(took)
	at := func(share float64) float64 {
		return float64(took[int(share*float64(len(took)-1))].Microseconds()) / 1000
	}
	b.ReportMetric(at(0.5), "p50-ms")
	b.ReportMetric(at(0.99), "p99-ms")
	b.ReportMetric(float64(rows)/float64(len(took)), "rows")
}
