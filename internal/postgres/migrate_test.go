package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/postgres"
)

func TestMigratingAsTheWrongRoleSaysWhatItNeeds(t *testing.T) {
	t.Parallel()
	err := postgres.Migrate(t.Context(), databases.New(t).URL("svc_discovery"))
	require.ErrorContains(t, err, "must own the database")
	require.ErrorContains(t, err, "permission denied")
}
