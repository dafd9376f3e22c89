package fault_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/test/fault"
)

// seedVariable repeats the faults of an earlier run.
const seedVariable = "GATEHOUSE_FAULT_SEED"

// The short suite: other faults each time, the same ones with the seed it prints.
func TestNothingIsLostDoubledOrStale(t *testing.T) {
	t.Parallel()
	seed := uint64(rand.Uint32())
	if text := os.Getenv(seedVariable); text != "" {
		given, err := strconv.ParseUint(text, 10, 64)
		require.NoError(t, err, seedVariable)
		seed = given
	}
	c := fault.Short(seed)
	c.Dir, c.Gatehouse = t.TempDir(), filepath.Join(t.TempDir(), "gatehouse")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", c.Gatehouse, "github.com/gatehouse-project/gatehouse/cmd/gatehouse")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	var said bytes.Buffer
	c.Out = &said
	again := fmt.Sprintf("%s=%d go test ./test/fault -run TestNothingIsLostDoubledOrStale -v", seedVariable, seed)
	report, err := fault.Run(t.Context(), c)
	require.NoError(t, err, "again: %s\n%s", again, said.String())
	require.NoError(t, report.Write(&said, again))
	t.Log(said.String())
	require.Empty(t, report.Breaches, "logs were in %s", c.Dir)
	require.GreaterOrEqual(t, report.Faults(), c.Faults)
	require.Positive(t, report.Writes, "nothing was written that could have been stale")
	require.Positive(t, report.Reads, "no graph was compared while faults struck")
	require.Positive(t, report.Finished())
}
