package story

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// contractIsBroken has one discovery after the other done by workers whose
// connector breaks the contract while it reads IAM. That stream fails with a
// reason, the others do not, and the graph keeps what it had. It begins and ends
// without a worker.
func contractIsBroken(t *testing.T, d *deployment, c *cloud, conn string) {
	before := d.discovery.entities(t, conn)
	for _, test := range []struct{ breach, reason, says string }{
		{"undeclared-kind", "contract_violation", "is not declared by stream"},
		{"too-many-records", "contract_violation", "records, more than"},
		{"oversized-id", "contract_violation", "id is"},
		{"attributes-not-json", "contract_violation", "not valid JSON"},
		{"deeply-nested", "contract_violation", "nested"},
		{"page-after-the-last", "contract_violation", "after a page without a cursor"},
		{"panic", "internal", "failed unexpectedly"},
	} {
		broken := startProgram(t, breakingWorker, nil, "-stream", "iam", "-breach", test.breach,
			"-token-file", d.tokenFile, "-discovery-url", d.discovery.url, "-integrations-url", d.integrations.url)
		run := d.discovery.discover(t, conn)
		broken.stop(t)

		requireReason(t, run, "partially_succeeded", test.reason, "Start again")
		failed := 0
		for _, part := range run.Coverage {
			if part.Stream != "iam" {
				require.Equal(t, "complete", part.Coverage, "%s: %+v", test.breach, part)
				continue
			}
			failed++
			require.NotEqual(t, "complete", part.Coverage, "%s: %+v", test.breach, part)
			require.Equal(t, test.reason, part.ReasonCode)
			require.Contains(t, part.Message, test.says)
		}
		require.Positive(t, failed)
		require.Zero(t, run.SummaryCounts["entities_closed"])
		require.Equal(t, before, d.discovery.entities(t, conn), test.breach)
		d.discovery.requireKnown(t, c, conn)
	}
	sound := d.work(t, "sound again")
	d.discovery.requireUnchanged(t, conn)
	sound.stop(t)
}
