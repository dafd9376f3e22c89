package story

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connectors/aws"
	"github.com/gatehouse-project/gatehouse/internal/client"
	simulator "github.com/gatehouse-project/gatehouse/simulator/aws"
)

// sharers is how many workspaces connect the same organisation.
const sharers = 3

// allowance is what the provider allows each account for each service.
func allowance() simulator.Fault {
	return simulator.Fault{Kind: simulator.FaultRate, CallsPerSecond: 20, Burst: 5}
}

// TestWorkersShareWhatTheProviderAllows has several workers read the same
// organisation for several workspaces at once, behind a provider that counts calls
// by account and service. Without a common budget it refuses many of their calls;
// with one, hardly any, and everything is read.
func TestWorkersShareWhatTheProviderAllows(t *testing.T) {
	t.Parallel()
	c := newCloud(t, 23)
	c.fail(t, allowance())
	var all sync.WaitGroup
	for range sharers {
		all.Go(func() { readAlone(t, c) })
	}
	all.Wait()
	alone := c.struck()
	c.ClearFaults()
	c.fail(t, allowance())

	d := deploy(t)
	tenantKey, err := os.ReadFile(filepath.Join(filepath.Dir(d.tokenFile), "tenant-admin.key"))
	require.NoError(t, err)
	tenant := strings.TrimSpace(string(tenantKey))
	_, err = d.discovery.as(t, tenant).api.SetThrottleLimit(t.Context(), "aws.endpoint", client.ThrottleLimit{Calls: 18, PerSeconds: 1, Burst: 4})
	require.NoError(t, err)
	workspaces := d.workspaces.as(t, tenant)
	type sharer struct {
		discovery *plane
		run       string
	}
	var runs []sharer
	for i := range sharers {
		made, err := workspaces.api.CreateWorkspace(t.Context(), client.WorkspaceDraft{Name: "Sharer " + string(rune('A'+i))})
		require.NoError(t, err)
		conn := d.integrations.as(t, made.Value.AdminKey).connect(t, "Shared", c.configuration(nil))
		discovery := d.discovery.as(t, made.Value.AdminKey)
		runs = append(runs, sharer{discovery, discovery.startRun(t, conn)})
	}
	var workers []*process
	for _, name := range []string{"first", "second", "third"} {
		workers = append(workers, d.work(t, name))
	}
	for _, r := range runs {
		done := r.discovery.finished(t, r.run)
		require.Equal(t, "succeeded", done.Outcome, "%+v", done)
		levels, err := r.discovery.api.ThrottleBudgets(t.Context(), "", client.Pages{})
		require.NoError(t, err)
		require.NotEmpty(t, levels.Items)
		for _, l := range levels.Items {
			require.Equal(t, "aws.endpoint", l.ThrottleScope)
			require.Equal(t, 18, l.Limit.Calls)
			require.Len(t, l.Connections, 1, "a workspace sees its own part alone")
		}
	}
	together := c.struck()
	calls := 0
	for _, n := range c.Requests() {
		calls += n
	}
	t.Logf("refused: %d calls of %d readers without a budget, %d of %d workers with one; %d calls in all", alone, sharers, together, len(workers), calls)
	require.Greater(t, alone, 20, "the provider's limit is met")
	require.LessOrEqual(t, together, alone/20)
	for _, w := range workers {
		w.stop(t)
	}
}

// readAlone reads the organisation as a worker without a budget would: what is
// refused is tried again, a little later each time.
func readAlone(t *testing.T, c *cloud) {
	raw, err := json.Marshal(c.configuration(nil))
	if err != nil {
		t.Error(err)
		return
	}
	session, err := aws.New().Open(t.Context(), connector.Settings{
		Configuration: raw, HTTPClient: &http.Client{Transport: http.DefaultTransport}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Error(err)
		return
	}
	defer session.Close()
	var plan connector.Plan
	retried(t, func() (err error) { plan, err = session.Plan(t.Context()); return err })
	for _, p := range plan.Partitions {
		var from lastCursor
		retried(t, func() error { return session.Read(t.Context(), p, from.cursor, &from) })
	}
}

// retried does something until it is not refused any more.
func retried(t *testing.T, do func() error) {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		err := do()
		if failure := connector.AsError(err); err == nil || failure.Category != connector.Throttled {
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			return
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-t.Context().Done():
			timer.Stop()
			return
		}
	}
}

// lastCursor is a sink that remembers where to continue.
type lastCursor struct{ cursor connector.Cursor }

// Write takes a page.
func (l *lastCursor) Write(_ context.Context, page connector.Page) error {
	l.cursor = page.Next
	return nil
}
