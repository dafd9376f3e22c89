package app

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// exchanger is a worker in the midst of renewing.
type exchanger struct {
	renewal connection.Renewal
	// given is what it may exchange, got what it was given for it.
	given, got string
	// late says that its lease has ended, which it knows by its own clock.
	late bool
}

// rotationRun is one connection, its workers, and what the provider knows.
type rotationRun struct {
	*rotation
	ctx       context.Context
	at        *authority
	conn      connection.Connection
	claims    []connection.Claim
	workers   []*exchanger
	uncertain map[string]bool
	region    int
}

// begin has a worker ask for its turn. Nobody else may have it.
func (m *rotationRun) begin(t *rapid.T, worker int, former connection.Claim) {
	claim := m.claims[worker]
	r := connection.Renewal{Claim: claim, ID: renewalID()}
	turn, err := m.renewals.Begin(m.ctx, r)
	require.NoError(t, err)
	if former.Run != 0 {
		_, err := m.renewals.Begin(m.ctx, connection.Renewal{Claim: former, ID: renewalID()})
		require.Equal(t, fault.Stale, fault.KindOf(err), "a former epoch is refused")
	}
	busy := false
	for _, w := range m.workers {
		busy = busy || w != nil && !w.late
	}
	require.Equal(t, busy, turn.Wait > 0, "one at a time")
	if busy {
		require.True(t, turn.Secret.IsZero())
		return
	}
	given := turn.Secret.RevealString()
	require.True(t, m.at.used[given] == 0 || m.uncertain[given], "%s is given out again though it was used", given)
	again, err := m.renewals.Begin(m.ctx, r)
	require.NoError(t, err)
	require.Equal(t, given, again.Secret.RevealString(), "the answer was lost, and is given again")
	m.workers[worker] = &exchanger{renewal: r, given: given}
}

// store has a worker that was given something store it.
func (m *rotationRun) store(t *rapid.T, worker int) {
	w := m.workers[worker]
	newest := !w.late || m.overtakes(w)
	err := m.renewals.End(m.ctx, w.renewal, connection.SecretRenewed, secret.FromString(w.got))
	if newest {
		require.NoError(t, err)
		require.NoError(t, m.renewals.End(m.ctx, w.renewal, connection.SecretRenewed, secret.FromString(w.got)), "told again")
		require.Equal(t, w.got, m.stored(m.ctx, t, m.conn.ID))
	} else {
		require.Equal(t, fault.Stale, fault.KindOf(err), "%v", err)
	}
	m.workers[worker] = nil
}

// overtakes reports whether a late worker is still the last that began.
func (m *rotationRun) overtakes(w *exchanger) bool {
	var last connection.RenewalID
	err := m.super.QueryRow(m.ctx, "select renewal_id from credential_renewals where connection_id = $1", m.conn.ID).Scan((*[16]byte)(&last))
	return err == nil && last == w.renewal.ID
}

// expire ends leases. Whoever exchanged may or may not come to store; the next that
// begins cannot know.
func (m *rotationRun) late(t *rapid.T) {
	for _, w := range m.workers {
		if w != nil && !w.late {
			w.late = true
			m.uncertain[w.given] = true
		}
	}
	m.expire(m.ctx, t, m.conn.ID)
}

// Whatever the order in which workers ask, exchange, store, are killed or stopped
// until their lease has ended, runs change hands and people edit: no two workers have
// a token at once, none is exchanged again unless its exchange was never stored, and
// what is stored can be exchanged.
func TestRenewalsNeverLoseTheNewestToken(t *testing.T) {
	t.Parallel()
	r := newRotation(t)
	exchanged, overtaken := 0, 0
	checkSeldom(t, func(t *rapid.T) {
		ctx := context.Background()
		m := &rotationRun{rotation: r, ctx: ctx, at: &authority{used: map[string]int{}}, uncertain: map[string]bool{}, workers: make([]*exchanger, 3)}
		m.conn = r.connect(ctx, t, m.at.signIn())
		for range m.workers {
			m.claims = append(m.claims, r.hold(ctx, t, m.conn.ID, "discovery.run"))
		}
		for range rapid.IntRange(12, 30).Draw(t, "steps") {
			n := rapid.IntRange(0, len(m.workers)-1).Draw(t, "worker")
			w := m.workers[n]
			switch rapid.SampledFrom([]string{"go on", "go on", "go on", "go on", "kill", "late", "change hands", "edit", "sign in"}).Draw(t, "step") {
			case "go on":
				switch {
				case w == nil:
					m.begin(t, n, connection.Claim{})
				case w.got == "" && w.late:
					m.workers[n] = nil // by its own clock it is too late
				case w.got == "":
					got, err := m.at.exchange(w.given)
					require.NoError(t, err, "a token that cannot be exchanged was given out")
					w.got = got
					exchanged++
				default:
					m.store(t, n)
				}
			case "kill":
				if w != nil && !w.late {
					m.late(t)
				}
				m.workers[n] = nil
			case "late":
				m.late(t)
				if w != nil {
					overtaken++
				}
			case "change hands":
				former := m.claims[n]
				_, err := r.super.Exec(ctx, "update runs set epoch = epoch + 1, token_hash = sha256(token_hash) where run_id = $1", former.Run)
				require.NoError(t, err)
				require.NoError(t, r.super.QueryRow(ctx, "select epoch, token_hash from runs where run_id = $1", former.Run).Scan(&m.claims[n].Epoch, scanHash{&m.claims[n].TokenHash}))
				_, err = r.renewals.Vault.Disclose(ctx, r.store, m.claims[n])
				require.NoError(t, err)
				if w == nil {
					m.begin(t, n, former)
				}
			case "edit":
				m.region++
				m.edit(t, fmt.Sprintf(`{"region":"%d"}`, m.region))
			case "sign in":
				m.edit(t, `{"refresh_token":"`+m.at.signIn()+`"}`)
				for n := range m.workers {
					m.workers[n] = nil
				}
			}
		}
		// Everybody who still can comes to an end, and the next run goes on from there.
		for n, w := range m.workers {
			if w != nil && w.got != "" {
				m.store(t, n)
			}
		}
		m.late(t)
		require.NoError(t, r.renew(ctx, r.hold(ctx, t, m.conn.ID, "discovery.run"), m.at))
		require.Equal(t, m.at.good[len(m.at.good)-1], r.stored(ctx, t, m.conn.ID))
	})
	require.Positive(t, exchanged)
	t.Logf("%d exchanges, %d leases ended", exchanged, overtaken)
}

// edit changes the configuration by hand, and gives it to the runs of now.
func (m *rotationRun) edit(t *rapid.T, patch string) {
	conn, err := m.service.Update(m.ctx, m.caller, m.conn.ID, connection.Patch{Configuration: json.RawMessage(patch)})
	require.NoError(t, err)
	m.conn = conn
	for n := range m.claims {
		m.claims[n] = m.hold(m.ctx, t, conn.ID, "discovery.run")
	}
}

// scanHash reads a hash of the database.
type scanHash struct{ to *[32]byte }

// Scan takes the bytes.
func (s scanHash) Scan(from any) error {
	raw, ok := from.([]byte)
	if !ok || copy(s.to[:], raw) != len(s.to) {
		return fmt.Errorf("%T is no hash", from)
	}
	return nil
}
