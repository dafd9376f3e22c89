package postgres_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// fill makes many connections at once.
func (p *plane) fill(t *testing.T, scope id.Scope, n int) {
	t.Helper()
	_, err := p.super.Exec(t.Context(), `
		insert into connections (tenant_id, workspace_id, integration_id, connector_id, connector_version, name, config, scope, schedule)
		select 1, $1, 'aws', 'aws-discovery', '1', 'connection ' || lpad(n::text, 6, '0'), '{}', '{}', '{"type": "manual"}'
		from generate_series(1, $2::int) n`, scope.Workspace, n)
	require.NoError(t, err)
}

// TestPagesHoldEverythingOnce pages through a list while connections are made
// and deleted: what was there all the time is seen once, and nothing twice.
func TestPagesHoldEverythingOnce(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	rapid.Check(t, func(rt *rapid.T) {
		scope := id.Scope{Tenant: 1}
		require.NoError(t, p.super.QueryRow(t.Context(), `insert into workspaces (name) values ('paged') returning workspace_id`).Scan(&scope.Workspace))
		p.fill(t, scope, rapid.IntRange(0, 12).Draw(rt, "at first"))
		list := func(f connection.Filter) connection.Page {
			page, err := p.connections.List(t.Context(), scope, f)
			require.NoError(rt, err)
			return page
		}
		var stayed []id.Connection
		for _, c := range list(connection.Filter{Limit: 100}).Connections {
			stayed = append(stayed, c.ID)
		}
		var seen []id.Connection
		size := rapid.IntRange(1, 5).Draw(rt, "page")
		for after, made := id.Connection(0), 0; ; {
			page := list(connection.Filter{Limit: size, After: after})
			for _, c := range page.Connections {
				seen = append(seen, c.ID)
			}
			require.Equal(rt, p.count(t, "connections where workspace_id = $1 and deleted_at is null", scope.Workspace), int(page.Total))
			if len(page.Connections) < size {
				break
			}
			after = page.Connections[size-1].ID
			if made < 5 && rapid.Bool().Draw(rt, "make") {
				made++
				p.create(t, scope, fmt.Sprint("made meanwhile ", made))
			}
			if len(stayed) > 0 && rapid.Bool().Draw(rt, "delete") {
				gone := rapid.IntRange(0, len(stayed)-1).Draw(rt, "which")
				require.NoError(rt, p.connections.Delete(t.Context(), scope, stayed[gone], nil, event(audit.ConnectionDeleted)))
				stayed = slices.Delete(stayed, gone, gone+1)
			}
		}
		require.True(rt, slices.IsSorted(seen), "in order of id")
		require.Len(rt, slices.Compact(slices.Clone(seen)), len(seen), "nothing twice")
		for _, c := range stayed {
			require.Contains(rt, seen, c)
		}
	})
}

func TestFiltersNarrowTogetherAndAreCounted(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	for _, name := range []string{"Prod AWS", "Prod 100%_", "prod", "Dev"} {
		p.create(t, p.a, name)
	}
	_, err := p.super.Exec(t.Context(), `update connections set status = 'healthy' where name <> 'Dev'`)
	require.NoError(t, err)
	_, err = p.super.Exec(t.Context(), `update connections set lifecycle = 'disabled' where name = 'Prod AWS'`)
	require.NoError(t, err)
	for want, f := range map[string]connection.Filter{
		"Prod AWS, Prod 100%_":       {NamePrefix: "Prod"},
		"Prod 100%_":                 {NamePrefix: "Prod 100%_"},
		"":                           {NamePrefix: "%"},
		"Prod AWS, Prod 100%_, prod": {Status: connection.Healthy},
		"Prod AWS":                   {Lifecycle: connection.Disabled, Status: connection.Healthy, NamePrefix: "P", Integration: "aws"},
	} {
		f.Limit = 9
		page, err := p.connections.List(t.Context(), p.a, f)
		require.NoError(t, err)
		var names []string
		for _, c := range page.Connections {
			names = append(names, c.Name)
		}
		require.Equal(t, want, strings.Join(names, ", "))
		require.EqualValues(t, len(names), page.Total)
	}
	page, err := p.connections.List(t.Context(), p.a, connection.Filter{Limit: 1, NamePrefix: "Prod"})
	require.NoError(t, err)
	require.EqualValues(t, 2, page.Total, "on all pages")
}

