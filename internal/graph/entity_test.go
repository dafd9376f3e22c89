package graph

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// short draws from few letters, so that concatenations of different lists are
// often the same.
func short() *rapid.Generator[string] {
	return rapid.StringOfN(rapid.RuneFrom([]rune("ab\x01")), 0, 3, -1)
}

func TestEntityIDsTellApartWhatDiffers(t *testing.T) {
	t.Parallel()
	type named struct {
		workspace  id.Workspace
		connection id.Connection
		ref        connector.Ref
	}
	draw := func(t *rapid.T, label string) named {
		return named{
			id.Workspace(rapid.Int64Range(1, 2).Draw(t, label)), id.Connection(rapid.Int64Range(1, 2).Draw(t, label)),
			connector.Ref{Kind: connector.EntityKind(short().Draw(t, label)), ID: short().Draw(t, label)},
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw(t, "a"), draw(t, "b")
		same := NewEntityID(a.workspace, a.connection, a.ref) == NewEntityID(b.workspace, b.connection, b.ref)
		require.Equal(t, a == b, same)
	})
}

func TestRelationshipIDsTellApartWhatDiffers(t *testing.T) {
	t.Parallel()
	type named struct {
		kind          connector.RelationshipKind
		from, to, key string
	}
	draw := func(t *rapid.T, label string) named {
		return named{connector.RelationshipKind(short().Draw(t, label)), short().Draw(t, label), short().Draw(t, label), short().Draw(t, label)}
	}
	h := newHasher(1, 1)
	compute := func(n named) [16]byte {
		end := func(s string) EntityID { return h.entity(connector.Ref{Kind: connector.Account, ID: s}) }
		return h.relationship(n.kind, end(n.from), end(n.to), n.key)
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw(t, "a"), draw(t, "b")
		require.Equal(t, a == b, compute(a) == compute(b))
	})
}

func TestContentHashesTellRowsApart(t *testing.T) {
	t.Parallel()
	h := newHasher(1, 1)
	type content struct{ a, b, c, d string }
	draw := func(t *rapid.T, label string) content {
		return content{short().Draw(t, label), short().Draw(t, label), short().Draw(t, label), short().Draw(t, label)}
	}
	entity := func(c content) [16]byte {
		return h.entityContent(&StagedEntity{Name: c.a, Type: c.b, Identifiers: []byte(c.c), Attributes: []byte(c.d)})
	}
	relationship := func(c content) [16]byte {
		return h.relationshipContent(&StagedRelationship{Effect: connector.Effect(c.a), Terms: []byte(c.b), Attributes: []byte(c.c)})
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw(t, "a"), draw(t, "b")
		require.Equal(t, a == b, entity(a) == entity(b))
		a.d, b.d = "", ""
		require.Equal(t, a == b, relationship(a) == relationship(b))
	})
}

func TestEntityIDIsReadAsItIsWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := NewEntityID(1, 2, connector.Ref{Kind: connector.Account, ID: rapid.String().Draw(t, "id")})
		read, err := ParseEntityID(e.String())
		require.NoError(t, err)
		require.Equal(t, e, read)
	})
	for _, s := range []string{"", "ent_", "ent_00", "conn_00000000000000000000000000000000", "ent_0000000000000000000000000000000g", "ent_000000000000000000000000000000000"} {
		_, err := ParseEntityID(s)
		require.Error(t, err, "%q", s)
	}
}

// What the database and the hash see does not depend on how nothing is written,
// and everything that is stored as content changes the hash.
func TestContentDecidesTheHash(t *testing.T) {
	t.Parallel()
	of := func(e connector.Entity) [16]byte {
		e.Ref = connector.Ref{Kind: connector.Account, ID: "a"}
		s, err := stage(1, 1, connector.Stream{Entities: []connector.EntityKind{connector.Account}}, Batch{Page: connector.Page{Entities: []connector.Entity{e}}})
		require.NoError(t, err)
		return s.Entities[0].Hash
	}
	plain := connector.Entity{Name: "n", Type: "t"}
	for _, nothing := range []string{"", "{}"} {
		e := plain
		e.Attributes = []byte(nothing)
		require.Equal(t, of(plain), of(e), "%q", nothing)
	}
	for _, other := range []connector.Entity{
		{Name: "nt"},
		{Name: "n"},
		{Type: "t"},
		{Name: "n", Type: "t", Attributes: []byte(`{"a":1}`)},
		{Name: "n", Type: "t", Identifiers: []connector.Identifier{{Type: connector.Email, Value: "a@b"}}},
	} {
		require.NotEqual(t, of(plain), of(other), "%+v", other)
	}
	edge := func(terms *connector.Terms) StagedRelationship {
		grant := connector.Relationship{
			Kind: connector.EntitlementGrantsResource, From: connector.Ref{Kind: connector.Entitlement, ID: "e"},
			To: connector.Ref{Kind: connector.Resource, ID: "r"}, Terms: terms,
		}
		stream := connector.Stream{Relationships: []connector.RelationshipKind{grant.Kind}}
		s, err := stage(1, 1, stream, Batch{Page: connector.Page{Relationships: []connector.Relationship{grant}}})
		require.NoError(t, err)
		return s.Relationships[0]
	}
	require.Equal(t, connector.Allow, edge(nil).Effect)
	deny := edge(&connector.Terms{Effect: connector.Deny})
	require.Equal(t, connector.Deny, deny.Effect)
	require.NotEqual(t, edge(nil).Hash, deny.Hash)
	require.Equal(t, edge(nil).ID, deny.ID, "what is said of an edge does not name it")
}
