package postgres_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// story is a small estate whose answers can be read off.
type story struct {
	*estate
	ann, user, role, group, policy, guard, bucket, function connector.Ref
}

func (b *accessBase) newStory(t *testing.T) story {
	t.Helper()
	s := story{estate: b.newWorkspace(t)}
	s.ann = s.add(connector.Principal, "person", "ann")
	s.user = s.add(connector.Account, "iam_user", "user/ann")
	s.role = s.add(connector.Account, "iam_role", "role/admin")
	s.group = s.add(connector.Entitlement, "iam_group", "group/readers")
	s.policy = s.add(connector.Entitlement, "iam_policy", "policy/read")
	s.guard = s.add(connector.Entitlement, "iam_policy", "policy/guard")
	s.bucket = s.add(connector.Resource, "s3_bucket", "bucket/payroll")
	s.function = s.add(connector.Resource, "lambda_function", "function/pay")
	s.relate(connector.PrincipalRepresentsAccount, s.ann, s.user, nil)
	s.relate(connector.AccountAssignedEntitlement, s.user, s.group, nil)
	s.relate(connector.EntitlementIncludesEntitlement, s.group, s.policy, nil)
	s.relate(connector.EntitlementGrantsResource, s.policy, s.bucket, &connector.Terms{Actions: []string{"s3:Get*", "s3:List*"}})
	s.relate(connector.AccountAssignedEntitlement, s.user, s.guard, nil)
	s.relate(connector.EntitlementGrantsResource, s.guard, s.bucket, &connector.Terms{Effect: connector.Deny, Actions: []string{"s3:*"}})
	s.relate(connector.AccountAssumesAccount, s.user, s.role, &connector.Terms{Conditions: []byte(`{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`)})
	s.relate(connector.AccountAssignedEntitlement, s.role, s.policy, nil)
	s.relate(connector.EntitlementGrantsResource, s.policy, s.function, nil)
	b.publish(t, s.estate)
	return s
}

func TestWhoCan(t *testing.T) {
	t.Parallel()
	b := newAccessBase(t)
	s := b.newStory(t)
	answer, err := b.questions().WhoCan(t.Context(), viewer(s.workspace), s.id(s.bucket), graph.AccessFilter{Limit: 50, Count: true})
	require.NoError(t, err)
	require.Equal(t, "bucket/payroll", answer.Subject.Name)
	require.Len(t, answer.Rows, 2)
	require.Nil(t, answer.Next)
	require.Equal(t, 2, *answer.Count)
	require.False(t, answer.Truncated)
	rows := map[graph.EntityID]graph.AccessRow{}
	for _, r := range answer.Rows {
		rows[r.Account] = r
	}
	// Denied as herself; as the role only with a second factor.
	ann := rows[s.id(s.user)]
	require.Equal(t, graph.Conditional, ann.Decision)
	require.Equal(t, graph.InheritedAccess, ann.Kind)
	require.Equal(t, []graph.EntityID{s.id(s.ann)}, ann.Principals)
	require.Equal(t, 3, ann.Nearest.Hops)
	require.Equal(t, []string{"s3:Get*", "s3:List*"}, ann.Actions)
	require.Len(t, ann.Allows, 2)
	require.Len(t, ann.Denies, 1)
	require.Equal(t, s.id(s.guard), ann.Denies[0].Entitlement)
	role := rows[s.id(s.role)]
	require.Equal(t, graph.Allowed, role.Decision)
	require.Equal(t, graph.DirectAccess, role.Kind)
	require.Empty(t, role.Principals)
	require.Equal(t, "policy/guard", answer.Entities[s.id(s.guard)].Name)

	none, err := b.questions().WhoCan(t.Context(), viewer(s.workspace), s.id(s.bucket), graph.AccessFilter{Limit: 50, Action: "s3:PutObject"})
	require.NoError(t, err)
	require.Empty(t, none.Rows)
	require.Equal(t, graph.Observed, none.Coverage[0].Observation())
}

