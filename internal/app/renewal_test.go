package app

import (
	"context"
	"encoding/json"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// Workers that renew at the same moment take turns; each token is exchanged once.
func TestRenewalsTakeTurns(t *testing.T) {
	t.Parallel()
	r := newRotation(t)
	at := &authority{used: map[string]int{}}
	conn := r.connect(t.Context(), t, at.signIn())
	const workers, rounds = 4, 3
	var all sync.WaitGroup
	var one sync.Mutex // fails where two exchange at once
	for range workers {
		claim := r.hold(t.Context(), t, conn.ID, "discovery.run")
		all.Go(func() {
			for done := 0; done < rounds; {
				renewal := connection.Renewal{Claim: claim, ID: renewalID()}
				turn, err := r.renewals.Begin(t.Context(), renewal)
				if err != nil {
					t.Error(err)
					return
				}
				if turn.Wait > 0 {
					continue
				}
				if !one.TryLock() {
					t.Error("two exchange at once")
					return
				}
				next, err := at.exchange(turn.Secret.RevealString())
				one.Unlock()
				if err == nil {
					err = r.renewals.End(t.Context(), renewal, connection.SecretRenewed, secret.FromString(next))
				}
				if err != nil {
					t.Error(err)
					return
				}
				done++
			}
		})
	}
	all.Wait()
	require.Equal(t, 1+workers*rounds, at.issued)
	for token, used := range at.used {
		require.Equal(t, 1, used, token)
	}
	require.Equal(t, at.good[len(at.good)-1], r.stored(t.Context(), t, conn.ID))
	require.Equal(t, workers*rounds, r.events(t, "credential_renewed", conn.ID))
	require.Equal(t, workers*rounds, r.events(t, "credential_disclosed", conn.ID))
	after, err := r.store.Get(t.Context(), r.caller.Scope, conn.ID)
	require.NoError(t, err)
	require.EqualValues(t, 1, after.Version, "a renewal is no edit")
}

// events counts what was recorded of a connection.
func (r *rotation) events(t *testing.T, action string, c id.Connection) (n int) {
	t.Helper()
	require.NoError(t, r.super.QueryRow(t.Context(), "select count(*) from audit_events where action = $1 and target_id = $2", action, c.String()).Scan(&n))
	return n
}

// A worker that dies between the provider's answer and storing it leaves the token
// before to the next one: within the provider's grace it still works, after it
// somebody has to sign in again, and is told what was lost.
func TestALostAnswerIsMadeUpForWithinTheGrace(t *testing.T) {
	t.Parallel()
	r := newRotation(t)
	for name, graceEnds := range map[string]bool{"within": false, "after": true} {
		at := &authority{used: map[string]int{}}
		conn := r.connect(t.Context(), t, at.signIn())
		dead := connection.Renewal{Claim: r.hold(t.Context(), t, conn.ID, "discovery.run"), ID: renewalID()}
		turn, err := r.renewals.Begin(t.Context(), dead)
		require.NoError(t, err)
		lost, err := at.exchange(turn.Secret.RevealString())
		require.NoError(t, err)
		// It says nothing more. Nobody else is given the token before its lease ends.
		claim := r.hold(t.Context(), t, conn.ID, "discovery.run")
		require.ErrorContains(t, r.renew(t.Context(), claim, at), "busy", name)
		r.expire(t.Context(), t, conn.ID)
		if graceEnds {
			at.endGrace()
		}
		err = r.renew(t.Context(), claim, at)
		after, found := r.store.Get(t.Context(), r.caller.Scope, conn.ID)
		require.NoError(t, found)
		if !graceEnds {
			require.NoError(t, err)
			require.Equal(t, at.good[len(at.good)-1], r.stored(t.Context(), t, conn.ID))
			require.Equal(t, connection.Active, after.Lifecycle)
		} else {
			require.ErrorContains(t, err, "invalid_grant")
			require.Equal(t, connection.NeedsConsent, after.Lifecycle)
			require.Equal(t, operation.CredentialExpired, after.LastErrorReason)
			require.Contains(t, after.LastErrorMessage, "never stored")
			require.Equal(t, 1, r.events(t, "credential_refused", conn.ID))
			require.Equal(t, fault.Invalid, fault.KindOf(r.renew(t.Context(), claim, at)), "and nobody tries on")
			r.signInAgain(t, conn.ID, at)
		}
		err = r.renewals.End(t.Context(), dead, connection.SecretRenewed, secret.FromString(lost))
		require.Equal(t, fault.Stale, fault.KindOf(err), "what it was given is not stored any more")
	}
}

// signInAgain is what the next step asks for.
func (r *rotation) signInAgain(t *testing.T, c id.Connection, at *authority) {
	t.Helper()
	_, err := r.service.Update(t.Context(), r.caller, c, connection.Patch{Configuration: json.RawMessage(`{"refresh_token":"` + at.signIn() + `"}`)})
	require.NoError(t, err)
	require.NoError(t, r.renew(t.Context(), r.hold(t.Context(), t, c, "connection.test"), at), "a test is how it is found that it works")
}

// What a provider gave to a worker whose run was taken from it, or that was cancelled,
// is stored if nobody has begun since: nothing else knows it.
func TestWhatWasGivenIsStoredThoughTheRunHasGone(t *testing.T) {
	t.Parallel()
	r := newRotation(t)
	at := &authority{used: map[string]int{}}
	conn := r.connect(t.Context(), t, at.signIn())
	slow := connection.Renewal{Claim: r.hold(t.Context(), t, conn.ID, "discovery.run"), ID: renewalID()}
	turn, err := r.renewals.Begin(t.Context(), slow)
	require.NoError(t, err)
	got, err := at.exchange(turn.Secret.RevealString())
	require.NoError(t, err)
	_, err = r.super.Exec(t.Context(), "update runs set epoch = epoch + 1, token_hash = sha256('other'), lease_until = now() - interval '1 second' where run_id = $1", slow.Claim.Run)
	require.NoError(t, err)
	r.expire(t.Context(), t, conn.ID)
	forged := slow
	forged.Claim.TokenHash[0]++
	require.Equal(t, fault.Stale, fault.KindOf(r.renewals.End(t.Context(), forged, connection.SecretRenewed, secret.FromString("forged"))))
	require.NoError(t, r.renewals.End(t.Context(), slow, connection.SecretRenewed, secret.FromString(got)))
	require.Equal(t, got, r.stored(t.Context(), t, conn.ID))
	_, err = r.renewals.Begin(t.Context(), connection.Renewal{Claim: slow.Claim, ID: renewalID()})
	require.Equal(t, fault.Stale, fault.KindOf(err), "but it is given no other")
}

// Nothing happens without its event, and everything does once it can be recorded.
func TestRenewalsNeedTheirEvents(t *testing.T) {
	t.Parallel()
	r := newRotation(t)
	at := &authority{used: map[string]int{}}
	conn := r.connect(t.Context(), t, at.signIn())
	renewal := connection.Renewal{Claim: r.hold(t.Context(), t, conn.ID, "discovery.run"), ID: renewalID()}
	unrecorded := func(do func() error) {
		_, err := r.super.Exec(t.Context(), "alter table audit_events add constraint refused check (false) not valid")
		require.NoError(t, err)
		require.Error(t, do())
		_, err = r.super.Exec(t.Context(), "alter table audit_events drop constraint refused")
		require.NoError(t, err)
	}
	var turn connection.RenewalTurn
	begin := func() (err error) {
		turn, err = r.renewals.Begin(t.Context(), renewal)
		return err
	}
	unrecorded(begin)
	require.True(t, turn.Secret.IsZero(), "no event, no secret")
	require.NoError(t, begin())
	got, err := at.exchange(turn.Secret.RevealString())
	require.NoError(t, err)
	before := r.stored(t.Context(), t, conn.ID)
	end := func() error {
		return r.renewals.End(t.Context(), renewal, connection.SecretRenewed, secret.FromString(got))
	}
	unrecorded(end)
	require.Equal(t, before, r.stored(t.Context(), t, conn.ID))
	require.NoError(t, end())
	require.Equal(t, got, r.stored(t.Context(), t, conn.ID))

	renewal.ID = renewalID()
	require.NoError(t, begin())
	refuse := func() error {
		return r.renewals.End(t.Context(), renewal, connection.SecretRefused, secret.Secret{})
	}
	unrecorded(refuse)
	require.Zero(t, r.events(t, "credential_refused", conn.ID))
	require.NoError(t, refuse())
	require.NoError(t, refuse(), "told again")
	require.Equal(t, 1, r.events(t, "credential_refused", conn.ID))
}

// What cannot be renewed is refused: a connection of another kind, a configuration
// that has been replaced, a secret that is kept elsewhere, an end that is none.
func TestWhatCannotBeRenewedIsRefused(t *testing.T) {
	t.Parallel()
	r := newRotation(t)
	ctx := context.WithoutCancel(t.Context())
	conn := r.connect(ctx, t, "first-token")
	claim := r.hold(ctx, t, conn.ID, "discovery.run")
	renewal := connection.Renewal{Claim: claim, ID: renewalID()}
	without := r.renewals
	without.Vault.Catalog = nil
	_, err := without.Begin(ctx, renewal)
	require.Equal(t, fault.Invalid, fault.KindOf(err), "%v", err)
	require.Zero(t, r.events(t, "credential_disclosed", conn.ID))

	_, err = r.service.Update(ctx, r.caller, conn.ID, connection.Patch{Configuration: json.RawMessage(`{"region":"b"}`)})
	require.NoError(t, err)
	_, err = r.renewals.Begin(ctx, renewal)
	require.ErrorContains(t, err, "start the operation again", "it was given a former configuration")

	_, err = r.service.Update(ctx, r.caller, conn.ID, connection.Patch{Configuration: json.RawMessage(`{"refresh_token":{"$ref":"env:TOKEN"}}`)})
	require.ErrorContains(t, err, "configuration")
	require.Equal(t, fault.Invalid, fault.KindOf(err))

	renewal = connection.Renewal{Claim: r.hold(ctx, t, conn.ID, "discovery.run"), ID: renewalID()}
	require.Equal(t, fault.Stale, fault.KindOf(r.renewals.End(ctx, renewal, connection.SecretKept, secret.Secret{})), "it has not begun")
	_, err = r.renewals.Begin(ctx, renewal)
	require.NoError(t, err)
	require.Equal(t, fault.Invalid, fault.KindOf(r.renewals.End(ctx, renewal, "done", secret.Secret{})))
	require.Equal(t, fault.Invalid, fault.KindOf(r.renewals.End(ctx, renewal, connection.SecretRenewed, secret.Secret{})))
	require.NoError(t, r.renewals.End(ctx, renewal, connection.SecretKept, secret.Secret{}))
	require.Equal(t, "first-token", r.stored(ctx, t, conn.ID))
	require.NoError(t, r.service.Delete(ctx, r.caller, conn.ID, nil))
	require.Equal(t, fault.Stale, fault.KindOf(r.renewals.End(ctx, renewal, connection.SecretRenewed, secret.FromString("late"))))
}
