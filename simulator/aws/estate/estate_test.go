package estate_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/simulator/aws/estate"
)

func TestSameSeedSameEstateInAnyOrder(t *testing.T) {
	t.Parallel()
	a, err := estate.New(estate.Options{People: 900, Seed: 4})
	require.NoError(t, err)
	b, err := estate.New(estate.Options{People: 900, Seed: 4})
	require.NoError(t, err)
	last := len(a.Organization.Accounts) - 1
	for i := range a.Organization.Accounts {
		b.Inventory(last - i) // the order of looking must not matter
	}
	for i := range a.Organization.Accounts {
		require.Empty(t, cmp.Diff(a.Inventory(i), b.Inventory(i), cmpopts.IgnoreUnexported(estate.Inventory{})))
	}
	require.Equal(t, a.Summary(), b.Summary())
	other, err := estate.New(estate.Options{People: 900, Seed: 5})
	require.NoError(t, err)
	require.NotEqual(t, a.Summary().AccountIDs, other.Summary().AccountIDs)
}

// TestNothingDangles checks that whatever refers to something refers to
// something that exists, in estates of any size.
func TestNothingDangles(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		people := rapid.SampledFrom([]int{2, 3, 40, 700, 2500}).Draw(t, "people")
		e, err := estate.New(estate.Options{People: people, Seed: rapid.Int64().Draw(t, "seed")})
		require.NoError(t, err)
		ids := map[string]bool{}
		unique := func(id string) {
			require.False(t, ids[id], "%s twice", id)
			ids[id] = true
		}
		for i, account := range e.Organization.Accounts {
			unique(account.ID)
			inv := e.Inventory(i)
			check := func(identity estate.Identity, boundary string) {
				unique(identity.ID)
				unique(identity.ARN)
				for _, arn := range append(slices.Clone(identity.Attached), boundary) {
					_, ok := inv.Policy(arn)
					require.True(t, ok || arn == "", "%s has %s", identity.ARN, arn)
				}
			}
			for at, user := range inv.Users {
				check(user.Identity, user.Boundary)
				for _, group := range user.Groups {
					_, ok := inv.Group(group)
					require.True(t, ok, "%s in %s", user.ARN, group)
				}
				for _, key := range user.Keys {
					unique(key.ID)
					found, ok := e.CredentialByKeyID(key.ID)
					require.True(t, ok)
					require.Equal(t, inv.Users[at].ARN, found.User.ARN)
				}
			}
			for _, group := range inv.Groups {
				check(group.Identity, "")
			}
			for _, role := range inv.Roles {
				check(role.Identity, role.Boundary)
			}
			for _, p := range inv.Policies {
				unique(p.ARN)
				require.LessOrEqual(t, len(p.Versions), 5)
				require.NotEmpty(t, p.DefaultVersion().ID)
			}
			for _, bucket := range inv.Buckets {
				unique(bucket.Name)
				require.LessOrEqual(t, len(bucket.Name), 63)
			}
			for _, function := range inv.Functions {
				unique(function.ARN)
				require.True(t, slices.ContainsFunc(inv.Roles, func(r estate.Role) bool { return r.ARN == function.Role }))
			}
		}
		for position := range e.Center.UserCount() {
			user := e.Center.User(position)
			unique(user.ID)
			found, ok := e.Center.UserByID(user.ID)
			require.True(t, ok)
			require.Equal(t, user, found)
		}
	})
}

func TestTheContractorsPathExists(t *testing.T) {
	t.Parallel()
	for _, people := range []int{2, 250, 3000} {
		t.Run(fmt.Sprint(people), func(t *testing.T) {
			t.Parallel()
			e, err := estate.New(estate.Options{People: people, Seed: 99})
			require.NoError(t, err)
			s := e.Summary()
			require.NotEmpty(t, s.Auditor.AccessKeyID)
			require.NotEmpty(t, s.Contractor.IAMUserID)
			require.NotEmpty(t, s.Contractor.Credential.SecretAccessKey)
			data, ok := e.AccountByID(s.Sensitive.AccountID)
			require.True(t, ok)
			bucket, ok := e.Inventory(data.Index).Bucket(s.Sensitive.Name)
			require.True(t, ok)
			require.Contains(t, bucket.Policy.JSON(), s.Contractor.RoleARN)
			_, ok = e.Center.UserByID(s.Contractor.DirectoryUserID)
			require.True(t, ok)
		})
	}
}
