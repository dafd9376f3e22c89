package enterprise_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/simulator/enterprise"
)

func TestUsernamesAreUnique(t *testing.T) {
	t.Parallel()
	const people = 60_000 // more than there are pairs of names
	company, err := enterprise.New(people, 11)
	require.NoError(t, err)
	seen := make(map[string]bool, people)
	for i := range people {
		person := company.Person(i)
		require.False(t, seen[person.Username], "%s twice", person.Username)
		seen[person.Username] = true
		require.True(t, strings.HasSuffix(person.Email, ".example"))
		require.Less(t, person.Manager, i)
	}
}

func TestSameSeedSamePeople(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		people := rapid.IntRange(2, enterprise.MaxPeople).Draw(t, "people")
		seed := rapid.Int64().Draw(t, "seed")
		index := rapid.IntRange(0, people-1).Draw(t, "index")
		a, err := enterprise.New(people, seed)
		require.NoError(t, err)
		b, err := enterprise.New(people, seed)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(a.Person(index), b.Person(index)))
		require.Less(t, a.Person(index).Team, a.Teams(a.Department(index)))
	})
}

func TestSmallestCompanyHasAContractor(t *testing.T) {
	t.Parallel()
	company, err := enterprise.New(2, 5)
	require.NoError(t, err)
	require.Equal(t, enterprise.Employee, company.Person(0).Employment)
	require.Equal(t, enterprise.Contractor, company.Person(1).Employment)
	require.False(t, company.Person(1).Left)
}

func TestSizeIsChecked(t *testing.T) {
	t.Parallel()
	for _, people := range []int{-1, 0, 1, enterprise.MaxPeople + 1} {
		_, err := enterprise.New(people, 1)
		require.Error(t, err)
	}
}
