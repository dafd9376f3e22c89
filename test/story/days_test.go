package story

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/client"
	"github.com/gatehouse-project/gatehouse/simulator/aws/estate"
)

// days pass at the provider: people join, move, leave, and lose or get access. On
// each of them, discovery finds who reaches the payroll exports as the simulator
// knows it from what it made the organisation of; and later on, the same is still
// told of the earlier days.
func days(t *testing.T, p *plane) {
	c := newCloud(t, 29)
	conn := p.connect(t, "Days", c.configuration(nil))
	bucket := c.Summary().Sensitive.Name
	type seen struct {
		run   string
		truth map[string]bool
	}
	var past []seen
	changed := 0
	for _, day := range []int{0, 45, 130, 400} {
		require.NoError(t, c.Turn(day))
		told, err := c.Truth(bucket, "")
		require.NoError(t, err)
		require.Equal(t, day, told.Day)
		run := p.discover(t, conn)
		require.Equal(t, "succeeded", run.Outcome)
		require.NotEmpty(t, told.Reaches)
		now := seen{run.RunID, holders(told.Reaches)}
		require.Equal(t, now.truth, p.directoryUsersWhoReach(t, conn, c.bucket(), ""), "day %d", day)
		if len(past) > 0 && fmt.Sprint(past[len(past)-1].truth) != fmt.Sprint(now.truth) {
			changed++
		}
		past = append(past, now)
	}
	require.Positive(t, changed, "the days are all alike")
	for _, then := range past {
		require.Equal(t, then.truth, p.directoryUsersWhoReach(t, conn, c.bucket(), then.run), "as of %s", then.run)
	}
}

// holders are the users of Identity Center for whom something allows it.
func holders(reaches []estate.Reach) map[string]bool {
	users := map[string]bool{}
	for _, r := range reaches {
		users[r.UserID] = true
	}
	return users
}

// directoryUsersWhoReach asks for the users of Identity Center who can read a
// bucket without assuming anything, now or as of a run.
func (p *plane) directoryUsersWhoReach(t *testing.T, conn, bucket, asOf string) map[string]bool {
	t.Helper()
	found, err := p.api.Entities(t.Context(), client.EntityFilter{Connection: conn, ProviderID: bucket, AsOf: asOf}, client.Pages{})
	require.NoError(t, err)
	require.Len(t, found.Items, 1)
	who, err := p.api.WhoCan(t.Context(), found.Items[0].EntityID, client.AccessFilter{Action: "s3:GetObject", AsOf: asOf}, client.Pages{})
	require.NoError(t, err)
	require.False(t, who.Basis.Truncated)
	users := map[string]bool{}
	for _, row := range who.Items {
		if row.Account.Type == "identity_center_user" && row.ActingAs == nil {
			users[row.Account.ProviderID] = true
		}
	}
	return users
}
