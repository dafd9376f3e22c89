package azure_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connectors/azure"
)

// read is everything that a session emitted.
type read struct {
	entities      map[connector.Ref]connector.Entity
	relationships []connector.Relationship
	gaps          []connector.Error
	partitions    []connector.Partition
	complete      bool
	last          connector.Cursor
}

// Write keeps a page.
func (r *read) Write(_ context.Context, page connector.Page) error {
	for _, e := range page.Entities {
		r.entities[e.Ref] = e
	}
	r.relationships = append(r.relationships, page.Relationships...)
	r.gaps = append(r.gaps, page.Gaps...)
	r.last = page.Next
	return nil
}

func newRead() *read { return &read{entities: map[connector.Ref]connector.Entity{}} }

func open(t *testing.T, c azure.Connector, s connector.Settings) connector.Session {
	t.Helper()
	session, err := c.Open(t.Context(), s)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, session.Close()) })
	return session
}

// discover reads everything that is not skipped.
func discover(t *testing.T, s connector.Settings) *read {
	t.Helper()
	session := open(t, azure.New(), s)
	plan, err := session.Plan(t.Context())
	require.NoError(t, err)
	r := newRead()
	r.partitions, r.complete = plan.Partitions, plan.Complete
	for _, p := range plan.Partitions {
		if p.Skip == nil {
			require.NoError(t, session.Read(t.Context(), p, "", r), "%s/%s", p.Stream, p.Key)
		}
	}
	return r
}

// edges returns the relationships of a kind between two ids.
func (r *read) edges(kind connector.RelationshipKind, from, to string) (found []connector.Relationship) {
	for _, one := range r.relationships {
		if one.Kind == kind && one.From.ID == from && one.To.ID == to {
			found = append(found, one)
		}
	}
	return found
}
