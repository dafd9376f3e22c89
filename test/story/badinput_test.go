package story

import (
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/client"
	simulator "github.com/gatehouse-project/gatehouse/simulator/aws"
)

// badConfiguration goes through what is refused before anything is stored. The
// command and the API must both say which field it is.
func badConfiguration(t *testing.T, p *plane) {
	const secret = "story-badConfiguration-canary"
	valid := map[string]any{"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": secret, "region": "us-east-1"}
	for name, test := range map[string]struct {
		edit     map[string]any
		scope    map[string]any
		location string
		says     string
	}{
		"misspelt field":    {edit: map[string]any{"regoin": "us-east-1"}, location: "configuration.regoin", says: "did you mean region?"},
		"unknown field":     {edit: map[string]any{"favourite_colour": "blue"}, location: "configuration.favourite_colour", says: "is not a known field"},
		"missing secret":    {edit: map[string]any{"secret_access_key": nil}, location: "configuration.secret_access_key", says: "is missing"},
		"malformed region":  {edit: map[string]any{"region": "Frankfurt"}, location: "configuration.region", says: "must match"},
		"malformed account": {scope: map[string]any{"aws_accounts": []string{"12345"}}, location: "scope.aws_accounts", says: "must match"},
		"wrong type":        {edit: map[string]any{"organizations_enabled": "perhaps"}, location: "configuration.organizations_enabled", says: "boolean"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := draft(t, "Bad configuration: "+name, valid)
			for field, value := range raw(t, test.edit) {
				d.Configuration[field] = value
				if test.edit[field] == nil {
					delete(d.Configuration, field)
				}
			}
			d.Scope = raw(t, test.scope)
			_, err := p.api.CreateConnection(t.Context(), d, "")
			var problem *client.Problem
			require.ErrorAs(t, err, &problem)
			require.Equal(t, http.StatusUnprocessableEntity, problem.Status)
			require.Len(t, problem.Errors, 1, "%+v", problem.Errors)
			require.Contains(t, problem.Errors[0].Location, test.location)
			require.Contains(t, problem.Errors[0].Message, test.says)
			require.NotContains(t, err.Error(), secret)
		})
	}
	t.Run("on the command line", func(t *testing.T) {
		t.Parallel()
		environment := []string{"STORY_SECRET=" + secret}
		for _, test := range []struct {
			args []string
			says string
		}{
			{[]string{"--set", "regoin=us-east-1", "--set-env", "secret_access_key=STORY_SECRET"}, "did you mean region?"},
			{[]string{"--set", "region=us-east-1"}, "configuration.secret_access_key: is missing"},
			{[]string{"--set", "secret_access_key=in-sight-of-ps"}, "--set-file"},
			{[]string{"--set-env", "secret_access_key=STORY_SECRET", "--scope", "aws_accounts=12345"}, "scope.aws_accounts"},
		} {
			got := p.cli(t, environment, append([]string{"connections", "create", "aws", "--name", "Bad on the command line", "--set", "access_key_id=AKIAIOSFODNN7EXAMPLE"}, test.args...)...)
			require.NotZero(t, got.status, got.stdout)
			require.Contains(t, got.stderr, test.says)
			require.NotContains(t, got.stderr+got.stdout, secret)
			require.NotContains(t, got.stderr+got.stdout, "in-sight-of-ps")
		}
		list, err := p.api.Connections(t.Context(), client.ConnectionFilter{Integration: "aws"}, client.Pages{})
		require.NoError(t, err)
		for _, stored := range list.Items {
			require.NotEqual(t, "Bad on the command line", stored.Name)
		}
	})
}

// badCredentials replaces credentials that worked by others, and requires that
// test and run say so and that the graph stays.
func badCredentials(t *testing.T, p *plane) {
	c := newCloud(t, 2)
	s := c.Summary()
	conn := p.connect(t, "Bad credentials", c.configuration(nil))
	require.Equal(t, "succeeded", p.discover(t, conn).Outcome)
	before := p.entities(t, conn)
	for _, wrong := range []map[string]any{
		{"secret_access_key": "no-such-secret"},
		{"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": s.Auditor.SecretAccessKey},
	} {
		p.edit(t, conn, wrong)
		tested := p.test(t, conn)
		require.Equal(t, "failure", tested.Status)
		require.Equal(t, "credential_invalid", tested.ReasonCode)
		require.NotEmpty(t, tested.Remediation)
		require.Equal(t, "credentials", tested.Remediation[0].Category)
		require.NotEmpty(t, tested.Remediation[0].Action)

		run := p.discover(t, conn)
		requireReason(t, run, "failed", "credential_invalid", "Enter new credentials")
		require.Equal(t, before, p.entities(t, conn))
		p.requireKnown(t, c, conn)
	}
	p.edit(t, conn, map[string]any{"access_key_id": s.Auditor.AccessKeyID, "secret_access_key": s.Auditor.SecretAccessKey})
	p.requireUnchanged(t, conn)
}

// requireReason requires that a run ended as expected and says what to do.
func requireReason(t *testing.T, run client.Run, outcome, reason, step string) {
	t.Helper()
	require.Equal(t, outcome, run.Outcome, "%+v", run)
	require.Equal(t, reason, run.ReasonCode)
	require.NotEmpty(t, run.ShortReason)
	require.NotNil(t, run.FailureSummary)
	require.NotEmpty(t, run.FailureSummary.Message)
	var labels []string
	for _, next := range run.NextSteps {
		labels = append(labels, next.Label)
	}
	require.Contains(t, labels, step)
}

