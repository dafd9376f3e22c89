package connection_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/operation"
)

func TestNothingIsDueOfWhatMayNotBeUsed(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	for lifecycle, due := range map[connection.Lifecycle]*time.Time{connection.Active: &at, connection.Disabled: nil, connection.NeedsConsent: nil} {
		c := connection.Connection{Lifecycle: lifecycle, NextRunAt: &at}
		require.Equal(t, due, c.Due(false), lifecycle)
		require.Nil(t, c.Due(true), "the workspace is archived")
		c.SchedulePause = &connection.Pause{Since: at, Reason: operation.CredentialInvalid}
		require.Nil(t, c.Due(false), "the schedule is paused")
	}
}