func TestWhatCan(t *testing.T) {
	t.Parallel()
	b := newAccessBase(t)
	s := b.newStory(t)
	for _, who := range []connector.Ref{s.ann, s.user} {
		answer, err := b.questions().WhatCan(t.Context(), viewer(s.workspace), s.id(who), graph.AccessFilter{Limit: 50})
		require.NoError(t, err)
		decisions := map[string]graph.Decision{}
		for _, r := range answer.Rows {
			decisions[answer.Entities[r.Resource].Name] = r.Decision
			require.Equal(t, s.id(s.user), r.Account)
		}
		require.Equal(t, map[string]graph.Decision{"bucket/payroll": graph.Conditional, "function/pay": graph.Allowed}, decisions)
	}
	typed, err := b.questions().WhatCan(t.Context(), viewer(s.workspace), s.id(s.ann), graph.AccessFilter{Limit: 50, Type: "s3_bucket"})
	require.NoError(t, err)
	require.Len(t, typed.Rows, 1)
	_, err = b.questions().WhatCan(t.Context(), viewer(s.workspace), s.id(s.bucket), graph.AccessFilter{Limit: 50})
	require.Equal(t, fault.Invalid, fault.KindOf(err))
}

func TestPaths(t *testing.T) {
	t.Parallel()
	b := newAccessBase(t)
	s := b.newStory(t)
	answer, err := b.questions().Paths(t.Context(), viewer(s.workspace), graph.PathQuery{From: s.id(s.ann), To: s.id(s.bucket), Depth: 8, Limit: 5})
	require.NoError(t, err)
	require.False(t, answer.Truncated)
	var lengths []int
	for _, p := range answer.Paths {
		lengths = append(lengths, len(p.Steps))
	}
	require.Equal(t, []int{3, 4, 4}, lengths)
	require.Equal(t, connector.Deny, answer.Paths[0].Effect)
	last := answer.Paths[1].Steps[3]
	require.Equal(t, connector.EntitlementGrantsResource, last.Kind)
	require.Len(t, last.Edges, 1)
	require.Equal(t, []string{"s3:Get*", "s3:List*"}, last.Edges[0].Terms.Actions)
	require.EqualValues(t, 7, last.Edges[0].FirstRun)
	require.Equal(t, graph.PartitionName{Stream: "iam", Partition: "123456789012"}, answer.Partitions[last.Edges[0].Partition])
	require.Equal(t, "policy/read", answer.Entities[last.From].Name)
}

// What one workspace asks never shows what is in another, and cannot be told
// from what is nowhere.
func TestQuestionsStayInTheirWorkspace(t *testing.T) {
	t.Parallel()
	b := newAccessBase(t)
	own, other := b.newStory(t), b.newStory(t)
	q, ctx, me := b.questions(), t.Context(), viewer(own.workspace)

	_, elsewhere := q.WhoCan(ctx, me, other.id(other.bucket), graph.AccessFilter{Limit: 5})
	_, nowhere := q.WhoCan(ctx, me, graph.EntityID{1}, graph.AccessFilter{Limit: 5})
	require.Equal(t, fault.NotFound, fault.KindOf(elsewhere))
	require.Equal(t, fault.NotFound, fault.KindOf(nowhere))
	named := func(e graph.EntityID) string { return "there is no entity " + e.String() }
	require.ErrorContains(t, nowhere, named(graph.EntityID{1}))
	require.Equal(t, strings.ReplaceAll(nowhere.Error(), named(graph.EntityID{1}), ""), strings.ReplaceAll(elsewhere.Error(), named(other.id(other.bucket)), ""))
	_, err := q.WhatCan(ctx, me, other.id(other.ann), graph.AccessFilter{Limit: 5})
	require.Equal(t, fault.NotFound, fault.KindOf(err))
	_, err = q.Paths(ctx, me, graph.PathQuery{From: own.id(own.ann), To: other.id(other.bucket), Depth: 8, Limit: 5})
	require.Equal(t, fault.NotFound, fault.KindOf(err))
	_, err = q.GetEntity(ctx, me, other.id(other.ann), graph.Moment{})
	require.Equal(t, fault.NotFound, fault.KindOf(err))

	all, err := q.ListEntities(ctx, me, graph.EntityFilter{Limit: 100})
	require.NoError(t, err)
	require.Len(t, all.Entities, len(own.entities))
	for _, e := range all.Entities {
		require.Equal(t, own.connection, e.Connection)
	}
	foreign, err := q.ListEntities(ctx, me, graph.EntityFilter{Limit: 100, Connection: other.connection})
	require.NoError(t, err)
	require.Empty(t, foreign.Entities)
	require.Empty(t, foreign.Coverage)

	stranger := workspace.Caller{Scope: me.Scope, Role: workspace.TenantAdmin}
	_, err = q.ListEntities(ctx, stranger, graph.EntityFilter{Limit: 100})
	require.Equal(t, fault.Forbidden, fault.KindOf(err))
}

