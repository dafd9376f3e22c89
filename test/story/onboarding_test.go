package story

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/client"
)

// TestOnboarding goes from a wrong key to the first answer by one session, on a
// `gatehouse dev` that is killed while the bootstrap is under way.
func TestOnboarding(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, first := startDev(t, dir)
	c := newCloud(t, 16)

	session := wrongKeyIsExplained(t, p, c)
	wrongKeyIsMended(t, p, c, session)

	slowly(t, c)
	started, err := p.api.Bootstrap(t.Context(), session.SessionID, session.ConnectionID, []string{"discovery.run", "connection.test"})
	require.NoError(t, err)
	require.Equal(t, "accepted", started.Value.Status)
	stands := p.session(t, session.SessionID)
	require.Equal(t, "bootstrapping", stands.Status)
	require.Equal(t, []string{"started", "pending"}, states(stands), "one after the other")
	run := stands.Operations[0].RunID
	eventually(t, run+" has stored a batch", func() bool { return batchesOf(t, p.database, run) > 0 })
	tests := runsOf(t, p, "connection.test")
	first.kill(t)
	c.ClearFaults()

	again, second := startDev(t, dir)
	require.Equal(t, []string{"started", "pending"}, states(again.session(t, session.SessionID)))
	endLease(t, again.database, run)
	ended := again.finished(t, run)
	require.Equal(t, "succeeded", ended.Outcome, "%+v", ended)
	eventually(t, session.SessionID+" is complete", func() bool { return again.session(t, session.SessionID).Status == "completed" })

	stands = again.session(t, session.SessionID)
	require.Equal(t, run, stands.Operations[0].RunID, "the run that was under way is the operation's")
	require.Equal(t, []string{"ended", "ended"}, states(stands))
	for _, o := range stands.Operations {
		require.Equal(t, "succeeded", o.Outcome, "%+v", o)
	}
	require.Len(t, runsOf(t, again, "discovery.run"), 1, "nothing was started twice")
	require.Len(t, runsOf(t, again, "connection.test"), len(tests)+1)
	test := again.finished(t, stands.Operations[1].RunID)
	require.False(t, test.CreatedAt.Before(*ended.CompletedAt), "the second starts when the first has ended")
	again.requireKnown(t, c, stands.ConnectionID)
	shown := again.cli(t, nil, "onboard", "show", session.SessionID)
	require.Zero(t, shown.status, shown.stderr)
	require.Contains(t, shown.stdout, "completed")
	second.stop(t)
}

// wrongKeyIsExplained begins a session by the command line with a key that AWS
// does not know.
func wrongKeyIsExplained(t *testing.T, p *plane, c *cloud) client.Onboarding {
	s := c.Summary()
	secret := []string{"STORY_SECRET=no-such-secret"}
	failed := p.cli(t, secret, "onboard", "aws", "--name", "Onboarded", "--yes",
		"--set", "access_key_id="+s.Auditor.AccessKeyID, "--set-env", "secret_access_key=STORY_SECRET", "--set", "region="+s.Region,
		"--set", "endpoint_url="+c.url, "--set", "organizations_enabled=true", "--set", "identity_center_enabled=true",
		"--set", "member_role_name="+s.AuditRole, "--set", "external_id="+s.ExternalID)
	require.Equal(t, 5, failed.status, failed.stdout+failed.stderr)
	printed := failed.stdout + failed.stderr
	require.Contains(t, printed, "The provider does not accept the credentials")
	require.NotContains(t, printed, "no-such-secret")
	sessions, err := p.api.OnboardingSessions(t.Context(), client.OnboardingFilter{Mine: true}, client.Pages{})
	require.NoError(t, err)
	require.Len(t, sessions.Items, 1)
	session := p.session(t, sessions.Items[0].SessionID)
	require.Contains(t, printed, "gatehouse onboard resume "+session.SessionID, "it says how to go on")
	require.Equal(t, "open", session.Status)
	require.Equal(t, "verify", session.Step)
	require.Equal(t, "credential_invalid", session.Verification.ReasonCode)
	require.NotEmpty(t, session.Verification.Remediation)
	require.NotEmpty(t, session.NextSteps)
	require.Empty(t, runsOf(t, p, "discovery.run"), "nothing starts before the test succeeded")

	status, refused := p.send(t, "POST", "/v1/onboarding/"+session.SessionID+"/bootstrap",
		`{"connection_id":"`+session.ConnectionID+`","selected_operations":["discovery.run"]}`)
	require.Equal(t, 409, status, refused)
	return session
}

// wrongKeyIsMended enters the right one, and verifies again.
func wrongKeyIsMended(t *testing.T, p *plane, c *cloud, session client.Onboarding) {
	secret := []string{"STORY_SECRET=" + c.Summary().Auditor.SecretAccessKey}
	edited := p.cli(t, secret, "connections", "edit", session.ConnectionID, "--set-env", "secret_access_key=STORY_SECRET")
	require.Zero(t, edited.status, edited.stderr)
	verified, err := p.api.VerifyOnboarding(t.Context(), session.SessionID)
	require.NoError(t, err)
	require.Equal(t, "accepted", verified.Value.Status)
	require.Equal(t, "succeeded", p.finished(t, verified.Value.Run.ID).Outcome)
	require.Equal(t, "bootstrap", p.session(t, session.SessionID).Step)
}

// session is how an onboarding session stands.
func (p *plane) session(t *testing.T, session string) client.Onboarding {
	t.Helper()
	a, err := p.api.Onboarding(t.Context(), session)
	require.NoError(t, err)
	return a.Value
}

func states(o client.Onboarding) []string {
	list := []string{}
	for _, op := range o.Operations {
		list = append(list, op.State)
	}
	return list
}

// runsOf are all runs of an operation.
func runsOf(t *testing.T, p *plane, operation string) []client.Run {
	t.Helper()
	l, err := p.api.Runs(t.Context(), client.RunFilter{Operation: operation}, client.Pages{})
	require.NoError(t, err)
	return l.Items
}
