package estate_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/simulator/cyberark/estate"
)

// Whatever the size: every id is there once and in order, every member and grant
// names something that exists, and who pays salaries is known.
func TestEstateFitsTogether(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e, err := estate.New(estate.Options{People: rapid.IntRange(2, 400).Draw(t, "people"), Seed: rapid.Int64().Draw(t, "seed")})
		require.NoError(t, err)
		last := ""
		for i := range e.Users() {
			id := e.UserID(e.UserAt(i))
			require.Less(t, last, id)
			last = id
			person, ok := e.Person(id)
			require.True(t, ok)
			require.Equal(t, e.UserAt(i), person)
		}
		known := map[string]bool{e.Auditor.UserID: true}
		for _, g := range e.Groups {
			require.False(t, known[g.ID])
			known[g.ID] = true
		}
		for _, r := range e.Roles {
			require.False(t, known[r.ID])
			known[r.ID] = true
		}
		exists := func(m estate.Member) {
			_, person := e.Person(m.ID)
			require.True(t, person || known[m.ID], "%s %s", m.Kind, m.Name)
		}
		for i := range e.Roles {
			for n := range e.Members(&e.Roles[i]) {
				exists(e.Member(&e.Roles[i], n))
			}
		}
		for _, a := range e.Applications {
			for _, g := range a.Grants {
				exists(g.Who)
			}
		}
		require.Contains(t, e.Launchers(&e.Applications[estate.AppPayroll]), e.Contractor())
		require.Contains(t, e.Launchers(&e.Applications[estate.AppVault]), e.Contractor())
		require.Len(t, e.Launchers(&e.Applications[estate.AppBenefits]), e.Company.People())
	})
}

func TestSameSeedSameEstate(t *testing.T) {
	t.Parallel()
	one, err := estate.New(estate.Options{People: 80, Seed: 3})
	require.NoError(t, err)
	other, err := estate.New(estate.Options{People: 80, Seed: 3})
	require.NoError(t, err)
	require.Equal(t, one, other)
}
