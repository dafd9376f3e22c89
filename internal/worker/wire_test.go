package worker_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/internal/worker"
)

// Whatever happens on the wire, the platform ends with every record of the
// connector once, in order, however many workers and leases it took.
func TestAnyScheduleOfFaultsOnTheWireLosesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		// A schedule that ends: after it the wire is good. The provider fails less
		// often than a worker has patience for.
		schedule := rapid.SliceOfN(rapid.Map(rapid.IntRange(0, int(faults)-1), func(n int) fault { return fault(n) }), 0, 60).Draw(rt, "schedule")
		provider := rapid.SliceOfN(rapid.Bool(), 0, 6).Draw(rt, "provider fails")
		workers := rapid.IntRange(1, 3).Draw(rt, "workers")
		script := newScripted("a", "b", "c")
		script.pages = rapid.IntRange(0, 6).Draw(rt, "pages")
		script.at = func(context.Context, connector.Partition, int) error {
			if len(provider) == 0 {
				return nil
			}
			fails := provider[0]
			provider = provider[1:]
			if fails {
				return failure(connector.ProviderUnavailable, "down")
			}
			return nil
		}
		// Nothing of rapid's may be called inside the bubble, so what went wrong
		// comes out of it as text.
		var wrong string
		synctest.Test(t, func(t *testing.T) { wrong = disturb(t, script, schedule, workers) })
		if wrong != "" {
			rt.Fatal(wrong)
		}
	})
}

func disturb(t *testing.T, script *scripted, schedule []fault, workers int) (wrong string) {
	p := newPlatform(t, script.Manifest())
	p.wire = func(string) fault {
		if len(schedule) == 0 {
			return noFault
		}
		next := schedule[0]
		schedule = schedule[1:]
		return next
	}
	ctx, cancel := context.WithCancel(t.Context())
	results := make(chan error, workers)
	for i := range workers {
		w, err := worker.New(worker.Config{
			Name: fmt.Sprintf("w%d", i), DiscoveryURL: "http://discovery.test", IntegrationsURL: "http://integrations.test", Token: secret.FromString(fleetToken),
			Queues: []string{"discovery"}, Connectors: map[string]connector.Connector{"scripted": script},
			HTTP: &http.Client{Transport: p}, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Metrics: prometheus.NewRegistry(),
		})
		require.NoError(t, err)
		go func() { results <- w.Run(ctx) }()
	}
	<-p.ended
	cancel()
	var said []string
	for range workers {
		if err := <-results; err != nil {
			said = append(said, err.Error())
		}
	}
	said = append(said, p.breaches...)
	if p.finished.Error != nil || !slices.Equal(script.all(), p.records) {
		said = append(said, fmt.Sprintf("the run ended with %+v and stored %v", p.finished.Error, p.records))
	}
	return strings.Join(said, "\n")
}
