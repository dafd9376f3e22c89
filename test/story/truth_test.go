package story

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/client"
	simulator "github.com/gatehouse-project/gatehouse/simulator/aws"
	"github.com/gatehouse-project/gatehouse/simulator/aws/estate"
)

// reached is a bucket and what somebody wants with its objects.
type reached struct{ bucket, action string }

// knownReach is who reaches what, by "kind id".
type knownReach map[reached]map[string]estate.Holder

// truths asks, on several days of several organisations, of every bucket who
// reaches it and of several identities what they reach, and compares the answers
// with what the simulator knows from what it made the organisations of. Afterwards
// the same is still told of each earlier day.
func truths(t *testing.T, p *plane) {
	for _, seed := range []int64{53, 54, 55} {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, seed)
			conn := p.connect(t, fmt.Sprint("Truth ", seed), c.configuration(nil))
			type day struct {
				run   string
				known knownReach
			}
			var past []day
			for _, n := range []int{0, 40, 300} {
				require.NoError(t, c.Turn(n))
				run := p.discover(t, conn)
				require.Equal(t, "succeeded", run.Outcome)
				now := day{run.RunID, c.reach(t)}
				p.requireReached(t, conn, "", now.known)
				p.requireReach(t, conn, "", now.known)
				past = append(past, now)
			}
			require.NotEqual(t, past[0].known, past[2].known, "the days are all alike")
			for _, then := range past {
				earlier := then.known.some()
				p.requireReached(t, conn, then.run, earlier)
				p.requireReach(t, conn, then.run, then.known)
			}
		})
	}
}

// reach is the truth of today, without what the connector says that it does not
// show: roles that are taken from a permission set, and access of each user and
// role of an account that another account's bucket lets in as a whole.
func (c *cloud) reach(t *testing.T) knownReach {
	t.Helper()
	found := knownReach{}
	for _, account := range c.Estate().Organization.Accounts {
		for at, b := range c.Estate().Inventory(account.Index).Buckets {
			actions := []string{simulator.DefaultAction}
			if at == 0 {
				actions = append(actions, "s3:PutObject", "s3:DeleteObject")
			}
			for _, action := range actions {
				holders, err := c.Estate().Holders(b.Name, action)
				require.NoError(t, err)
				known := map[string]estate.Holder{}
				for _, h := range holders {
					chained := h.Roles != nil && h.Kind != estate.KindDirectoryUser
					if h.Itself != "" || chained {
						known[h.Kind+" "+h.ID] = h
					}
				}
				found[reached{"arn:aws:s3:::" + b.Name, action}] = known
			}
		}
	}
	return found
}

// some is what is known of five buckets.
func (k knownReach) some() knownReach {
	found := knownReach{}
	all := keysOfAny(k)
	slices.SortFunc(all, func(a, b reached) int {
		return cmp.Or(cmp.Compare(a.action, b.action), cmp.Compare(a.bucket, b.bucket))
	})
	for _, of := range all[:5] {
		found[of] = k[of]
	}
	return found
}

// requireReached compares who reaches each bucket. A decision about somebody who
// takes no role is never more than the truth. It may be less: a denial of some
// objects counts for the bucket, and one permission set's denial for all of a
// person's.
func (p *plane) requireReached(t *testing.T, conn, asOf string, known knownReach) {
	t.Helper()
	rank := []string{"", "denied", "conditional", "allowed"}
	same := 0
	for of, want := range known {
		who, err := p.api.WhoCan(t.Context(), p.resource(t, conn, of.bucket, asOf), client.AccessFilter{Action: of.action, AsOf: asOf}, client.Pages{})
		require.NoError(t, err)
		require.False(t, who.Basis.Truncated)
		require.True(t, who.Basis.Observed)
		got := map[string]string{}
		for _, row := range who.Items {
			if holds(row.Account.Type) {
				got[row.Account.Type+" "+row.Account.ProviderID] = row.Decision
			}
		}
		require.ElementsMatch(t, keysOfAny(want), keysOfAny(got), "%+v as of %q", of, asOf)
		for holder, h := range want {
			if h.Roles != nil {
				continue
			}
			require.LessOrEqual(t, slices.Index(rank, got[holder]), slices.Index(rank, string(h.Itself)), "%s, %+v as of %q", holder, of, asOf)
			if got[holder] == string(h.Itself) {
				same++
			}
		}
	}
	require.Greater(t, same, len(known), "decisions that are the truth")
}

// requireReach compares which buckets some of them reach.
func (p *plane) requireReach(t *testing.T, conn, asOf string, known knownReach) {
	t.Helper()
	buckets := map[string][]string{}
	for of, holders := range known {
		for holder := range holders {
			if of.action == simulator.DefaultAction {
				buckets[holder] = append(buckets[holder], of.bucket)
			}
		}
	}
	all := keysOfAny(buckets)
	slices.Sort(all)
	for at := 0; at < len(all); at += max(1, len(all)/12) {
		_, providerID, _ := strings.Cut(all[at], " ")
		found, err := p.api.Entities(t.Context(), client.EntityFilter{Connection: conn, Kind: "Account", ProviderID: providerID, AsOf: asOf}, client.Pages{})
		require.NoError(t, err)
		require.Len(t, found.Items, 1)
		what, err := p.api.WhatCan(t.Context(), found.Items[0].EntityID, client.AccessFilter{Action: simulator.DefaultAction, Type: "s3_bucket", AsOf: asOf}, client.Pages{})
		require.NoError(t, err)
		var got []string
		for _, row := range what.Items {
			got = append(got, row.Resource.ProviderID)
		}
		require.ElementsMatch(t, buckets[all[at]], got, "%s as of %q", all[at], asOf)
	}
}

func (p *plane) resource(t *testing.T, conn, providerID, asOf string) string {
	t.Helper()
	found, err := p.api.Entities(t.Context(), client.EntityFilter{Connection: conn, Kind: "Resource", ProviderID: providerID, AsOf: asOf}, client.Pages{})
	require.NoError(t, err)
	require.Len(t, found.Items, 1, providerID)
	return found.Items[0].EntityID
}

func holds(accountType string) bool {
	return slices.Contains([]string{estate.KindUser, estate.KindRole, estate.KindDirectoryUser}, accountType)
}

func keysOfAny[K comparable, V any](m map[K]V) (keys []K) {
	for k := range m {
		keys = append(keys, k)
	}
	return keys
}
