package story

import (
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWorkerDrains stops a worker in mid-run as an operator does. The run is
// handed back within the grace period and goes on elsewhere, a test does not wait
// for any of it, and a second signal ends the process at once.
func TestWorkerDrains(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	c := newCloud(t, 9)
	conn := d.integrations.connect(t, "Drained", c.configuration(nil))
	first := d.work(t, "first", "--grace", "2s", "--metrics-listen", "127.0.0.1:0")
	metrics := "http://" + first.await(t, `msg="serving metrics" address=([0-9.:]+)`) + "/metrics"
	require.Equal(t, "success", d.integrations.test(t, conn).Status)

	slowly(t, c)
	run := underWay(t, d, conn)
	require.Contains(t, scrape(t, metrics), "gatehouse_worker_batches_total")
	require.Contains(t, scrape(t, d.discovery.url+"/metrics"), `gatehouse_runs{queue="discovery",stage="executing"} 1`)
	require.Equal(t, "success", d.integrations.test(t, conn).Status, "a test has a slot of its own")
	running, err := d.discovery.api.Run(t.Context(), run, 0)
	require.NoError(t, err)
	require.Equal(t, "running", running.Value.Status)

	first.stop(t)
	require.Contains(t, first.out.String(), "outcome=handed_back")
	const held = "select count(*)::text from runs where run_id = $1 and lease_id is not null"
	require.Equal(t, "0", execute(t, d.database, held, number(run)))

	second := d.work(t, "second", "--grace", "1h")
	eventually(t, run+" has a worker again", func() bool { return execute(t, d.database, held, number(run)) == "1" })
	require.NoError(t, second.cmd.Process.Signal(syscall.SIGTERM))
	second.await(t, "(worker is draining)")
	second.end(syscall.SIGTERM)
	require.Error(t, second.err, "it did not wait for the hour")
	require.Equal(t, "1", execute(t, d.database, held, number(run)))
	c.ClearFaults()
	endLease(t, d.database, run)
	d.work(t, "third")
	ended := d.discovery.finished(t, run)
	require.Equal(t, "succeeded", ended.Outcome, "%+v", ended)
	require.Equal(t, 2, ended.Attempt, "what was handed back is no attempt")
	d.discovery.requireKnown(t, c, conn)
	require.Contains(t, scrape(t, d.discovery.url+"/metrics"), `gatehouse_runs{queue="discovery",stage="executing"} 0`)
}

// scrape returns what an address of metrics shows.
func scrape(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode)
	return strings.TrimSpace(string(text))
}
