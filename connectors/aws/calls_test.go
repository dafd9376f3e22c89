package aws_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// perItem are the operations AWS offers only for one thing at a time.
func perItem() []string {
	return []string{"s3:GetBucketPolicy", "lambda:GetPolicy", "identitystore:ListGroupMemberships", "sso:ListAccountAssignments"}
}

// calls returns how many calls the simulator has had, and how many of these
// were of operations that work in bulk.
func (c *cloud) calls() (all, bulk int) {
	for _, n := range c.Requests() {
		all += n
	}
	bulk = all
	for _, name := range perItem() {
		bulk -= c.Requests()[name]
	}
	return all, bulk
}

// TestCallsAreBulk holds the calls per 1,000 entities at AWS's largest pages,
// and that what AWS offers only one by one is asked for once each.
func TestCallsAreBulk(t *testing.T) {
	t.Parallel()
	c := newCloud(t, 2000)
	g := discover(t, c.settings(t, nil))
	require.Empty(t, g.gaps)
	counts, made := c.Summary().Counts, c.Requests()
	all, bulk := c.calls()
	t.Logf("%d calls, %d of them bulk, for %d entities and %d relationships", all, bulk, len(g.entities), len(g.relationships))
	// What every account costs however small it is, and the directory's lists.
	require.LessOrEqual(t, bulk, 12*counts.Accounts+len(g.entities)*25/1000, "bulk calls")
	require.Equal(t, counts.Buckets, made["s3:GetBucketPolicy"])
	require.LessOrEqual(t, made["lambda:GetPolicy"], counts.Functions)
	require.LessOrEqual(t, made["identitystore:ListGroupMemberships"], counts.DirectoryGroups+counts.DirectoryMemberships/100)
	require.LessOrEqual(t, made["sso:ListAccountAssignments"], counts.ProvisionedSets+counts.Assignments/100)
	require.LessOrEqual(t, made["sso:DescribePermissionSet"], counts.PermissionSets)
}
