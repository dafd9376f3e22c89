package story

import (
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/client"
	simulator "github.com/gatehouse-project/gatehouse/simulator/cyberark"
	"github.com/gatehouse-project/gatehouse/simulator/cyberark/estate"
)

// cyberArk connects a CyberArk Identity tenant, discovers it, and asks who may launch
// an application; a right that is taken away later closes nothing.
func cyberArk(t *testing.T, p *plane) {
	s, err := simulator.New(simulator.Options{People: people, Seed: 41})
	require.NoError(t, err)
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	const name = "CyberArk"
	a := s.Estate().Auditor
	created := p.cli(t, []string{"STORY_PASSWORD=" + a.Password}, "connections", "create", "cyberark_identity", "--name", name, "--set-env", "client_secret=STORY_PASSWORD",
		"--set", "tenant_url="+s.TenantURL(), "--set", "application_id="+a.ApplicationID, "--set", "scope="+a.Scope, "--set", "client_id="+a.Login,
		"--set", "endpoint_url="+server.URL, "-o", "json")
	require.Zero(t, created.status, created.stderr)

	var tested client.ConnectionTest
	p.ask(t, &tested, "connections", "test", name)
	require.Equal(t, "success", tested.Status, "%+v", tested)
	var conn client.Connection
	p.ask(t, &conn, "connections", "show", name)
	require.NotNil(t, conn.Target)
	require.Equal(t, s.Estate().TenantID, conn.Target.ProviderID)

	var run client.Run
	printed := p.ask(t, &run, "runs", "start", "discovery.run", "--connection", name, "--watch")
	require.Equal(t, "succeeded", run.Outcome, printed)
	require.Zero(t, run.SummaryCounts["relationships_dangling"], printed)
	launchersAre(t, p, s)

	_, err = s.AddFault(simulator.Fault{Kind: simulator.FaultDeny, Permission: "Read Only Role Management"})
	require.NoError(t, err)
	p.ask(t, &run, "runs", "start", "discovery.run", "--connection", name, "--watch")
	require.Equal(t, "partially_succeeded", run.Outcome)
	launchersAre(t, p, s)
}

// launchersAre compares who may launch applications with what the tenant is made of:
// by roles within roles, by the role of everybody, by themselves.
func launchersAre(t *testing.T, p *plane, s *simulator.Simulator) {
	t.Helper()
	e := s.Estate()
	for _, n := range []int{estate.AppPayroll, estate.AppBenefits, estate.AppVault} {
		app := &e.Applications[n]
		want := map[string]bool{}
		for _, person := range e.Launchers(app) {
			want[e.UserID(person)] = true
		}
		var who struct {
			Principals []client.Access `json:"principals"`
			Observed   bool            `json:"observed"`
		}
		p.ask(t, &who, "access", "who-can", app.ID, "--action", "Run", "--all")
		require.True(t, who.Observed)
		got := map[string]bool{}
		for _, id := range accountsOf(who.Principals) {
			if id != e.Auditor.UserID {
				got[id] = true
			}
		}
		require.Equal(t, want, got, app.Name)
	}
}
