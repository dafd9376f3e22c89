package aws_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/simulator/aws"
)

// TestManyAtOnce reads more accounts than the estate keeps in memory from
// several sides at the same time.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, aws.Options{People: 8000, Seed: 6})
	accounts := b.activeAccounts()
	require.Greater(t, len(accounts), 40)
	for reader := range 4 {
		t.Run(strconv.Itoa(reader), func(t *testing.T) {
			t.Parallel()
			roles := 0
			for i := range accounts {
				account := accounts[(i+reader*7)%len(accounts)]
				all, _ := details(t, b.member(t, account.ID), 1000, "Role")
				roles += len(all.RoleDetailList)
			}
			require.Equal(t, b.summary.Counts.IAMRoles, roles)
		})
	}
}
