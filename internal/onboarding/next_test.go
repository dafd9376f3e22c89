package onboarding_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/onboarding"
)

// Whoever has given the connection a schedule is not asked to.
func TestACompletedSessionAsksForAScheduleWhereThereIsNone(t *testing.T) {
	t.Parallel()
	for scheduled, want := range map[bool][]string{
		false: {"Ask who can reach what", "Give the connection a schedule"},
		true:  {"Ask who can reach what"},
	} {
		s := onboarding.Session{ID: 3, Status: onboarding.Completed, Connection: 4, Scheduled: scheduled}
		var labels []string
		for _, step := range s.NextSteps() {
			labels = append(labels, step.Label)
		}
		require.Equal(t, want, labels)
	}
}
