package postgres_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/identity"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// joining is a data plane in which principals are joined.
type joining struct {
	*discovery
	identities *identity.Service
	admin      workspace.Caller
}

func newJoining(tb testing.TB) *joining {
	tb.Helper()
	d := newDiscovery(tb)
	j := &joining{discovery: d, identities: &identity.Service{Store: postgres.NewIdentities(d.db)}}
	j.admin = j.adminOf(tb, d.scope)
	return j
}

// adminOf makes a member who may correct.
func (j *joining) adminOf(tb testing.TB, scope id.Scope) workspace.Caller {
	tb.Helper()
	c := workspace.Caller{Scope: scope, Role: workspace.Admin}
	require.NoError(tb, j.super.QueryRow(tb.Context(),
		`insert into members (workspace_id, kind, name, role) values ($1, 'api_key', 'admin', 'admin') returning member_id`, scope.Workspace).Scan(&c.Member))
	return c
}

func email(value string) connector.Identifier {
	return connector.Identifier{Type: connector.Email, Value: value}
}

func unverified(i connector.Identifier) connector.Identifier {
	i.Unverified = true
	return i
}

// person is a principal of a provider, called as its id, and known by identifiers.
func person(providerID string, known ...connector.Identifier) connector.Entity {
	return connector.Entity{Ref: connector.Ref{Kind: connector.Principal, ID: providerID}, Name: providerID, Type: "person", Identifiers: known}
}

func (j *joining) principal(c id.Connection, providerID string) graph.EntityID {
	return graph.NewEntityID(j.admin.Scope.Workspace, c, connector.Ref{Kind: connector.Principal, ID: providerID})
}

// publish publishes all principals that a connection shows.
func (j *joining) publish(tb testing.TB, c id.Connection, all ...connector.Entity) {
	tb.Helper()
	j.discover(tb, j.admin.Scope, c, whole("alpha", "", all))
}

// identity returns whom a principal is one with, itself included.
func (j *joining) identity(tb testing.TB, p graph.EntityID) identity.Detail {
	tb.Helper()
	d, err := j.identities.Get(tb.Context(), j.admin, j.identityOf(tb, p), graph.Moment{})
	require.NoError(tb, err)
	require.True(tb, slices.ContainsFunc(d.Principals, func(of identity.Principal) bool { return of.ID == p }))
	return d
}

// identityOf looks at the rows.
func (j *joining) identityOf(tb testing.TB, p graph.EntityID) graph.IdentityID {
	tb.Helper()
	i := p.OwnIdentity()
	rows, err := j.super.Query(tb.Context(), `select identity_id from identity_members where principal_id = $1 and valid_to is null`, [16]byte(p))
	require.NoError(tb, err)
	for rows.Next() {
		require.NoError(tb, rows.Scan((*[16]byte)(&i)))
	}
	require.NoError(tb, rows.Err())
	return i
}

// names lists the principals of an identity by name.
func names(d identity.Detail) string {
	var all []string
	for _, p := range d.Principals {
		all = append(all, p.Name)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// list lists all identities, page by page, as the names of those that stand for them.
func (j *joining) list(tb testing.TB, f identity.Filter) (all []string) {
	tb.Helper()
	for f.Limit = 2; ; {
		page, err := j.identities.List(tb.Context(), j.admin, f)
		require.NoError(tb, err)
		for _, s := range page {
			all = append(all, s.Name)
		}
		if len(page) < f.Limit {
			return all
		}
		last := page[len(page)-1]
		f.After = &graph.EntityPosition{Name: last.Name, ID: last.Lead}
	}
}
