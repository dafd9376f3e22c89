package api

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// recorded keeps events, or refuses them.
type recorded struct {
	mu     sync.Mutex
	events []audit.Event
	broken error
}

func (r *recorded) RecordEvent(ctx context.Context, _ id.Scope, e audit.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := errors.Join(ctx.Err(), r.broken); err != nil {
		return err
	}
	r.events = append(r.events, e)
	return nil
}

func newTestDenials(t *testing.T) (*Denials, *recorded, *time.Time) {
	t.Helper()
	to, now := &recorded{}, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	d, err := NewDenials(to, prometheus.NewRegistry())
	require.NoError(t, err)
	d.now = func() time.Time { return now }
	return d, to, &now
}

// refusedWith answers an error as an operation would.
func refusedWith(d *Denials, who workspace.Caller, err error) int {
	c := &call{operation: "change-thing", caller: who, denials: d, log: slog.New(slog.DiscardHandler)}
	return Problem(context.WithValue(context.Background(), callKey{}, c), err).GetStatus()
}

func member(m id.Member) workspace.Caller {
	return workspace.Caller{Scope: id.Scope{Tenant: 1, Workspace: 3}, Member: m, Role: workspace.Viewer}
}

func (d *Denials) count(event string) int {
	return int(testutil.ToFloat64(d.counted.WithLabelValues(event)))
}

func TestEndedCredentialsAreRecordedAndUnknownOnesCounted(t *testing.T) {
	t.Parallel()
	d, to, _ := newTestDenials(t)
	ended := fault.Wrap(fault.Unauthenticated, &workspace.EndedError{Was: member(7), Why: "the API key was revoked"}, "not accepted")
	require.Equal(t, 401, refusedWith(d, workspace.Caller{}, ended))
	require.Len(t, to.events, 1)
	e := to.events[0]
	require.Equal(t, audit.AccessDenied, e.Action)
	require.Equal(t, audit.Denied, e.Outcome)
	require.Equal(t, audit.Member(7), e.Actor)
	require.Equal(t, "change-thing", e.TargetID)
	require.Equal(t, map[string]any{"reason": "the API key was revoked", "role": "viewer"}, e.Payload)

	require.Equal(t, 401, refusedWith(d, workspace.Caller{}, fault.New(fault.Unauthenticated, "who are you?")))
	require.Len(t, to.events, 1)
	require.Equal(t, 1, d.count("none"))
	require.Equal(t, 1, d.count("recorded"))

	// Somebody who signed in and works nowhere is in the tenant's log.
	person := workspace.Caller{Scope: id.Scope{Tenant: 1, Workspace: 9}, Person: 5}
	require.Equal(t, 401, refusedWith(d, workspace.Caller{}, fault.Wrap(fault.Unauthenticated, &workspace.EndedError{Was: person, Why: "the session has expired"}, "not accepted")))
	require.Equal(t, audit.Person(5), to.events[1].Actor)
}

func TestADenialStaysOneWithoutItsEvent(t *testing.T) {
	t.Parallel()
	d, to, _ := newTestDenials(t)
	to.broken = errors.New("disk full")
	require.Equal(t, 403, refusedWith(d, member(7), fault.New(fault.Forbidden, "you may not")))
	require.Equal(t, 401, refusedWith(d, workspace.Caller{}, fault.Wrap(fault.Unauthenticated, &workspace.EndedError{Was: member(7), Why: "gone"}, "no")))
	require.Empty(t, to.events)
	require.Equal(t, 2, d.count("failed"))
}

// Who hangs up before the answer is recorded all the same.
func TestADenialIsRecordedForWhoHangsUp(t *testing.T) {
	t.Parallel()
	d, to, _ := newTestDenials(t)
	gone, hangUp := context.WithCancel(context.Background())
	hangUp()
	d.record(gone, &call{log: slog.New(slog.DiscardHandler)}, member(7), "you may not")
	require.Len(t, to.events, 1)
}

func TestDenialsOfAMemberAreBounded(t *testing.T) {
	t.Parallel()
	d, to, now := newTestDenials(t)
	forbidden := fault.New(fault.Forbidden, "you may not")
	var asking sync.WaitGroup
	for range 8 {
		asking.Go(func() {
			for range 25 {
				if refusedWith(d, member(7), forbidden) != 403 {
					t.Error("not refused")
				}
			}
		})
	}
	asking.Wait()
	require.Len(t, to.events, denialsPerMinute)
	require.Equal(t, 200-denialsPerMinute, d.count("left_out"))
	last := 0
	for _, e := range to.events {
		if e.Payload["limit_reached"] == true {
			last++
		}
	}
	require.Equal(t, 1, last, "one event says that more may follow")

	// Another member, and the same number in another workspace, have their own.
	require.Equal(t, 403, refusedWith(d, member(8), forbidden))
	elsewhere := member(7)
	elsewhere.Scope.Workspace = 4
	require.Equal(t, 403, refusedWith(d, elsewhere, forbidden))
	require.Len(t, to.events, denialsPerMinute+2)

	*now = now.Add(time.Minute)
	require.Equal(t, 403, refusedWith(d, member(7), forbidden))
	require.Equal(t, 403, refusedWith(d, member(7), forbidden))
	require.Len(t, to.events, denialsPerMinute+4)
	require.Equal(t, 200-denialsPerMinute, to.events[denialsPerMinute+2].Payload["left_out_before"])
	require.NotContains(t, to.events[denialsPerMinute+3].Payload, "left_out_before")
}

func TestTheTableOfRefusedMembersIsBounded(t *testing.T) {
	t.Parallel()
	d, _, _ := newTestDenials(t)
	for m := range mostDenied + 100 {
		d.admit(denied{actor: audit.Member(id.Member(m + 1))}, map[string]any{})
	}
	require.Equal(t, mostDenied, d.members.Len())
}
