package cyberark_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connectors/cyberark"
)

// read is everything that a session emitted.
type read struct {
	entities      map[connector.Ref]connector.Entity
	relationships []connector.Relationship
	gaps          []connector.Error
}

// Write keeps a page.
func (r *read) Write(_ context.Context, page connector.Page) error {
	for _, e := range page.Entities {
		r.entities[e.Ref] = e
	}
	r.relationships = append(r.relationships, page.Relationships...)
	r.gaps = append(r.gaps, page.Gaps...)
	return nil
}

func newRead() *read { return &read{entities: map[connector.Ref]connector.Entity{}} }

func open(t *testing.T, c connector.Connector, s connector.Settings) connector.Session {
	t.Helper()
	session, err := c.Open(t.Context(), s)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, session.Close()) })
	return session
}

// discover reads everything.
func discover(t *testing.T, s connector.Settings) *read {
	t.Helper()
	session := open(t, cyberark.New(), s)
	plan, err := session.Plan(t.Context())
	require.NoError(t, err)
	require.True(t, plan.Complete)
	r := newRead()
	for _, p := range plan.Partitions {
		require.NoError(t, session.Read(t.Context(), p, "", r), p.Stream)
	}
	return r
}

// edges are the relationships of a kind between two ids.
func (r *read) edges(kind connector.RelationshipKind, from, to string) (found []connector.Relationship) {
	for _, one := range r.relationships {
		if one.Kind == kind && one.From.ID == from && one.To.ID == to {
			found = append(found, one)
		}
	}
	return found
}

// reaching are the accounts that a resource is granted to with an action, over
// entitlements that include others.
func (r *read) reaching(resource, action string) map[string]bool {
	holders := map[string][]connector.Relationship{} // by what is held
	var open []string
	for _, one := range r.relationships {
		switch one.Kind {
		case connector.AccountAssignedEntitlement, connector.EntitlementIncludesEntitlement:
			holders[one.To.ID] = append(holders[one.To.ID], one)
		case connector.EntitlementGrantsResource:
			if one.To.ID == resource && one.Terms != nil && contains(one.Terms.Actions, action) {
				open = append(open, one.From.ID)
			}
		}
	}
	accounts, seen := map[string]bool{}, map[string]bool{}
	for len(open) > 0 {
		next := open[0]
		open = open[1:]
		if seen[next] {
			continue
		}
		seen[next] = true
		for _, h := range holders[next] {
			if h.Kind == connector.AccountAssignedEntitlement {
				accounts[h.From.ID] = true
			} else {
				open = append(open, h.From.ID)
			}
		}
	}
	return accounts
}

func contains(all []string, one string) bool {
	for _, s := range all {
		if s == one {
			return true
		}
	}
	return false
}