// unreachable tests connections that lead nowhere: a port nobody listens on,
// and a region that does not exist.
func unreachable(t *testing.T, p *plane) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	dead := "http://" + l.Addr().String()
	require.NoError(t, l.Close())
	key := map[string]any{"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "story"}
	for name, edit := range map[string]map[string]any{
		"dead endpoint": {"endpoint_url": dead},
		"wrong region":  {"region": "xx-nowhere-9"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fields := map[string]any{}
			for _, part := range []map[string]any{key, edit} {
				for field, value := range part {
					fields[field] = value
				}
			}
			conn := p.connect(t, "Unreachable: "+name, fields)
			tested := p.test(t, conn)
			require.Equal(t, "failure", tested.Status)
			require.Equal(t, "network_unreachable", tested.ReasonCode, "%+v", tested)
			require.NotEmpty(t, tested.Remediation)
			require.Equal(t, "network", tested.Remediation[0].Category)
			require.Contains(t, tested.Remediation[0].Message, "check region, endpoint_url")
			require.Contains(t, tested.Remediation[0].Action, "Check region and endpoint")
			run, err := p.api.Run(t.Context(), tested.RunID, 0)
			require.NoError(t, err)
			requireReason(t, run.Value, "failed", "network_unreachable", "Check region and endpoint")
		})
	}
}

// deniedStream takes one permission away after everything was read once.
func deniedStream(t *testing.T, p *plane) {
	c := newCloud(t, 5)
	conn := p.connect(t, "Denied stream", c.configuration(nil))
	require.Equal(t, "succeeded", p.discover(t, conn).Outcome)
	before := p.entities(t, conn)

	c.fail(t, simulator.Fault{Kind: simulator.FaultDeny, Service: "lambda", Operation: "ListFunctions"})
	run := p.discover(t, conn)
	requireReason(t, run, "partially_succeeded", "permission_denied", "Grant the missing permission at the provider")
	require.Contains(t, run.FailureSummary.Message, "not read completely")
	require.Equal(t, before, p.entities(t, conn), "what was not seen is not gone")
	var incomplete []client.Coverage
	for _, part := range run.Coverage {
		if part.Coverage != "complete" {
			incomplete = append(incomplete, part)
			require.Equal(t, "permission_denied", part.ReasonCode)
			require.Contains(t, part.Message, "lambda:ListFunctions")
		}
	}
	require.NotEmpty(t, incomplete)

	c.ClearFaults()
	p.requireUnchanged(t, conn)
}

// throttlingStorm limits the rate again and again while a run reads.
func throttlingStorm(t *testing.T, p *plane) {
	c := newCloud(t, 6)
	c.fail(t, simulator.Fault{Kind: simulator.FaultThrottle, After: 20, Times: 6})
	conn := p.connect(t, "Throttling storm", c.configuration(nil))
	run := p.discover(t, conn)
	require.Equal(t, "succeeded", run.Outcome, "%+v", run)
	require.Positive(t, c.struck())
	p.requireKnown(t, c, conn)
	c.ClearFaults()
	p.requireUnchanged(t, conn)
}

// expiringSessions ends the session of every role that is assumed in the member
// accounts after a few calls. Roles are assumed again, and nothing is missing.
func expiringSessions(t *testing.T, p *plane) {
	c := newCloud(t, 7)
	conn := p.connect(t, "Expiring sessions", c.configuration(nil))
	require.Equal(t, "succeeded", p.discover(t, conn).Outcome)

	c.fail(t, simulator.Fault{Kind: simulator.FaultExpire, After: 8})
	run := p.requireUnchanged(t, conn)
	require.Positive(t, c.struck())
	for _, part := range run.Coverage {
		require.Equal(t, "complete", part.Coverage, "%+v", part)
	}
	p.requireKnown(t, c, conn)
}

// expiredForGood has AWS call every session of a role expired, however often
// the role is assumed: those in the member accounts of one connection, and the
// one that everything begins with of another.
func expiredForGood(t *testing.T, p *plane) {
	c := newCloud(t, 8)
	members := p.connect(t, "Members expired", c.configuration(nil))
	first := p.connect(t, "Expired from the start", c.configuration(map[string]any{
		"auth_mode": "assume_role", "role_arn": c.Summary().AuditRoleARN, "organizations_enabled": false, "identity_center_enabled": false,
	}))
	before := map[string]map[string]client.Entity{}
	for _, conn := range []string{members, first} {
		run := p.discover(t, conn)
		require.Equal(t, "succeeded", run.Outcome, "%+v", run)
		before[conn] = p.entities(t, conn)
	}

	c.fail(t, simulator.Fault{Kind: simulator.FaultExpire})
	run := p.discover(t, members)
	requireReason(t, run, "partially_succeeded", "credential_expired", "Renew the credentials")
	p.requireKnown(t, c, members)
	tested := p.test(t, first)
	require.Equal(t, "failure", tested.Status)
	require.Equal(t, "credential_expired", tested.ReasonCode, "%+v", tested)
	require.NotEmpty(t, tested.Remediation)
	requireReason(t, p.discover(t, first), "failed", "credential_expired", "Renew the credentials")
	for conn, entities := range before {
		require.Equal(t, entities, p.entities(t, conn), "nothing that could not be read is gone")
	}

	c.ClearFaults()
	p.requireUnchanged(t, members)
	p.requireUnchanged(t, first)
}

// brokenProvider garbles every answer of one service.
func brokenProvider(t *testing.T, p *plane) {
	c := newCloud(t, 10)
	c.fail(t, simulator.Fault{Kind: simulator.FaultBroken})
	conn := p.connect(t, "Broken provider", c.configuration(nil))
	tested := p.test(t, conn)
	require.Equal(t, "failure", tested.Status)
	require.Equal(t, "provider_unavailable", tested.ReasonCode)
	require.NotEmpty(t, tested.Remediation)
	require.NotEmpty(t, tested.Remediation[0].Action)
}