// TestListsUseIndexesUnderRowLevelSecurity explains the list's conditions as the
// service's role does them, among 10,000 connections of each of two workspaces.
func TestListsUseIndexesUnderRowLevelSecurity(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	p.fill(t, p.a, 10_000)
	p.fill(t, p.b, 10_000)
	_, err := p.super.Exec(t.Context(), "analyze connections")
	require.NoError(t, err)
	for condition, index := range map[string]string{
		"c.connection_id > 5000 order by c.connection_id limit 50":                       "connections_",
		"c.name collate \"C\" ^@ 'connection 0000'":                                      "connections_by_name_prefix",
		"c.target_id = 77 order by c.connection_id limit 50":                             "connections_",
		"c.status = 'healthy' and c.connection_id > 0 order by c.connection_id limit 50": "connections_",
	} {
		var plan strings.Builder
		err := pgx.BeginFunc(t.Context(), p.super, func(tx pgx.Tx) error {
			for _, set := range []string{"set local role svc_integration", fmt.Sprintf("set local gatehouse.workspace_id = '%d'", int64(p.a.Workspace))} {
				if _, err := tx.Exec(t.Context(), set); err != nil {
					return err
				}
			}
			rows, err := tx.Query(t.Context(), fmt.Sprintf("explain select c.name, c.config from connections c where c.workspace_id = %d and c.deleted_at is null and %s", int64(p.a.Workspace), condition))
			if err != nil {
				return err
			}
			lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
			plan.WriteString(strings.Join(lines, "\n"))
			return err
		})
		require.NoError(t, err)
		require.Contains(t, plan.String(), "Index", condition)
		require.Contains(t, plan.String(), index, "%s:\n%s", condition, plan.String())
		require.NotContains(t, plan.String(), "Seq Scan on connections", condition)
	}
}

func TestReaderLeavesNoWorkspaceBehind(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	c := p.create(t, p.a, "Prod AWS")
	for range 20 { // every connection of the pool has been used
		_, err := p.connections.Get(t.Context(), p.a, c.ID)
		require.NoError(t, err)
		_, err = p.connections.Get(t.Context(), p.b, c.ID)
		require.Equal(t, fault.NotFound, fault.KindOf(err))
		_, err = p.connections.NextID(t.Context())
		require.NoError(t, err)
	}
}

func TestDisabledConnectionIsNotDisclosed(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	for _, c := range []struct {
		lifecycle, operation string
		disclosed            bool
	}{
		{"disabled", "discovery.run", false},
		{"disabled", "connection.test", false},
		{"needs_consent", "discovery.run", false},
		{"needs_consent", "connection.test", true},
	} {
		conn := p.create(t, p.a, c.lifecycle+" "+c.operation)
		claim := p.held(t, conn)
		_, err := p.super.Exec(t.Context(), "update connections set lifecycle = $1::connection_lifecycle where connection_id = $2", c.lifecycle, conn.ID)
		require.NoError(t, err)
		_, err = p.super.Exec(t.Context(), "update runs set operation_type = $1 where run_id = $2", c.operation, claim.Run)
		require.NoError(t, err)
		_, sealed, err := p.connections.Disclose(t.Context(), claim, event(audit.ConfigurationDisclosed))
		if c.disclosed {
			require.NoError(t, err)
			continue
		}
		require.Equal(t, fault.Invalid, fault.KindOf(err), "neither repeated nor left to somebody else: %v", err)
		require.Nil(t, sealed)
	}
	require.Equal(t, 1, p.count(t, "credential_disclosures"))
}
