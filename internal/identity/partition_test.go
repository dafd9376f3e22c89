package identity_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/identity"
)

func principal(n byte) graph.EntityID { return graph.EntityID{n + 1} }

func own(n byte) graph.IdentityID { return principal(n).OwnIdentity() }

func TestSplitsKeepApart(t *testing.T) {
	t.Parallel()
	p := identity.NewPartition(5)
	p.Split(0, 2)
	p.Same([]int32{0, 1})
	p.Same([]int32{1, 2, 3}) // 2 may not come to 1, which is with 0; 3 may
	p.Same([]int32{2, 4})
	p.Same([]int32{3, 4})
	var parts []int32
	for n := range int32(5) {
		parts = append(parts, p.Part(n))
	}
	require.Equal(t, []int32{0, 0, 2, 0, 2}, parts)
}

// Without splits, parts are the connected components, found here by walking.
func TestPartsAreConnectedComponents(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 30).Draw(t, "principals")
		var groups [][]int32
		for range rapid.IntRange(0, 20).Draw(t, "groups") {
			g := rapid.SliceOfNDistinct(rapid.Int32Range(0, int32(n-1)), 1, min(n, 4), rapid.ID).Draw(t, "group")
			slices.Sort(g)
			groups = append(groups, g)
		}
		p := identity.NewPartition(n)
		for _, g := range groups {
			p.Same(g)
		}
		reached := func(from int32) []int32 {
			met := []int32{from}
			for i := 0; i < len(met); i++ {
				for _, g := range groups {
					if slices.Contains(g, met[i]) {
						for _, m := range g {
							if !slices.Contains(met, m) {
								met = append(met, m)
							}
						}
					}
				}
			}
			return met
		}
		for i := range int32(n) {
			require.Equal(t, slices.Min(reached(i)), p.Part(i))
		}
	})
}

func TestIdentitiesKeepTheirNumbers(t *testing.T) {
	t.Parallel()
	elsewhere := graph.IdentityID{99}
	for name, c := range map[string]struct {
		was    []graph.IdentityID
		groups [][]int32
		want   []graph.IdentityID
	}{
		"two meet: the least":             {[]graph.IdentityID{own(0), own(1)}, [][]int32{{0, 1}}, []graph.IdentityID{own(0), own(0)}},
		"one joins a larger one":          {[]graph.IdentityID{own(0), own(2), own(2)}, [][]int32{{0, 1, 2}}, []graph.IdentityID{own(2), own(2), own(2)}},
		"equal halves: with the founder":  {[]graph.IdentityID{own(1), own(1)}, nil, []graph.IdentityID{own(0), own(1)}},
		"equal halves without a founder":  {[]graph.IdentityID{elsewhere, elsewhere}, nil, []graph.IdentityID{elsewhere, own(1)}},
		"the last one keeps what it had":  {[]graph.IdentityID{elsewhere}, nil, []graph.IdentityID{elsewhere}},
		"the larger part keeps":           {[]graph.IdentityID{elsewhere, elsewhere, elsewhere}, [][]int32{{1, 2}}, []graph.IdentityID{own(0), elsewhere, elsewhere}},
		"of two the one of most":          {[]graph.IdentityID{own(0), elsewhere, elsewhere}, [][]int32{{0, 1, 2}}, []graph.IdentityID{elsewhere, elsewhere, elsewhere}},
		"unchanged by being looked at":    {[]graph.IdentityID{own(1), own(1), own(2)}, [][]int32{{0, 1}}, []graph.IdentityID{own(1), own(1), own(2)}},
		"founders meet, the others too":   {[]graph.IdentityID{own(0), own(0), own(2), own(2)}, [][]int32{{0, 2}, {1, 3}}, []graph.IdentityID{own(0), own(1), own(0), own(1)}},
		"a founder that comes back":       {[]graph.IdentityID{{}, own(2)}, [][]int32{{0, 1}}, []graph.IdentityID{own(2), own(2)}},
		"nobody is two, and nobody fails": {nil, nil, []graph.IdentityID{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			nodes := make([]identity.Node, len(c.was))
			for i := range nodes {
				nodes[i] = identity.Node{Principal: principal(byte(i)), Was: c.was[i]}
			}
			p := identity.NewPartition(len(nodes))
			for _, g := range c.groups {
				p.Same(g)
			}
			got, err := identity.Assign(nodes, p)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

// The founder leaves the larger part, which keeps the founder's number: the
// founder gets one that nobody has had.
func TestFounderThatLeavesGetsANewNumber(t *testing.T) {
	t.Parallel()
	nodes := []identity.Node{{principal(0), own(0)}, {principal(1), own(0)}, {principal(2), own(0)}}
	p := identity.NewPartition(3)
	p.Same([]int32{1, 2})
	got, err := identity.Assign(nodes, p)
	require.NoError(t, err)
	require.Equal(t, []graph.IdentityID{own(0), own(0)}, got[1:])
	require.NotContains(t, []graph.IdentityID{own(0), own(1), own(2), {}}, got[0])
}

// A hundred thousand that fall apart, or come together, take no quadratic work:
// the test would not end.
func TestManyFallApartAndComeTogether(t *testing.T) {
	t.Parallel()
	const many = 100_000
	nodes := make([]identity.Node, many)
	for i := range nodes {
		nodes[i] = identity.Node{Principal: graph.EntityID{1, byte(i >> 16), byte(i >> 8), byte(i)}, Was: own(1)}
	}
	apart, err := identity.Assign(nodes, identity.NewPartition(many))
	require.NoError(t, err)
	slices.SortFunc(apart, func(a, b graph.IdentityID) int { return slices.Compare(a[:], b[:]) })
	require.Len(t, slices.Compact(apart), many)
	chain := identity.NewPartition(many)
	for i := range int32(many - 1) {
		chain.Same([]int32{i, i + 1})
	}
	together, err := identity.Assign(nodes, chain)
	require.NoError(t, err)
	require.Len(t, slices.Compact(together), 1)
}
