package chance_test

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/simulator/enterprise/chance"
)

func TestDrawsDependOnSeedKindAndKeysOnly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Int64().Draw(t, "seed")
		kind := rapid.String().Draw(t, "kind")
		key := rapid.Int().Draw(t, "key")
		n := rapid.IntRange(1, 1000).Draw(t, "n")
		a, b := chance.New(seed), chance.New(seed)
		require.Equal(t, a.Uint64(kind, key), b.Uint64(kind, key))
		drawn := a.Intn(n, kind, key)
		require.GreaterOrEqual(t, drawn, 0)
		require.Less(t, drawn, n)
	})
}

func TestDifferentKeysDiffer(t *testing.T) {
	t.Parallel()
	source := chance.New(7)
	seen := map[string]bool{}
	for i := range 20_000 {
		seen[source.Letters(17, chance.Base32, "user", i)] = true
	}
	require.Len(t, seen, 20_000)
	require.NotEqual(t, source.Uint64("a", 1, 2), source.Uint64("a", 2, 1))
	require.NotEqual(t, source.Uint64("a", 1), chance.New(8).Uint64("a", 1))
}

func TestPercentIsAboutThatShare(t *testing.T) {
	t.Parallel()
	source := chance.New(1)
	hits := 0
	for i := range 10_000 {
		if source.Percent(8, "share", i) {
			hits++
		}
	}
	require.InDelta(t, 800, hits, 120)
}

func TestUUIDForm(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	for i := range 100 {
		require.Regexp(t, form, chance.New(3).UUID("id", i))
	}
}
