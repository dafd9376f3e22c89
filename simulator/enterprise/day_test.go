package enterprise_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/simulator/enterprise"
)

func TestDaysChangeLittle(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		founders := rapid.IntRange(2, 5000).Draw(t, "people")
		company, err := enterprise.New(founders, rapid.Int64().Draw(t, "seed"))
		require.NoError(t, err)
		day := rapid.IntRange(0, 2000).Draw(t, "day")
		today, tomorrow := company.On(day), company.On(day+1)
		require.Equal(t, founders, company.People())
		require.Equal(t, founders, tomorrow.Founders())
		require.Equal(t, max(1, founders/1000), tomorrow.People()-today.People(), "joiners of a day")
		moved, left := 0, 0
		for i := range today.People() {
			before, after := today.Person(i), tomorrow.Person(i)
			require.Equal(t, before.Username, after.Username, "nobody is renamed")
			require.Equal(t, before.Started, after.Started)
			if before.Left {
				require.True(t, after.Left, "nobody comes back")
			} else if after.Left {
				left++
			}
			if before.Department != after.Department {
				moved++
			}
		}
		require.LessOrEqual(t, moved, 5+today.People()/200)
		require.LessOrEqual(t, left, 5+today.People()/200)
		if rapid.Bool().Draw(t, "constant") {
			for _, i := range []int{0, founders - 1} {
				require.Empty(t, cmp.Diff(company.Person(i), tomorrow.Person(i)))
			}
		}
	})
}

func TestYearsChangeMuch(t *testing.T) {
	t.Parallel()
	const people, year = 2000, 365
	company, err := enterprise.New(people, 3)
	require.NoError(t, err)
	then := company.On(year)
	require.Equal(t, people+2*year, then.People())
	moved, left, removed := 0, 0, 0
	for i := range people {
		if company.Department(i) != then.Department(i) {
			moved++
		}
		if then.Leaver(i) {
			left++
		}
		if then.Removed(i) {
			removed++
			require.True(t, then.Left(i))
		}
	}
	require.Greater(t, moved, people/5)
	require.Greater(t, left, people/6)
	require.Greater(t, left, removed)
	require.Greater(t, removed, people/8)
}
