package auditsink_test

import (
	"context"
	"errors"
	"log/slog"
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
type refusing struct{ prefix string }

func (r refusing) Deliver(_ context.Context, name string, _ [][]byte) error {
	if strings.HasPrefix(name, r.prefix) {
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
func TestAFailingWorkspaceKeepsNobodyBack(t *testing.T) {
	t.Parallel()
	store := &threeBehind{}
	f := auditsink.Forwarder{
		Name: "siem", Sink: refusing{"aud-w_1-"}, Store: store, Log: slog.New(slog.DiscardHandler), Observer: unobserved{},
	}
	sent, err := f.Forward(t.Context())
	require.ErrorContains(t, err, "audit events of w_1: refused")
	require.Equal(t, 2, sent)
	require.Equal(t, []id.Workspace{2, 3}, store.advanced)
}
