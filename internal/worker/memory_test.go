package worker_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/internal/worker"
	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

// countingPlatform hands out one run over real connections and takes everything
// without judging it, so that what is measured is the worker.
type countingPlatform struct {
	decoder *workerapi.Decoder
	mu      sync.Mutex
	claimed bool
	batches int
	records int
	// peak is the most memory in use at any hundredth batch, after collecting.
	peak  uint64
	ended chan struct{}
}

func (p *countingPlatform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // what a worker cannot send it reports itself
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case r.URL.Path == workerapi.ClaimPath && p.claimed:
		w.WriteHeader(http.StatusServiceUnavailable) // so that the worker waits
	case r.URL.Path == workerapi.ClaimPath:
		p.claimed = true
		fmt.Fprintf(w, `{"run_id":"run_7","epoch":1,"lease_id":"%032x","token":"t","operation_type":"discovery.run","integration_id":"scripted",`+
			`"connection_id":"conn_1","lease_seconds":600,"heartbeat_seconds":300,"deadline_seconds":3600}`, 1)
	case strings.HasSuffix(r.URL.Path, "/configuration"):
		fmt.Fprint(w, `{"integration_id":"scripted","configuration":{},"scope":{}}`)
	case strings.HasSuffix(r.URL.Path, "/reach"):
		fmt.Fprint(w, `{"ended":false}`)
	case strings.HasSuffix(r.URL.Path, "/finish"):
		close(p.ended)
	case strings.Contains(r.URL.Path, "/batches/"):
		_, page, err := p.decoder.Decode(body)
		if err != nil {
			w.WriteHeader(http.StatusUnprocessableEntity)
			return
		}
		p.records += len(page.Entities)
		if p.batches++; p.batches%100 == 0 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			p.peak = max(p.peak, m.HeapAlloc)
		}
	}
}

// discover runs a discovery of that many records over loopback.
func discover(tb testing.TB, records int) *countingPlatform {
	script := newScripted("a")
	script.perPage = 100
	script.pages = records / script.perPage
	decoder, err := workerapi.NewDecoder()
	require.NoError(tb, err)
	platform := &countingPlatform{decoder: decoder, ended: make(chan struct{})}
	server := httptest.NewServer(platform)
	defer server.Close()
	w, err := worker.New(worker.Config{
		Name: "w", DiscoveryURL: server.URL, IntegrationsURL: server.URL, Token: secret.FromString("t"), Queues: []string{"discovery"},
		Connectors: map[string]connector.Connector{"scripted": script}, HTTP: server.Client(),
	})
	require.NoError(tb, err)
	ctx, cancel := context.WithCancel(tb.Context())
	defer cancel()
	result := make(chan error, 1)
	go func() { result <- w.Run(ctx) }()
	<-platform.ended
	cancel()
	require.NoError(tb, <-result)
	require.Equal(tb, records, platform.records)
	require.LessOrEqual(tb, platform.batches, script.pages)
	return platform
}

func TestDiscoveryOverRealConnections(t *testing.T) {
	t.Parallel()
	discover(t, 5_000)
}

// BenchmarkDiscovery reads runs of several sizes. live-MB is what is reachable
// at the worst moment; it should not grow with the size.
func BenchmarkDiscovery(b *testing.B) {
	for _, records := range []int{10_000, 100_000, 800_000} {
		b.Run(fmt.Sprint(records), func(b *testing.B) {
			b.ReportAllocs()
			var peak uint64
			for b.Loop() {
				peak = max(peak, discover(b, records).peak)
			}
			b.ReportMetric(float64(peak)/(1<<20), "live-MB")
			b.ReportMetric(float64(records*b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}
