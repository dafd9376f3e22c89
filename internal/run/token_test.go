package run_test

import (
	"context"
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// claims is a store whose every claim succeeds, and which notes what it was asked.
type claims struct {
	run.LeaseStore
	asked  run.ClaimRequest
	during func()
	back   []run.Fence
}

func (c *claims) Claim(_ context.Context, req run.ClaimRequest) (run.Assignment, bool, error) {
	c.asked = req
	if c.during != nil {
		c.during()
	}
	r := run.Run{ID: 12, Scope: id.Scope{Tenant: 1, Workspace: 3}, Epoch: 4}
	return run.Assignment{Run: r, Lease: req.Lease}, true, nil
}

func (c *claims) HandBack(_ context.Context, f run.Fence) error {
	c.back = append(c.back, f)
	return nil
}

func TestTokenProvesWhatWasClaimed(t *testing.T) {
	t.Parallel()
	store := &claims{}
	leases := run.Leases{Store: store}
	_, token, ok, err := leases.Claim(t.Context(), "w", operation.Queues(), run.LeaseID{}, time.Minute)
	require.NoError(t, err)
	require.True(t, ok)
	require.NotEqual(t, run.LeaseID{}, store.asked.Lease)
	parsed, err := run.ParseToken(token.RevealString())
	require.NoError(t, err)
	require.Equal(t, run.Token{Workspace: 3, Run: 12, Epoch: 4, Hash: store.asked.TokenHash}, parsed)
	require.NotEqual(t, [sha256.Size]byte{}, parsed.Hash)

	_, other, _, err := leases.Claim(t.Context(), "w", operation.Queues(), run.LeaseID{}, time.Minute)
	require.NoError(t, err)
	require.NotEqual(t, token.RevealString(), other.RevealString())
}

func TestMalformedTokensAreRefused(t *testing.T) {
	t.Parallel()
	random := strings.Repeat("a", 43)
	for _, text := range []string{
		"", "gr_", "gk_3.12.4." + random, "3.12.4." + random, "gr_3.12." + random, "gr_3.12.4." + random[1:], "gr_3.12.4." + random + "a",
		"gr_0.12.4." + random, "gr_3.-12.4." + random, "gr_3.12.x." + random, "gr_99999999999999999999.12.4." + random, "gr_3.12.4.5." + random,
	} {
		_, err := run.ParseToken(text)
		require.Equal(t, fault.Unauthenticated, fault.KindOf(err), "%q", text)
		if len(text) > 3 {
			require.NotContains(t, err.Error(), text)
		}
	}
	_, err := run.ParseToken("gr_3.12.4." + random)
	require.NoError(t, err)
}

// A worker that hung up while its claim was under way does not hold the run.
func TestClaimForAnAbsentCallerIsHandedBack(t *testing.T) {
	t.Parallel()
	ctx, hangUp := context.WithCancel(t.Context())
	store := &claims{during: hangUp}
	leases := run.Leases{Store: store}
	_, _, ok, err := leases.Claim(ctx, "w", operation.Queues(), run.LeaseID{}, time.Minute)
	require.NoError(t, err)
	require.False(t, ok)
	require.Equal(t, []run.Fence{{Workspace: 3, Run: 12, Epoch: 4, Lease: store.asked.Lease, TokenHash: store.asked.TokenHash}}, store.back)
}
