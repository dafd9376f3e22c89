package auditsink_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/auditlog"
	"github.com/gatehouse-project/gatehouse/internal/auditsink"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// threeBehind is a store in which three workspaces lack one event each.
type threeBehind struct {
	auditsink.Store
	advanced []id.Workspace
}

func (*threeBehind) Undelivered(context.Context, string, int) ([]auditsink.Undelivered, error) {
	return []auditsink.Undelivered{
		{Workspace: 1, Next: 0, Size: 1, Waiting: time.Hour}, {Workspace: 2, Next: 0, Size: 1}, {Workspace: 3, Next: 0, Size: 1},
	}, nil
}

func (*threeBehind) EntriesFrom(context.Context, id.Scope, int64, int) ([]auditlog.StoredEntry, error) {
	return []auditlog.StoredEntry{{Record: &audit.Record{}}}, nil
}

func (s *threeBehind) Advance(_ context.Context, _ string, w id.Workspace, _ int64) error {
	s.advanced = append(s.advanced, w)
	return nil
}

// refusing takes the events of every workspace but one.
// refusing fails for batches whose name begins with one of these, and counts.
type refusing struct {
	prefixes []string
	asked    int
}

func (r *refusing) Deliver(_ context.Context, name string, _ [][]byte) error {
	r.asked++
	if slices.ContainsFunc(r.prefixes, func(p string) bool { return strings.HasPrefix(name, p) }) {
		return errors.New("refused")
	}
	return nil
}

type unobserved struct{}

func (unobserved) Lag(string, time.Duration) {}
func (unobserved) Delivered(string, int)     {}
func (unobserved) Failed(string)             {}

// The workspace that waits longest is asked first, so a failing one would stop
// all others for good.
func newForwarder(sink auditsink.Sink, store auditsink.Store) *auditsink.Forwarder {
	return &auditsink.Forwarder{Name: "siem", Sink: sink, Store: store, Log: slog.New(slog.DiscardHandler), Observer: unobserved{}}
}

// A destination that is down is asked once in a round and not once for each of
// the workspaces that wait.
func TestASinkThatIsDownIsAskedOnce(t *testing.T) {
	t.Parallel()
	store, down := &threeBehind{}, &refusing{prefixes: []string{"aud-"}}
	f := newForwarder(down, store)
	for round := 1; round <= 4; round++ {
		sent, err := f.Forward(t.Context())
		require.ErrorContains(t, err, "refused")
		require.Zero(t, sent)
		require.Equal(t, round, down.asked)
	}
	require.Empty(t, store.advanced)
	down.prefixes = nil
	sent, err := f.Forward(t.Context())
	require.NoError(t, err)
	require.Equal(t, 3, sent)
}

// What the destination never takes of one workspace comes behind the others.
func TestAFailingWorkspaceKeepsNobodyBack(t *testing.T) {
	t.Parallel()
	store, sink := &threeBehind{}, &refusing{prefixes: []string{"aud-w_1-", "aud-w_2-"}}
	f := newForwarder(sink, store)
	for _, failed := range []string{"w_1", "w_2"} {
		sent, err := f.Forward(t.Context())
		require.ErrorContains(t, err, "audit events of "+failed+": refused")
		require.Zero(t, sent)
	}
	sent, err := f.Forward(t.Context())
	require.ErrorContains(t, err, "audit events of w_1: refused")
	require.Equal(t, 1, sent, "those of w_3")
	require.Equal(t, []id.Workspace{3}, store.advanced)
	sink.prefixes = nil
	sent, err = f.Forward(t.Context())
	require.NoError(t, err)
	require.Equal(t, 3, sent)
}
