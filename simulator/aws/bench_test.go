package aws_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/simulator/aws"
)

// BenchmarkNew makes an organisation of 100,000 people, counts what is in
// it, and tells how much memory stays in use.
func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		simulator, err := aws.New(aws.Options{People: 100_000, Seed: 1})
		require.NoError(b, err)
		require.Positive(b, simulator.Summary().Counts.IAMUsers)
		b.StopTimer()
		runtime.GC()
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		b.ReportMetric(float64(memory.HeapAlloc)/(1<<20), "heap-MiB")
		b.ReportMetric(float64(memory.Sys)/(1<<20), "sys-MiB")
		runtime.KeepAlive(simulator)
		b.StartTimer()
	}
}

// BenchmarkAuthorizationDetails reads every account through the SDK.
func BenchmarkAuthorizationDetails(b *testing.B) {
	s := setup(b, aws.Options{People: 20_000, Seed: 1})
	objects, calls := 0, 0
	for b.Loop() {
		for _, account := range s.activeAccounts() {
			all, pages := details(b, s.member(b, account.ID), 1000,
				types.EntityTypeUser, types.EntityTypeGroup, types.EntityTypeRole, types.EntityTypeLocalManagedPolicy)
			objects += len(all.UserDetailList) + len(all.GroupDetailList) + len(all.RoleDetailList) + len(all.Policies)
			calls += pages
		}
	}
	b.ReportMetric(float64(objects)/b.Elapsed().Seconds(), "objects/s")
	b.ReportMetric(1000*float64(calls)/float64(objects), "calls/1000-objects")
}

// BenchmarkDirectoryUsers reads the users of Identity Center through the SDK.
func BenchmarkDirectoryUsers(b *testing.B) {
	s := setup(b, aws.Options{People: 20_000, Seed: 1})
	client, users := identitystore.NewFromConfig(s.auditor()), 0
	for b.Loop() {
		pager := identitystore.NewListUsersPaginator(client, &identitystore.ListUsersInput{IdentityStoreId: &s.summary.StoreID})
		for pager.HasMorePages() {
			page, err := pager.NextPage(context.Background())
			require.NoError(b, err)
			users += len(page.Users)
		}
	}
	b.ReportMetric(float64(users)/b.Elapsed().Seconds(), "users/s")
}
