package story

import (
	"encoding/json"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/client"
	"github.com/gatehouse-project/gatehouse/simulator/aws/estate"
	"github.com/gatehouse-project/gatehouse/simulator/aws/policy"
)

// granted takes the policies that Gatehouse shows for this organisation, as
// somebody would who copies them from the command line, and has nothing else
// granted: the one to the connection's user, the other to the role of each account.
func granted(t *testing.T, p *plane, c *cloud) (own, member policy.Document) {
	t.Helper()
	s := c.Summary()
	pack := func(kind string) (d policy.Document) {
		got := p.cli(t, nil, "integrations", "permissions", "aws", "--kind", kind,
			"--set", "organizations_enabled=true", "--set", "identity_center_enabled=true",
			"--set", "member_role_name="+s.AuditRole, "--set", "external_id="+s.ExternalID)
		require.Zero(t, got.status, got.stderr)
		require.NoError(t, json.Unmarshal([]byte(got.stdout), &d), got.stdout)
		return d
	}
	own, member = pack("aws_iam_policy"), pack("aws_iam_policy_member")
	grant(t, c, own, member)
	return own, member
}

func grant(t *testing.T, c *cloud, own, member policy.Document) {
	t.Helper()
	require.NoError(t, c.Grant(estate.AuditorUser, own.JSON()))
	require.NoError(t, c.Grant(estate.AuditRole, member.JSON()))
}

// without is a policy from which one action was taken.
func without(d policy.Document, action string) policy.Document {
	var left []policy.Statement
	for _, s := range d.Statement {
		s.Action = slices.DeleteFunc(slices.Clone(s.Action), func(a string) bool { return a == action })
		if len(s.Action) > 0 {
			left = append(left, s)
		}
	}
	return policy.Of(left...)
}

// shownPolicy grants what Gatehouse shows and nothing else, and everything is read.
// Then it takes one action after the other away, and a test names each.
func shownPolicy(t *testing.T, p *plane) {
	c := newCloud(t, 15)
	conn := p.connect(t, "Shown policy", c.configuration(nil))
	// With all that the estate's auditor may.
	require.Equal(t, "succeeded", p.discover(t, conn).Outcome)

	own, member := granted(t, p, c)
	tested := p.test(t, conn)
	require.Equal(t, "success", tested.Status, "%+v", tested)
	require.Empty(t, tested.Remediation)
	again := p.requireUnchanged(t, conn)
	for _, part := range again.Coverage {
		require.Equal(t, "complete", part.Coverage, "%+v", part)
	}
	p.requireKnown(t, c, conn)

	actions := map[string]bool{}
	for _, d := range []policy.Document{own, member} {
		for _, s := range d.Statement {
			for _, a := range s.Action {
				actions[a] = true
			}
		}
	}
	require.Greater(t, len(actions), 10)
	for action := range actions {
		grant(t, c, without(own, action), without(member, action))
		tested := p.test(t, conn)
		require.Equal(t, []string{action}, missing(tested), "%s was taken away: %+v", action, tested)
		require.Contains(t, said(tested), "Missing "+action+" ")
	}
	// And a discovery keeps what it cannot see any more.
	before := p.entities(t, conn)
	grant(t, c, own, without(member, "s3:ListAllMyBuckets"))
	run := p.discover(t, conn)
	requireReason(t, run, "partially_succeeded", "permission_denied", "Grant the missing permission at the provider")
	require.Equal(t, before, p.entities(t, conn))
	grant(t, c, own, member)
	p.requireUnchanged(t, conn)
}

// missing are the permissions that a test found missing, each once.
func missing(tested client.ConnectionTest) []string {
	names := []string{}
	for _, s := range tested.Streams {
		names = append(names, s.Missing...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// said is all that a test says of what it found.
func said(tested client.ConnectionTest) string {
	text := strconv.Itoa(len(tested.Remediation)) + " findings:\n"
	for _, r := range tested.Remediation {
		text += r.Message + " " + r.Action + "\n"
	}
	return text
}
