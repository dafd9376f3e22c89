package aws_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/simulator/aws"
)

// Each account has a bucket of its own for each service, and it refills.
func TestRateIsCountedByAccountAndService(t *testing.T) {
	t.Parallel()
	now := time.Now()
	b := setup(t, aws.Options{People: 10, Seed: 1, Clock: func() time.Time { return now }})
	auditor, member := b.auditor(), b.member(t, b.activeAccounts()[1].ID)
	_, err := b.AddFault(aws.Fault{Kind: aws.FaultRate, CallsPerSecond: 2, Burst: 3})
	require.NoError(t, err)
	list := func() error {
		_, err := iam.NewFromConfig(auditor).ListUsers(t.Context(), &iam.ListUsersInput{})
		return err
	}
	for range 3 {
		require.NoError(t, list())
	}
	requireCode(t, list(), "Throttling")
	_, err = sts.NewFromConfig(auditor).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	require.NoError(t, err, "another service")
	_, err = iam.NewFromConfig(member).ListUsers(t.Context(), &iam.ListUsersInput{})
	require.NoError(t, err, "another account")
	now = now.Add(time.Second)
	require.NoError(t, list())
	require.NoError(t, list())
	requireCode(t, list(), "Throttling")
	require.Equal(t, 2, b.Faults()[0].Hits)

	for _, bad := range []aws.Fault{{Kind: aws.FaultRate}, {Kind: aws.FaultRate, Burst: 1}, {Kind: aws.FaultSlow, DelayMilliseconds: 1, Burst: 1, CallsPerSecond: 1}} {
		_, err := b.AddFault(bad)
		require.Error(t, err)
	}
}