// An answer is of one moment, however many statements it takes.
func TestSnapshotShowsOneMoment(t *testing.T) {
	t.Parallel()
	b := newAccessBase(t)
	s := b.newStory(t)
	grants := []graph.Hop{{Kind: connector.EntitlementGrantsResource, Side: graph.To}}
	read := func(v graph.View) []graph.Edge {
		edges, err := v.Walk(t.Context(), s.connection, []graph.EntityID{s.id(s.bucket)}, grants)
		require.NoError(t, err)
		return edges[1].Edges
	}
	require.NoError(t, b.db.Snapshot(t.Context(), s.workspace, func(v graph.View) error {
		before := read(v)
		require.Len(t, before, 2)
		require.NoError(t, b.db.InWorkspace(t.Context(), s.workspace, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), `update relationships set valid_to = now() where connection_id = $1`, s.connection)
			return err
		}))
		require.Equal(t, before, read(v))
		return nil
	}))
	require.NoError(t, b.db.Snapshot(t.Context(), s.workspace, func(v graph.View) error {
		require.Empty(t, read(v))
		return nil
	}))
}

// "Nobody" and "we did not look" are different answers.
func TestCoverageOfAnswers(t *testing.T) {
	t.Parallel()
	b := newAccessBase(t)
	s := b.newStory(t)
	ask := func() graph.Coverage {
		answer, err := b.questions().WhoCan(t.Context(), viewer(s.workspace), s.id(s.bucket), graph.AccessFilter{Limit: 5})
		require.NoError(t, err)
		require.Len(t, answer.Coverage, 1)
		return answer.Coverage[0]
	}
	require.Equal(t, graph.Observed, ask().Observation())
	b.cover(t, s.estate, "s3", "us-east-1", "skipped")
	c := ask()
	require.Equal(t, graph.PartlyObserved, c.Observation())
	require.Len(t, c.Gaps, 1)
	require.Equal(t, "us-east-1", c.Gaps[0].Partition)
	require.NotNil(t, c.Streams[0].OldestComplete)
	_, err := b.super.Exec(t.Context(), `update stream_partitions set coverage = 'partial'`)
	require.NoError(t, err)
	require.Equal(t, graph.NotObserved, ask().Observation())
}

// Terms that have expired count for nothing, those not yet activated for a
// condition.
func TestExpiryAndEligibility(t *testing.T) {
	t.Parallel()
	b := newAccessBase(t)
	e := b.newWorkspace(t)
	past, future := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	bucket := e.add(connector.Resource, "s3_bucket", "bucket")
	policy := e.add(connector.Entitlement, "iam_policy", "policy")
	e.relate(connector.EntitlementGrantsResource, policy, bucket, nil)
	for name, terms := range map[string]*connector.Terms{
		"gone": {ExpiresAt: &past}, "lasting": {ExpiresAt: &future}, "eligible": {Given: connector.Eligible},
	} {
		e.relate(connector.AccountAssignedEntitlement, e.add(connector.Account, "iam_user", name), policy, terms)
	}
	b.publish(t, e)
	require.Equal(t, map[string]graph.Decision{"lasting": graph.Allowed, "eligible": graph.Conditional}, whoCan(t.Context(), t, b, e, bucket))
}

func whoCan(ctx context.Context, t *testing.T, b *accessBase, e *estate, resource connector.Ref) map[string]graph.Decision {
	t.Helper()
	answer, err := b.questions().WhoCan(ctx, viewer(e.workspace), e.id(resource), graph.AccessFilter{Limit: 100})
	require.NoError(t, err)
	decisions := map[string]graph.Decision{}
	for _, r := range answer.Rows {
		decisions[answer.Entities[r.Account].Name] = r.Decision
	}
	return decisions
}
